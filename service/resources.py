"""What the lifespan opens: objects by their types, put in by one room and taken by others."""

from __future__ import annotations

from typing import Any, TypeVar, cast

T = TypeVar("T")


class Opened:
    """What was opened, one of each type."""

    def __init__(self) -> None:
        self._by_type: dict[type[Any], Any] = {}

    def put(self, kind: type[T], value: T) -> None:
        """Hand out ``value`` to whoever asks for ``kind``."""
        self._by_type[kind] = value

    def get(self, kind: type[T]) -> T:
        """Return what was opened as ``kind``; a KeyError says that nothing was."""
        return cast("T", self._by_type[kind])
