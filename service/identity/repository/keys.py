"""Keys of programs in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.schemas import ApiKey
from service.storage.tables.identity import ApiKeyRow

_KEY: Final = (
    ApiKeyRow.id, ApiKeyRow.program_id, ApiKeyRow.name, ApiKeyRow.role, ApiKeyRow.site,
    ApiKeyRow.created_at, ApiKeyRow.ends_at, ApiKeyRow.revoked_at, ApiKeyRow.used_on,
)  # fmt: skip
# Each request of a program asks it: to build it takes longer than to execute it.
_BY_HASH: Final = select(*_KEY).where(ApiKeyRow.sha256 == bindparam("sha256"))


async def add(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(ApiKeyRow).values(**values))


def by_hash(connection: Connection, sha256: str) -> ApiKey | None:
    """Return the key with this hash, whether or not it still opens anything."""
    row = connection.execute(_BY_HASH, {"sha256": sha256}).one_or_none()
    return None if row is None else _key(row)


async def all(
    connection: AsyncConnection, site: str | None, key_id: UUID | None = None
) -> tuple[ApiKey, ...]:
    """Return keys, the newest first; those of every site where ``site`` is None."""
    statement = select(*_KEY).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
    if site is not None:
        statement = statement.where(ApiKeyRow.site == site)
    if key_id is not None:
        statement = statement.where(ApiKeyRow.id == key_id)
    return tuple(_key(row) for row in await connection.execute(statement))


async def opens(connection: AsyncConnection, program_id: UUID, at: datetime) -> bool:
    """Whether a program has a key that is good."""
    query = select(ApiKeyRow.id).where(
        ApiKeyRow.program_id == program_id,
        ApiKeyRow.revoked_at.is_(None),
        ApiKeyRow.ends_at > at,
    )
    return await connection.scalar(query.limit(1)) is not None


async def revoke(connection: AsyncConnection, key_id: UUID, at: datetime) -> bool:
    statement = (
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return (await connection.execute(statement)).rowcount > 0


async def shorten(connection: AsyncConnection, key_id: UUID, ends_at: datetime) -> None:
    """Have a key end at ``ends_at`` unless it ends before."""
    await connection.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.ends_at > ends_at)
        .values(ends_at=ends_at)
    )


async def used(connection: AsyncConnection, key_id: UUID, at: datetime) -> None:
    await connection.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
        .values(used_on=at.date())
    )


def _key(row: Any) -> ApiKey:
    return ApiKey(
        id=row.id,
        program_id=row.program_id,
        name=row.name,
        role=row.role,
        site=row.site,
        created_at=row.created_at,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        used_on=None if row.used_on is None else row.used_on.isoformat(),
    )
