"""The trail in SQL: entries and links are added, never changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, exists, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.schemas import Entry
from service.storage.tables.audit import (
    AuditCheckpointRow,
    AuditEventRow,
    AuditHeadRow,
    AuditLinkRow,
    AuditPendingRow,
)

_LOCK: Final = 7301142619
"""Any number but the migrations', as long as every front takes the same."""

_HEAD: Final = 1
_ADD: Final = insert(AuditEventRow)
_AWAIT: Final = insert(AuditPendingRow)
_COLUMNS: Final = tuple(getattr(AuditEventRow, name) for name in Entry.__dataclass_fields__)
_UNSEALED: Final = ~exists().where(AuditLinkRow.event_id == AuditEventRow.id)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link, with its entry unless that is gone."""

    number: int
    hash: str
    event_id: UUID
    entry: Entry | None


@dataclass(frozen=True, kw_only=True)
class Head:
    """Where the chain is said to end."""

    number: int
    seal: str


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where the chain begins since its oldest links were cut."""

    number: int
    hash: str
    cut_at: int
    seal: str


def add(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add ``entries``, in two statements however many they are."""
    connection.execute(_ADD, [asdict(entry) for entry in entries])
    connection.execute(_AWAIT, [{"event_id": entry.id} for entry in entries])


async def alone(connection: AsyncConnection) -> bool:
    """Whether nobody else seals until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name != "postgresql":
        return True
    statement = text("SELECT pg_try_advisory_xact_lock(:number)")
    return bool(await connection.scalar(statement, {"number": _LOCK}))


async def waits(connection: AsyncConnection) -> bool:
    """Whether there is an entry that waits for its link."""
    return await connection.scalar(select(AuditPendingRow.event_id).limit(1)) is not None


async def waiting(connection: AsyncConnection, most: int) -> tuple[Entry, ...]:
    """Return at most ``most`` entries that wait for their link, the oldest first."""
    statement = (
        select(*_COLUMNS)
        .join(AuditPendingRow, AuditPendingRow.event_id == AuditEventRow.id)
        .order_by(AuditEventRow.at, AuditEventRow.id)
        .limit(most)
    )
    return tuple(_entry(row) for row in await connection.execute(statement))


async def last(connection: AsyncConnection) -> tuple[int, str] | None:
    """Return number and hash of the last link; None: there is none."""
    newest = AuditLinkRow.number.desc()
    statement = select(AuditLinkRow.number, AuditLinkRow.hash).order_by(newest)
    row = (await connection.execute(statement.limit(1))).one_or_none()
    return None if row is None else (row.number, row.hash)


async def add_links(connection: AsyncConnection, links: Sequence[Mapping[str, Any]]) -> None:
    await connection.execute(insert(AuditLinkRow), list(links))
    done = [one["event_id"] for one in links]
    await connection.execute(delete(AuditPendingRow).where(AuditPendingRow.event_id.in_(done)))


async def head(connection: AsyncConnection) -> Head | None:
    row = (
        await connection.execute(
            select(AuditHeadRow.number, AuditHeadRow.seal).where(AuditHeadRow.id == _HEAD)
        )
    ).one_or_none()
    return None if row is None else Head(number=row.number, seal=row.seal)


async def set_head(connection: AsyncConnection, number: int, seal: str) -> None:
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {"number": number, "seal": seal}
    await connection.execute(
        make(AuditHeadRow)
        .values(id=_HEAD, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


async def links(connection: AsyncConnection, after: int, most: int) -> tuple[Link, ...]:
    """Return at most ``most`` links with a number above ``after``, in order."""
    statement = (
        select(AuditLinkRow.number, AuditLinkRow.hash, AuditLinkRow.event_id, *_COLUMNS)
        .outerjoin(AuditEventRow, AuditEventRow.id == AuditLinkRow.event_id)
        .where(AuditLinkRow.number > after)
        .order_by(AuditLinkRow.number)
        .limit(most)
    )
    return tuple(
        Link(
            number=row.number,
            hash=row.hash,
            event_id=row.event_id,
            entry=None if row.id is None else _entry(row),
        )
        for row in await connection.execute(statement)
    )


async def checkpoint(connection: AsyncConnection) -> Checkpoint | None:
    """Return where the chain begins; None: with its first link."""
    row = AuditCheckpointRow
    statement = select(row.number, row.hash, row.cut_at, row.seal).order_by(row.number.desc())
    found = (await connection.execute(statement.limit(1))).one_or_none()
    return None if found is None else Checkpoint(**found._asdict())


async def younger(connection: AsyncConnection, at: int) -> int | None:
    """Return the number of the first link of an entry made at ``at`` (µs since 1970) or later."""
    statement = (
        select(func.min(AuditLinkRow.number))
        .join(AuditEventRow, AuditEventRow.id == AuditLinkRow.event_id)
        .where(AuditEventRow.at >= at)
    )
    return await connection.scalar(statement)


async def cut(connection: AsyncConnection, checkpoint: Checkpoint) -> int:
    """Remove the links up to a checkpoint, with their entries; return how many there were.

    The database refuses that to everybody, so that what refuses it is away for the while of this
    transaction: no other one sees it so.
    """
    linked = select(AuditLinkRow.event_id).where(AuditLinkRow.number <= checkpoint.number)
    await _guards(connection, away=True)
    await connection.execute(delete(AuditEventRow).where(AuditEventRow.id.in_(linked)))
    done = await connection.execute(
        delete(AuditLinkRow).where(AuditLinkRow.number <= checkpoint.number)
    )
    await _guards(connection, away=False)
    await connection.execute(delete(AuditCheckpointRow))
    await connection.execute(insert(AuditCheckpointRow).values(**asdict(checkpoint)))
    return done.rowcount


async def _guards(connection: AsyncConnection, *, away: bool) -> None:
    """Take away, or put back, what keeps rows of the trail from being deleted."""
    for table in ("audit_event", "audit_link"):
        if connection.dialect.name == "postgresql":
            act = "DISABLE" if away else "ENABLE"
            statement = f"ALTER TABLE {table} {act} TRIGGER {table}_kept"
        elif away:
            statement = f"DROP TRIGGER {table}_delete"
        else:
            # As migration 0006 made it.
            statement = (
                f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is only ever added to'); END"
            )
        await connection.execute(text(statement))


async def oldest_unsealed(connection: AsyncConnection) -> tuple[int, int | None]:
    """Return how many entries no link holds, and when the oldest of them was made.

    Looked for among all, since what waits may have been forgotten.
    """
    statement = select(func.count(), func.min(AuditEventRow.at)).where(_UNSEALED)
    row = (await connection.execute(statement)).one()
    return int(row[0]), row[1]


async def page(
    connection: AsyncConnection,
    site: str | None,
    kinds: Collection[str],
    before: tuple[int, UUID] | None,
    most: int,
) -> tuple[Entry, ...]:
    """Return at most ``most`` entries of a site, the newest first, older than ``before``.

    Those of every site where ``site`` is None, and of every kind where ``kinds`` are none.
    """
    statement = select(*_COLUMNS).order_by(AuditEventRow.at.desc(), AuditEventRow.id.desc())
    if site is not None:
        statement = statement.where(AuditEventRow.site == site)
    if kinds:
        statement = statement.where(AuditEventRow.kind.in_(kinds))
    if before is not None:
        at, id = before
        older = (AuditEventRow.at == at) & (AuditEventRow.id < id)
        statement = statement.where((AuditEventRow.at < at) | older)
    return tuple(_entry(row) for row in await connection.execute(statement.limit(most)))


def _entry(row: Row[Any]) -> Entry:
    return Entry(**{name: getattr(row, name) for name in Entry.__dataclass_fields__})
