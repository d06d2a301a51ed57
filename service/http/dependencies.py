"""FastAPI dependencies: what the lifespan opens, handed to endpoints by its type.

Each subject names its own in its ``dependencies.py``; endpoints name those that they need.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from service.http.settings import UploadLimits
from service.resources import Resources

T = TypeVar("T")

STATE: Final = "opened"
"""The name of :class:`~service.resources.Resources` in the state that the lifespan yields."""


def opened(kind: type[T]) -> Callable[[HTTPConnection], Awaitable[T]]:
    """Return the dependency that is what the lifespan opened as ``kind``."""

    # Not a plain function, which FastAPI would call in a thread of its own.
    async def dependency(connection: HTTPConnection) -> T:
        return cast("Opened", getattr(connection.state, STATE)).get(kind)

    return dependency


UploadLimitsDep = Annotated[UploadLimits, Depends(resource(UploadLimits))]
