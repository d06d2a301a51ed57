"""The key of the blind index in SQL: made once, sealed with the ring's first key."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, insert, inspect, select, update

from service.sealing import SealError
from service.storage.encryption import Encryption
from service.storage.errors import KeysError
from service.storage.tables.encryption import ColumnKeyRow

USE: Final = "key of the blind index"
_ONLY: Final = 1
"""The id of the only row."""


def unlock(connection: Connection, encryption: Encryption) -> None:
    """Read the index's key where there is one.

    Raises :class:`~service.storage.errors.KeysError` where no key opens it, or where there is
    no key at all and the database is encrypted.
    """
    if not inspect(connection).has_table(ColumnKeyRow.__tablename__):
        return
    row = connection.execute(select(ColumnKeyRow.index_key, ColumnKeyRow.in_use)).one_or_none()
    if row is None:
        return
    if encryption.ring is None:
        if row.in_use:
            raise KeysError(
                "The database's columns are encrypted, and OSTEOSERVE_COLUMN_KEYS names no file "
                "of keys. Nothing is lost: name the file that they were encrypted with."
            )
        return
    try:
        encryption.index = encryption.ring.open(USE, row.index_key)
    except SealError:
        if row.in_use:
            name = row.index_key.split(".")[1]
            raise KeysError(
                f"None of the keys in {encryption.file} (OSTEOSERVE_COLUMN_KEYS) opens the "
                f"database's columns: the key {name} is missing. Nothing is lost: put it back as "
                "a further line."
            ) from None


def settle(connection: Connection, encryption: Encryption) -> None:
    """Make the index's key where there is none yet, and say that columns are encrypted if so.

    Nobody else is on the database meanwhile. Raises as :func:`unlock`.
    """
    unlock(connection, encryption)
    if encryption.ring is None:
        return
    if encryption.index is None:
        # None was made, or one that no row needs any more and nobody has the key of.
        made = secrets.token_bytes(32)
        row = {"index_key": encryption.ring.seal(USE, made), "in_use": encryption.is_on}
        known = connection.scalar(select(ColumnKeyRow.id))
        connection.execute(
            insert(ColumnKeyRow).values(id=_ONLY, **row)
            if known is None
            else update(ColumnKeyRow).values(**row)
        )
        encryption.index = made
    elif encryption.is_on:
        connection.execute(update(ColumnKeyRow).values(in_use=True))


def conclude(connection: Connection, encryption: Encryption) -> None:
    """Seal the index's key with the first key, and say whether columns are encrypted at all:
    nothing else is left."""
    if encryption.ring is None or encryption.index is None:
        raise KeysError("There is no key of encrypted columns.")
    sealed = encryption.ring.seal(USE, encryption.index)
    connection.execute(update(ColumnKeyRow).values(index_key=sealed, in_use=encryption.is_on))
