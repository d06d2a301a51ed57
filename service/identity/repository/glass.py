"""Break-glass in SQL: who reads another site's results, why and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.tables.identity import GlassRow, PersonRow


@dataclass(frozen=True, kw_only=True)
class Use:
    """One break-glass, as auditors see it."""

    id: UUID
    person_id: UUID
    name: str
    home: str
    site: str
    reason: str
    began_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    closed_at: datetime | None
    remark: str | None


_FIELDS: Final = (
    "id", "person_id", "home", "site", "reason", "began_at", "ends_at", "ended_at", "closed_at",
    "remark",
)  # fmt: skip


async def add(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(GlassRow).values(**values))


async def one(connection: AsyncConnection, id: UUID) -> Row[str, datetime, datetime] | None:
    """Return home, end, and until when whoever it was goes on at home."""
    statement = select(GlassRow.home, GlassRow.ends_at, GlassRow.back_until)
    return (await connection.execute(statement.where(GlassRow.id == id))).one_or_none()


async def end(connection: AsyncConnection, id: UUID, at: datetime) -> None:
    is_open = GlassRow.ended_at.is_(None)
    await connection.execute(update(GlassRow).where(GlassRow.id == id, is_open).values(ended_at=at))


async def uses(connection: AsyncConnection, site: str, most: int) -> tuple[Use, ...]:
    """Return the last uses that a site has to do with, those that nobody has closed first."""
    columns = (*(getattr(GlassRow, name) for name in _FIELDS), PersonRow.name)
    statement = (
        select(*columns)
        .join(PersonRow, PersonRow.id == GlassRow.person_id)
        .where(or_(GlassRow.site == site, GlassRow.home == site))
        .order_by(GlassRow.closed_at.is_not(None), GlassRow.began_at.desc(), GlassRow.id)
        .limit(most)
    )
    return tuple(Use(**row._asdict()) for row in await connection.execute(statement))


async def close(
    connection: AsyncConnection, site: str, id: UUID, at: datetime, by: UUID, remark: str
) -> bool:
    """Note that the auditor of a site has looked into a use of what is its; False without it."""
    statement = (
        update(GlassRow)
        .where(GlassRow.id == id, GlassRow.site == site, GlassRow.closed_at.is_(None))
        .values(closed_at=at, closed_by=by, remark=remark or None)
    )
    return (await connection.execute(statement)).rowcount > 0
