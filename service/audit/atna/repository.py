"""How far each collector is, in SQL: one front at a time tells it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.tables.audit import AuditSinkRow


async def lease(
    connection: AsyncConnection, name: str, holder: UUID, at: datetime, until: datetime, first: int
) -> int | None:
    """Return the last link that a collector has, whom ``holder`` alone tells ``until`` then.

    One that is new has ``first``. None: another front tells it.
    """
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    known = make(AuditSinkRow).values(name=name, number=first, leased_until=at)
    await connection.execute(known.on_conflict_do_nothing(index_elements=["name"]))
    free = or_(AuditSinkRow.holder == holder, AuditSinkRow.leased_until <= at)
    statement = (
        update(AuditSinkRow)
        .where(AuditSinkRow.name == name, free)
        .values(holder=holder, leased_until=until)
        .returning(AuditSinkRow.number)
    )
    return await connection.scalar(statement)


async def move(connection: AsyncConnection, name: str, holder: UUID, number: int) -> bool:
    """Note that a collector has everything up to ``number``; False where another front tells it."""
    mine = (AuditSinkRow.name == name, AuditSinkRow.holder == holder)
    statement = update(AuditSinkRow).where(*mine).values(number=number)
    return (await connection.execute(statement)).rowcount > 0
