"""FastAPI dependencies: what the lifespan opens, handed to endpoints by its type.

Each subject names its own in its ``dependencies.py``; endpoints name those that they need.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from service.http.settings import UploadLimits

T = TypeVar("T")

STATE: Final = "opened"
"""The name of :class:`Opened` in the state that the lifespan yields."""


class Opened:
    """What was opened, one of each type."""

    def __init__(self) -> None:
        self._by_type: dict[type[Any], Any] = {}

    def put(self, kind: type[T], value: T) -> T:
        """Hand out ``value`` to whoever asks for ``kind``, and return it."""
        self._by_type[kind] = value
        return value

    def get(self, kind: type[T]) -> T:
        """Return what was opened as ``kind``; a KeyError says that nothing was."""
        return cast("T", self._by_type[kind])


def opened(kind: type[T]) -> Callable[[HTTPConnection], Awaitable[T]]:
    """Return the dependency that is what the lifespan opened as ``kind``."""

    # Not a plain function, which FastAPI would call in a thread of its own.
    async def dependency(connection: HTTPConnection) -> T:
        return cast("Opened", getattr(connection.state, STATE)).get(kind)

    return dependency


UploadLimitsDep = Annotated[UploadLimits, Depends(opened(UploadLimits))]
