"""Links that are used once in SQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.tables.identity import ClaimRow


async def add(
    connection: AsyncConnection, hash: str, person_id: UUID | None, ends_at: datetime
) -> None:
    """Keep a link; those made before for the same person, or for the first one, are void."""
    mine = ClaimRow.person_id.is_(None) if person_id is None else ClaimRow.person_id == person_id
    await connection.execute(delete(ClaimRow).where(mine))
    await connection.execute(
        insert(ClaimRow).values(hash=hash, person_id=person_id, ends_at=ends_at)
    )


async def use(connection: AsyncConnection, hash: str, at: datetime) -> tuple[bool, UUID | None]:
    """Use a link up: whether it could be used, and whose it is."""
    statement = (
        delete(ClaimRow)
        .where(ClaimRow.hash == hash)
        .returning(ClaimRow.person_id, ClaimRow.ends_at)
    )
    row = (await connection.execute(statement)).one_or_none()
    return (False, None) if row is None or row.ends_at <= at else (True, row.person_id)


async def is_good(connection: AsyncConnection, hash: str, at: datetime) -> bool:
    """Whether a link could be used, which is left as it is."""
    query = select(ClaimRow.hash).where(ClaimRow.hash == hash, ClaimRow.ends_at > at)
    return await connection.scalar(query) is not None


async def whose(connection: AsyncConnection, hash: str, at: datetime) -> UUID | None:
    """Return whose password a link that is left as it is could set; None: nobody's."""
    query = select(ClaimRow.person_id).where(ClaimRow.hash == hash, ClaimRow.ends_at > at)
    return await connection.scalar(query)


async def end(connection: AsyncConnection, person_id: UUID | None) -> None:
    mine = ClaimRow.person_id.is_(None) if person_id is None else ClaimRow.person_id == person_id
    await connection.execute(delete(ClaimRow).where(mine))
