"""The chain: written with each act, sealed, verified; and each way to break it is named."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import sqlite3
from dataclasses import asdict, replace
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from service.audit import chain, repository
from service.audit.schemas import Entry
from service.audit.trail import ANCHOR, Trail, record
from service.audit.verify import Anchor, Verdict, verify
from service.events import Event, Listeners
from service.identity.actor import Actor
from service.identity.events import SignedIn
from service.settings import Settings
from service.storage.database import Database, database_url
from service.storage.transaction import Transactions

pytestmark = pytest.mark.anyio

KEY = b"k" * 32


def on(database: Database) -> Transactions:
    listeners = Listeners()
    listeners.within_sync(Event, record)
    return Transactions(database, listeners)


async def act(transactions: Transactions, count: int) -> None:
    for number in range(count):
        person = uuid4()
        event = SignedIn(actor=Actor(id=person, address="10.0.0.1"), person_id=person)
        # By either way that there is into the trail: with an act's own rows, or alone.
        if number % 2:
            await transactions.emit(event)
        else:
            await transactions.write(lambda transaction, event=event: transaction.emit(event))


@pytest.fixture
async def sealed(database: Database) -> Database:
    """A database with a trail of ten."""
    transactions = on(database)
    await act(transactions, 10)
    assert await Trail(transactions, KEY, None).seal() == 10
    return database


async def verdict(database: Database, key: bytes = KEY, *anchors: Anchor) -> Verdict:
    return await verify(Transactions(database), key, anchors)


def change(settings: Settings, *statements: str) -> None:
    """Change the trail as somebody would who owns the database: without its triggers."""
    engine = sa.create_engine(database_url(settings))
    with engine.begin() as connection:
        for table in ("audit_event", "audit_link"):
            if connection.dialect.name == "sqlite":
                for verb in ("update", "delete"):
                    connection.execute(sa.text(f"DROP TRIGGER {table}_{verb}"))
            else:
                connection.execute(sa.text(f"DROP TRIGGER {table}_kept ON {table}"))
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def of(number: int) -> str:
    return f"id = (SELECT event_id FROM audit_link WHERE number = {number})"  # noqa: S608 - an int


REMOVED = "DELETE FROM audit_event WHERE {}"
CHANGED = "UPDATE audit_event SET {} WHERE {}"


async def test_what_is_whole_is_said_to_be(sealed: Database) -> None:
    found = await verdict(sealed)
    assert (found.broken, found.links, found.unsealed) == (None, 10, 0)
    await act(on(sealed), 3)
    found = await verdict(sealed)
    assert (found.broken, found.links, found.unsealed) == (None, 10, 3)
    assert await Trail(on(sealed), KEY, None).seal() == 3
    assert (await verdict(sealed)).links == 13


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ([CHANGED.format("address = '10.0.0.2'", of(4))], "link 4.*changed"),
        ([CHANGED.format("at = at + 1", of(10))], "link 10.*changed"),
        ([CHANGED.format("key_id = account_id", of(1))], "link 1.*changed"),
        (["UPDATE audit_link SET hash = 'x' WHERE number = 5"], "link 5.*changed"),
        ([REMOVED.format(of(6))], "link 6.*removed"),
        (["DELETE FROM audit_link WHERE number = 6"], "link 6 is removed"),
        (["DELETE FROM audit_link WHERE number = 1"], "link 1 is removed"),
        (["DELETE FROM audit_link WHERE number > 8"], "tail is cut.*10.*8"),
        (
            [
                "DELETE FROM audit_event WHERE id IN "
                "(SELECT event_id FROM audit_link WHERE number > 8)",
                "DELETE FROM audit_link WHERE number > 8",
            ],
            "tail is cut",
        ),
        (["DELETE FROM audit_head"], "head is removed"),
        (["DELETE FROM audit_link WHERE number > 8", "UPDATE audit_head SET number = 8"], "head"),
        (
            [
                "UPDATE audit_link SET number = 99 WHERE number = 3",
                "UPDATE audit_link SET number = 3 WHERE number = 7",
                "UPDATE audit_link SET number = 7 WHERE number = 99",
            ],
            "link 3.*swapped.*link 7",
        ),
    ],
)  # fmt: skip
async def test_attack_34_each_way_to_break_it_is_named(
    settings: Settings, sealed: Database, statements: list[str], said: str
) -> None:
    change(settings, *statements)
    found = await verdict(sealed)
    assert found.broken is not None
    assert re.search(said, found.broken), found.broken


async def test_two_entries_whose_contents_were_swapped(
    settings: Settings, sealed: Database
) -> None:
    async with sealed.connect() as connection:
        links = await repository.links(connection, 0, 10)
    first, second = links[2].entry, links[5].entry
    assert first is not None
    assert second is not None
    engine = sa.create_engine(database_url(settings))
    change(settings)
    with engine.begin() as connection:
        for one, other in ((first, second), (second, first)):
            values = {name: it for name, it in asdict(other).items() if name != "id"}
            table = sa.Table("audit_event", sa.MetaData(), autoload_with=connection)
            plain = {
                name: it.hex if hasattr(it, "hex") and sealed.is_sqlite else it
                for name, it in values.items()
            }
            which = one.id.hex if sealed.is_sqlite else one.id
            connection.execute(sa.update(table).where(table.c.id == which).values(plain))
    engine.dispose()
    found = await verdict(sealed)
    assert found.broken is not None
    assert found.broken.startswith(f"link 3: entry {first.id} is swapped with entry {second.id}")


async def test_attack_35_a_chain_written_anew_without_the_key_is_found(
    settings: Settings, sealed: Database
) -> None:
    """Attack 35."""
    assert (await verdict(sealed, b"another key of thirty-two chars!")).broken is not None
    # With the key, but after the head was told elsewhere.
    whole = await verdict(sealed)
    kept = Anchor(number=whole.links, hash=whole.hash)
    assert (await verdict(sealed, KEY, kept)).broken is None
    change(
        settings,
        "DELETE FROM audit_link",
        "DELETE FROM audit_head",
        "UPDATE audit_event SET address = NULL WHERE at = (SELECT min(at) FROM audit_event)",
        "INSERT INTO audit_pending SELECT id FROM audit_event",
    )
    await Trail(on(sealed), KEY, None).seal()
    assert (await verdict(sealed)).broken is None
    found = await verdict(sealed, KEY, kept)
    assert found.broken == "link 10 is another one than was remembered"
    cut = await verdict(sealed, KEY, replace(kept, number=12))
    assert cut.broken == "the tail is cut: link 12 was there, the last one is 10"


@pytest.mark.parametrize("table", ["audit_event", "audit_link"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}"])
async def test_attack_34_the_database_itself_refuses(
    sealed: Database, table: str, statement: str
) -> None:
    """Attack 34."""
    column = "address = NULL" if table == "audit_event" else "hash = 'x'"
    with pytest.raises(DBAPIError, match="only ever added to"):
        async with sealed.engine.begin() as connection:
            await connection.execute(sa.text(statement.format(table, column)))
    assert (await verdict(sealed)).broken is None


def appends(settings: Settings, count: int) -> None:
    """Act and seal in a process of its own."""

    async def work() -> None:
        database = Database(settings)
        transactions = on(database)
        trail = Trail(transactions, KEY, None)
        for _ in range(count // 10):
            await act(transactions, 10)
            await trail.seal()
        await database.close()

    asyncio.run(work())


async def test_a32_six_processes_at_once_make_one_chain(settings: Settings) -> None:
    """Case A32."""
    database = Database(settings.model_copy(update={"storage_seconds": 60.0}))
    await database.migrate()
    patient = settings.model_copy(update={"storage_seconds": 60.0})
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=appends, args=(patient, 100)) for _ in range(6)]
    for one in processes:
        one.start()
    for one in processes:
        await asyncio.to_thread(one.join)
    assert [one.exitcode for one in processes] == [0] * 6
    await Trail(on(database), KEY, None).seal()
    found = await verdict(database)
    await database.close()
    assert (found.broken, found.links, found.unsealed) == (None, 600, 0)


async def test_fields_do_not_run_into_each_other() -> None:
    one = Entry(
        id=uuid4(), at=1, kind="read", site="ab", account_id=None, key_id=None, address=None,
        object_kind="c", object_id=None, detail="{}",
    )  # fmt: skip
    others = [
        replace(one, site="a", object_kind="bc"),
        replace(one, object_kind=None, object_id="c"),
        replace(one, address=""),
        replace(one, address="-"),
    ]
    hashes = {chain.link(KEY, 1, chain.START, each) for each in (one, *others)}
    assert len(hashes) == 5
    assert chain.link(KEY, 2, chain.START, one) not in hashes


async def test_where_the_chain_ends_is_remembered_beside_the_database(tmp_path: Path) -> None:
    database = Database(Settings(var=tmp_path))
    await database.migrate()
    await act(on(database), 4)
    file = tmp_path / ANCHOR
    await Trail(on(database), KEY, file).seal()
    kept = Anchor.read(file)
    await database.close()
    assert kept is not None
    with sqlite3.connect(tmp_path / "osteoserve.db") as connection:
        assert connection.execute("SELECT hash FROM audit_link WHERE number = 4").fetchone() == (
            kept.hash,
        )
