"""The one thing that storage can be: not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from sqlalchemy.exc import SQLAlchemyError


class StorageUnavailableError(Exception):
    """The database did not answer; what was to be written is not there, not even in part."""

    code: ClassVar[str] = "storage_unavailable"

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@contextmanager
def translated(retry_after: float) -> Iterator[None]:
    """Turn whatever a driver raises into :class:`StorageUnavailableError`."""
    try:
        yield
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise StorageUnavailableError("The database does not answer.", retry_after) from error
