"""FastAPI dependency of who acts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.identity.actor import Actor


async def acting() -> Actor:
    return Actor.anonymous()


Acting = Annotated[Actor, Depends(acting)]
"""Who sent the request."""
