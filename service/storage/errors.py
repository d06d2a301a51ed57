"""What storage can be, by kind, so that whoever asks knows what to do about it.

::

    StorageError
    ├── StorageUnavailableError   it did not answer in time; the same again may well be answered
    │   ├── StorageBusyError      others were in the way; another try by itself is sensible
    │   └── StorageDamagedError   the file is no database any more; python -m service storage
    ├── StorageFullError          no room is left; reading goes on, and so does deleting
    ├── GoneError                 what it was to belong to has been deleted
    ├── ConflictError             there is one already
    ├── ChangedError              somebody else was faster; holds what is kept now
    ├── UnreadableError           one row, from a newer version or damaged
    └── KeysError                 columns are encrypted, and a key is missing

After each of them what was to be written is not there, not even in part.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError, StatementError

from service.errors import CodedError
from service.language.locale import N_


class StorageError(CodedError):
    """What was to be read or written was not."""


class StorageUnavailableError(StorageError):
    code = "storage_unavailable"


class StorageBusyError(StorageUnavailableError):
    pass


class StorageDamagedError(StorageUnavailableError):
    pass


class StorageFullError(StorageError):
    code = "storage_full"


class GoneError(StorageError):
    code = "prediction_not_found"


class ConflictError(StorageError):
    code = "conflict"


class ChangedError(StorageError):
    """``kept`` is what is there now, for whoever wanted to write over it."""

    code = "changed_meanwhile"

    def __init__(self, kept: Any) -> None:
        super().__init__(N_("Somebody else has written here since this was read."))
        self.kept = kept


class UnreadableError(StorageError):
    code = "row_unreadable"

    def __init__(self) -> None:
        super().__init__(N_("What is kept here was written by another version, or is damaged."))


class KeysError(StorageError):
    """``str`` of it is for whoever runs the service; others are told that it does not answer."""

    code = "storage_unavailable"

    def __init__(self, said: str) -> None:
        super().__init__(N_("The database does not answer."))
        self._said = said

    def __str__(self) -> str:
        return self._said


@contextmanager
def translated(retry_after: float) -> Iterator[None]:
    """Turn whatever a driver raises into a :class:`StorageError`; what is a bug stays one."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, TimeoutError) as error:
        if isinstance(error, DataError) or (
            isinstance(error, StatementError) and not isinstance(error, DBAPIError)
        ):
            # A value that no column takes should never have come this far.
            raise
        raise _kind(error, retry_after) from error


_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, "40001", "40P01", "55P03"}
_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, "53100"}
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_GONE: Final = {sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, "23503"}
_CONFLICT: Final = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, "23505"
}  # fmt: skip
"""SQLite's codes, primary or extended, and PostgreSQL's states."""


def _kind(error: Exception, retry_after: float) -> StorageError:
    codes = set(_codes(error))
    if codes & _FULL or (isinstance(error, OSError) and error.errno in NO_ROOM):
        return StorageFullError(N_("There is no room left to store anything."))
    if codes & _GONE:
        return GoneError(N_("The result has been deleted meanwhile."))
    if codes & _CONFLICT:
        return ConflictError(N_("The same is kept already."))
    message = N_("The database does not answer.")
    if codes & _BUSY:
        return StorageBusyError(message, retry_after)
    if codes & _DAMAGED:
        return StorageDamagedError(message, retry_after)
    return StorageUnavailableError(message, retry_after)


NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


def _codes(error: Exception) -> Iterator[int | str]:
    source = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(source, "sqlite_errorcode", None)
    if isinstance(code, int):
        yield code
        yield code & 0xFF
    state = getattr(source, "sqlstate", None)
    if isinstance(state, str):
        yield state
