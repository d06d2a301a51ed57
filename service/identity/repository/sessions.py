"""Sign-ins in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.tables.identity import (
    MembershipRow,
    PasskeyRow,
    PersonRow,
    SecondFactorRow,
    SessionRow,
)

_HAS_APP: Final = (
    select(SecondFactorRow.person_id)
    .where(
        SecondFactorRow.person_id == SessionRow.person_id, SecondFactorRow.confirmed_at.is_not(None)
    )
    .exists()
    .label("has_app")
)
_HAS_PASSKEY: Final = (
    select(PasskeyRow.id)
    .where(PasskeyRow.person_id == SessionRow.person_id)
    .exists()
    .label("has_passkey")
)


# Each request of a person asks it: to build it takes longer than to execute it.
_ROWS: Final = (
    select(
        SessionRow.person_id, SessionRow.site, SessionRow.seen_at, SessionRow.ends_at,
        SessionRow.signed_in_at, SessionRow.issuer, SessionRow.second, SessionRow.by_passkey,
        SessionRow.glass_id, _HAS_APP, _HAS_PASSKEY, PersonRow.name, PersonRow.disabled_at,
        PersonRow.sealed, MembershipRow.role,
    )
    .join(PersonRow, PersonRow.id == SessionRow.person_id)
    .outerjoin(
        MembershipRow,
        (MembershipRow.person_id == SessionRow.person_id)
        & (MembershipRow.site == SessionRow.site),
    )
    .where(SessionRow.hash == bindparam("hash"))
)  # fmt: skip


async def add(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(SessionRow).values(**values))


def rows(connection: Connection, hash: str) -> Sequence[Any]:
    """Return a row for each role of the person at the session's site, or one without a role."""
    return connection.execute(_ROWS, {"hash": hash}).all()


async def whole(connection: AsyncConnection, hash: str) -> dict[str, Any] | None:
    """Return every column of a session; None where it has ended."""
    statement = select(SessionRow.__table__).where(SessionRow.hash == hash)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else dict(row)


async def seen(connection: AsyncConnection, hash: str, at: datetime, least: timedelta) -> None:
    """Note that a session is used, where the note that is there is older than ``least``."""
    await connection.execute(
        update(SessionRow)
        .where(SessionRow.hash == hash, SessionRow.seen_at < at - least)
        .values(seen_at=at)
    )


async def change(connection: AsyncConnection, hash: str, **values: Any) -> bool:
    statement = update(SessionRow).where(SessionRow.hash == hash).values(**values)
    return (await connection.execute(statement)).rowcount > 0


async def end(connection: AsyncConnection, hash: str) -> UUID | None:
    """Return whose session it was; None where it had ended."""
    statement = delete(SessionRow).where(SessionRow.hash == hash).returning(SessionRow.person_id)
    return (await connection.execute(statement)).scalar_one_or_none()


@dataclass(frozen=True, kw_only=True)
class Open:
    """A sign-in that goes on."""

    hash: str
    site: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    issuer: str | None
    second: bool
    by_passkey: bool


async def of(
    connection: AsyncConnection, person_id: UUID, at: datetime, idle: timedelta
) -> tuple[Open, ...]:
    """Return somebody's sign-ins that go on, the last used first."""
    columns = tuple(getattr(SessionRow, name) for name in Open.__dataclass_fields__)
    statement = (
        select(*columns)
        .where(
            SessionRow.person_id == person_id,
            SessionRow.ends_at > at,
            SessionRow.seen_at > at - idle,
        )
        .order_by(SessionRow.seen_at.desc(), SessionRow.hash)
    )
    return tuple(Open(**row._asdict()) for row in await connection.execute(statement))


async def end_all(connection: AsyncConnection, person_id: UUID) -> None:
    await connection.execute(delete(SessionRow).where(SessionRow.person_id == person_id))


async def end_old(connection: AsyncConnection, at: datetime, idle: timedelta) -> None:
    """Remove sessions that nobody can use any more."""
    over = (SessionRow.ends_at <= at) | (SessionRow.seen_at <= at - idle)
    await connection.execute(delete(SessionRow).where(over))
