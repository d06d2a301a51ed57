"""A verb's transaction and those who join it: all is kept, or nothing is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from service.events import Event, Listeners
from service.identity.actor import Actor
from service.storage.database import Database
from service.storage.errors import ConflictError, StorageBusyError
from service.storage.transaction import Transaction, Transactions

pytestmark = pytest.mark.anyio

SAY = text("INSERT INTO toy VALUES (:said)")


@dataclass(frozen=True, kw_only=True)
class Said(Event):
    words: str


@dataclass(frozen=True, kw_only=True)
class Shouted(Said):
    pass


@pytest.fixture
async def toy(database: Database) -> Database:
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE toy (said VARCHAR(80) PRIMARY KEY)"))
    return database


async def rows(database: Database) -> list[str]:
    async with database.connect() as connection:
        return list(await connection.scalars(text("SELECT said FROM toy ORDER BY said")))


def say(words: str, kind: type[Said] = Said) -> Callable[[Transaction], Awaitable[str]]:
    async def work(transaction: Transaction) -> str:
        await transaction.connection.execute(SAY, {"said": words})
        await transaction.emit(kind(actor=Actor.anonymous(), words=words))
        return words

    return work


async def trail(connection: AsyncConnection, event: Said) -> None:
    await connection.execute(SAY, {"said": f"audit: {event.words}"})


async def test_listeners_write_in_the_events_own_transaction(toy: Database) -> None:
    listeners, told = Listeners(), list[str]()

    async def looks(connection: AsyncConnection, event: Said) -> None:
        # What the verb and the listener before wrote is there, and for nobody else yet.
        seen = await connection.scalars(text("SELECT said FROM toy ORDER BY said"))
        assert list(seen) == [f"audit: {event.words}", event.words]
        assert await rows(toy) == []

    listeners.within(Said, trail)
    listeners.within(Said, looks)
    listeners.afterwards(Said, lambda event: told.append(event.words))
    assert await Transactions(toy, listeners).write(say("hello")) == "hello"
    assert await rows(toy) == ["audit: hello", "hello"]
    assert told == ["hello"]


async def test_a_listener_that_fails_takes_everything_back(toy: Database) -> None:
    listeners, told = Listeners(), list[str]()

    async def fails(_: AsyncConnection, event: Said) -> None:
        raise RuntimeError(event.words)

    listeners.within(Said, trail)
    listeners.within(Said, fails)
    listeners.afterwards(Said, lambda event: told.append(event.words))
    with pytest.raises(RuntimeError, match="hello"):
        await Transactions(toy, listeners).write(say("hello"))
    assert await rows(toy) == []
    assert told == []
    # The connection went back to the pool fit for the next.
    await Transactions(toy).write(say("again"))
    assert await rows(toy) == ["again"]


async def test_a_listener_whose_statement_fails_is_storage_that_fails(toy: Database) -> None:
    listeners = Listeners()
    listeners.within(Said, trail)
    await Transactions(toy).write(say("audit: hello"))
    with pytest.raises(ConflictError):
        await Transactions(toy, listeners).write(say("hello"))
    assert await rows(toy) == ["audit: hello"]


async def test_what_is_tried_again_is_told_once(toy: Database) -> None:
    listeners, told, tries = Listeners(), list[str](), 0

    async def busy_at_first(_: AsyncConnection, __: Said) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StorageBusyError("in the way", 1)

    listeners.within(Said, busy_at_first)
    listeners.within(Said, trail)
    listeners.afterwards(Said, lambda event: told.append(event.words))
    await Transactions(toy, listeners).write(say("hello"))
    assert (tries, told) == (3, ["hello"])
    assert await rows(toy) == ["audit: hello", "hello"]


async def test_who_counts_cannot_undo_what_is_kept(
    toy: Database, caplog: pytest.LogCaptureFixture
) -> None:
    listeners, told = Listeners(), list[str]()

    def fails(event: Said) -> None:
        raise RuntimeError(event.words)

    listeners.afterwards(Said, fails)
    listeners.afterwards(Said, lambda event: told.append(event.words))
    await Transactions(toy, listeners).write(say("secret"))
    assert await rows(toy) == told == ["secret"]
    assert "bug" in caplog.text
    assert "secret" not in caplog.text


async def test_listeners_hear_of_their_own_events_and_kinds_of_them(toy: Database) -> None:
    listeners, told = Listeners(), list[str]()
    listeners.afterwards(Shouted, lambda event: told.append(event.words.upper()))
    listeners.afterwards(Said, lambda event: told.append(event.words))
    transactions = Transactions(toy, listeners)
    await transactions.write(say("a"))
    await transactions.write(say("b", Shouted))
    assert told == ["a", "B", "b"]


def trail_sync(connection: Connection, events: Sequence[Said]) -> None:
    connection.execute(SAY, [{"said": f"audit: {one.words}"} for one in events])


async def test_events_alone_are_written_and_told_together(toy: Database) -> None:
    listeners, told = Listeners(), list[str]()
    listeners.within_sync(Said, trail_sync)
    listeners.afterwards(Said, lambda event: told.append(event.words))
    transactions = Transactions(toy, listeners)
    nobody = Actor.anonymous()
    await transactions.emit(Said(actor=nobody, words="a"), Shouted(actor=nobody, words="b"))
    assert await rows(toy) == ["audit: a", "audit: b"]
    # One that is there already takes the other back too.
    with pytest.raises(ConflictError):
        await transactions.emit(Said(actor=nobody, words="c"), Said(actor=nobody, words="a"))
    assert await rows(toy) == ["audit: a", "audit: b"]
    assert told == ["a", "b"]
    # With rows of a verb's own it is the same listener.
    await transactions.write(say("d"))
    assert await rows(toy) == ["audit: a", "audit: b", "audit: d", "d"]


async def test_an_event_alone_is_refused_where_a_listener_would_miss_it(toy: Database) -> None:
    listeners = Listeners()
    listeners.within_sync(Said, trail_sync)
    listeners.within(Shouted, trail)
    transactions, nobody = Transactions(toy, listeners), Actor.anonymous()
    with pytest.raises(TypeError, match="Shouted has a listener that awaits"):
        await transactions.emit(Said(actor=nobody, words="a"), Shouted(actor=nobody, words="b"))
    assert await rows(toy) == []
