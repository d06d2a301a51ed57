"""Encryption of the columns that say who a patient is: which keys, and what is kept by them.

Off unless OSTEOSERVE_COLUMN_KEYS names a file of keys. With it everything can be read that any of
the keys has encrypted, and OSTEOSERVE_COLUMN_ENCRYPTION says whether what is written from now on is
encrypted. Beside a column of text stands one of ciphertext; where that is filled, the former holds
a blind index: a keyed hash, by which a patient is found and is kept once. The index has a key of
its own, which lies in the database, sealed, so that new keys change no index.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from service.sealing import Ring, SealError
from service.storage.errors import KeysError, UnreadableError
from service.storage.settings import StorageSettings

PURPOSE: Final = "osteoserve columns"
LEAST: Final = 32
"""Characters of a key."""

SEALED: Final = b"\x1eosteoserve\x1e"
"""Begins bytes that are encrypted."""

_LOCKED: Final = "The key of encrypted columns has not been read yet."
_MARK: Final = "\x1e"
"""Begins every index: what people type and scanners send is printable."""


class _Unopened:
    """In place of what no key opens, so that one such row does not hide all others."""

    def __repr__(self) -> str:
        return "<encrypted>"


UNOPENED: Final = _Unopened()


@dataclass(eq=False)
class Encryption:
    """What columns are encrypted with; without ``ring`` none is, and none can be read."""

    ring: Ring | None = None
    is_on: bool = False
    file: Path | None = None
    index: bytes | None = field(default=None, repr=False)
    """The key of the blind index; :mod:`service.storage.column_keys` reads it."""

    @classmethod
    def of(cls, settings: StorageSettings) -> Encryption:
        """Return what ``settings`` say. Raises :class:`~service.storage.errors.KeysError`."""
        file = settings.column_keys
        if file is None:
            if settings.column_encryption:
                raise KeysError(
                    "OSTEOSERVE_COLUMN_ENCRYPTION needs OSTEOSERVE_COLUMN_KEYS, a file with one "
                    "key a line."
                )
            return cls()
        return cls(_ring(file), settings.column_encryption, file)

    @property
    def is_locked(self) -> bool:
        """Whether there are keys, and the index's own is not read yet."""
        return self.ring is not None and self.index is None

    def kept_as(self, site: str, text: str) -> str:
        """Return what stands in the column of an identifier."""
        return self._hashed(site, text) if self.is_on else text

    def known_as(self, site: str, text: str) -> tuple[str, ...]:
        """Return all that may stand there, since rows are encrypted one after the other."""
        if self.ring is None:
            return (text,)
        hashed = self._hashed(site, text)
        return (hashed,) if text.startswith(_MARK) else (text, hashed)

    def seal(self, use: str, value: str | bytes) -> Any:
        """Return ``value`` encrypted for ``use``, text as text."""
        ring = self._keys()
        if isinstance(value, str):
            return ring.seal(use, value.encode())
        return SEALED + ring.seal_bytes(use, value)

    def open(self, use: str, value: str | bytes) -> Any:
        """Return what was sealed for ``use``; :data:`UNOPENED` where no key opens it."""
        if self.ring is None:
            return UNOPENED
        try:
            if isinstance(value, str):
                return self.ring.open(use, value).decode()
            return self.ring.open_bytes(use, value.removeprefix(SEALED))
        except SealError:
            return UNOPENED

    def _hashed(self, site: str, text: str) -> str:
        if self.index is None:
            raise KeysError(_LOCKED)
        parts = [part.encode() for part in (site, text)]
        # Lengths first, so that no other two texts make the same.
        told = b"".join(len(part).to_bytes(4) + part for part in parts)
        digest = hmac.digest(self.index, told, "sha256")
        return _MARK + base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _keys(self) -> Ring:
        if self.ring is None or self.index is None:
            raise KeysError(_LOCKED)
        return self.ring


def of(connection: AsyncConnection | Connection) -> Encryption:
    """Return what the columns of ``connection``'s database are encrypted with."""
    return of_dialect(connection.dialect)


def of_dialect(dialect: Dialect) -> Encryption:
    return _BY_DIALECT.get(dialect, _NONE)


def attach(dialect: Dialect, encryption: Encryption) -> None:
    """Have columns of the one engine that ``dialect`` belongs to be read and written by it."""
    _BY_DIALECT[dialect] = encryption


# A type of column is told nothing else of the database that it works for.
_BY_DIALECT: WeakKeyDictionary[Dialect, Encryption] = WeakKeyDictionary()
_NONE: Final = Encryption()


def _ring(file: Path) -> Ring:
    try:
        lines = file.read_text(encoding="ascii").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "it is no text in ASCII"
        raise KeysError(f"OSTEOSERVE_COLUMN_KEYS: {file} cannot be read: {why}.") from None
    keys = [line.strip() for line in lines if line.strip()]
    if not keys or min(map(len, keys)) < LEAST:
        raise KeysError(
            f"OSTEOSERVE_COLUMN_KEYS: {file} has to have one key a line, each of {LEAST} "
            "characters or more, the one that encrypts first."
        )
    return Ring([key.encode() for key in keys], PURPOSE)


def readable(opened: Any) -> Any:
    """Return ``opened``. Raises :class:`~service.storage.errors.UnreadableError`."""
    if opened is UNOPENED:
        raise UnreadableError
    return opened


def plain(kept: Any, opened: Any) -> Any:
    """Return the text of a row: what was ``opened`` of its ciphertext, else what is ``kept``.

    Raises :class:`~service.storage.errors.UnreadableError`.
    """
    return kept if opened is None else readable(opened)


def document(kept: Any, opened: Any) -> Any:
    """Return a row's document, of which the ciphertext holds the text. Raises as :func:`plain`."""
    return kept if opened is None else json.loads(readable(opened))
