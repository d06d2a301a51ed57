"""Failed tries in SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.tables.identity import AttemptRow


@dataclass(frozen=True, kw_only=True)
class Failures:
    count: int
    last_at: datetime


async def kept(
    connection: AsyncConnection, hashes: Collection[str], since: datetime
) -> dict[str, Failures]:
    """Return what is kept of failed tries, by hash; what is older than ``since`` is forgotten."""
    query = select(AttemptRow.hash, AttemptRow.failures, AttemptRow.last_at).where(
        AttemptRow.hash.in_(hashes), AttemptRow.last_at >= since
    )
    return {
        row.hash: Failures(count=row.failures, last_at=row.last_at)
        for row in await connection.execute(query)
    }


async def count(connection: AsyncConnection, hash: str, at: datetime, since: datetime) -> None:
    """Count a try as failed; one that turns out well is taken back."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(AttemptRow).values(hash=hash, failures=1, last_at=at)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["hash"],
            set_={"failures": AttemptRow.failures + 1, "last_at": at},
        )
    )
    await connection.execute(delete(AttemptRow).where(AttemptRow.last_at < since))


async def take_back(
    connection: AsyncConnection, forgotten: Collection[str], less: Collection[str]
) -> None:
    """Forget all failures under some hashes, and one under others."""
    await connection.execute(delete(AttemptRow).where(AttemptRow.hash.in_(forgotten)))
    await connection.execute(
        update(AttemptRow)
        .where(AttemptRow.hash.in_(less), AttemptRow.failures > 0)
        .values(failures=AttemptRow.failures - 1)
    )
