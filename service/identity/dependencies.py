"""FastAPI dependency of who acts."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import Scope

from service.identity.actor import Actor

ACTOR: Final = "osteoserve.actor"
"""Where the door leaves whoever it has let in, in a request's scope."""


def actor_of(scope: Scope) -> Actor | None:
    """Return whoever was let in; None where no door was passed, as by an error before it."""
    found = scope.get(ACTOR)
    return found if isinstance(found, Actor) else None


async def acting(connection: HTTPConnection) -> Actor:
    found = actor_of(connection.scope)
    if found is None:
        raise RuntimeError("a route without a door")
    return found


Acting = Annotated[Actor, Depends(acting)]
"""Who sent the request."""
