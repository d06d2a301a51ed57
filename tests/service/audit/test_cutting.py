"""Letting the oldest part of the trail go: what is left verifies, and nobody else can cut it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from service.audit import repository
from service.audit.cutting import cut
from service.audit.schemas import Entry, microseconds
from service.audit.trail import Trail, record
from service.audit.verify import Anchor, verify
from service.clock import now
from service.events import Event, Listeners
from service.identity.actor import Actor
from service.storage.database import Database
from service.storage.tables.audit import AuditCheckpointRow, AuditEventRow, AuditLinkRow
from service.storage.transaction import Transactions

pytestmark = pytest.mark.anyio

KEY = b"k" * 32
ANYONE = Actor.anonymous()
OLD, YOUNG = 8, 4


@pytest.fixture
async def transactions(database: Database) -> Transactions:
    """Twelve sealed entries, of which eight are ten years old."""
    listeners = Listeners()
    listeners.within_sync(Event, record)
    on = Transactions(database, listeners)
    for number in range(OLD + YOUNG):
        at = now() - timedelta(days=3650 if number < OLD else 1, seconds=-number)
        one = Entry(
            id=uuid4(), at=microseconds(at), kind="read", site="default", account_id=None,
            key_id=None, address=None, object_kind="list", object_id=None, detail="{}",
        )  # fmt: skip
        async with database.begin() as connection:
            await connection.run_sync(repository.add, [one])
    await Trail(on, KEY, None).seal()
    return on


def year() -> timedelta:
    return timedelta(days=365)


async def links(database: Database) -> list[int]:
    async with database.connect() as connection:
        return list(await connection.scalars(select(AuditLinkRow.number).order_by("number")))


async def test_what_is_left_is_whole_and_says_that_it_was_cut(
    database: Database, transactions: Transactions
) -> None:
    before = await verify(transactions, KEY)
    assert await cut(transactions, KEY, ANYONE, now() - year()) == OLD
    assert await links(database) == [9, 10, 11, 12]
    async with database.connect() as connection:
        kinds = list(await connection.scalars(select(AuditEventRow.kind).order_by("at")))
    assert kinds == ["read"] * YOUNG + ["trail_cut"]
    # What was remembered of before is no contradiction.
    old, last = Anchor(number=3, hash="gone"), Anchor(number=12, hash=before.hash)
    found = await verify(transactions, KEY, (old, last))
    assert (found.broken, found.cut, found.links) == (None, OLD, OLD + YOUNG)
    await Trail(transactions, KEY, None).seal()
    assert (await verify(transactions, KEY, (last,))).broken is None
    assert await cut(transactions, KEY, ANYONE, now() - year()) == 0


async def test_the_last_link_stays_however_old(
    database: Database, transactions: Transactions
) -> None:
    assert await cut(transactions, KEY, ANYONE, now() + year()) == OLD + YOUNG - 1
    assert (await verify(transactions, KEY)).broken is None


async def test_nothing_can_be_removed_otherwise_before_or_after(
    database: Database, transactions: Transactions
) -> None:
    for _ in range(2):
        for row in (AuditEventRow, AuditLinkRow):
            with pytest.raises(DBAPIError, match="only ever added to"):
                async with database.engine.begin() as connection:
                    await connection.execute(delete(row))
        await cut(transactions, KEY, ANYONE, now() - year())


@pytest.mark.parametrize("change", ["removed", "moved", "invented"])
async def test_a_cut_that_nobody_with_the_key_has_made_is_told(
    database: Database, transactions: Transactions, change: str
) -> None:
    key = b"x" * 32 if change == "invented" else KEY
    await cut(transactions, key, ANYONE, now() - year())
    async with database.engine.begin() as connection:
        if change == "removed":
            await connection.execute(delete(AuditCheckpointRow))
        elif change == "moved":
            later = await connection.scalar(select(func.max(AuditLinkRow.number)))
            await connection.execute(update(AuditCheckpointRow).values(number=later))
    broken = (await verify(transactions, KEY)).broken
    assert broken is not None
    assert ("link 1 is removed" if change == "removed" else "checkpoint") in broken


async def test_large_trails_are_cut_piece_by_piece(
    database: Database, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.audit.cutting.PIECE", 3)
    assert await cut(transactions, KEY, ANYONE, now() - year()) == OLD
    async with database.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM audit_checkpoint")) == 1
    assert (await verify(transactions, KEY)).cut == OLD
