"""The engine: URL, connection habits of either database, and what state the schema is in.

SQLite runs in WAL mode with a busy timeout, and whoever will write takes the write lock at the
start: one that reads first and writes then would be turned away by every other writer, however long
it is ready to wait. Writers of one front queue for it in the order they came, since SQLite itself
lets them race; two fronts on one file wait for each other. What only reads begins deferred, and
waits for nobody.

What is known from its beginning to its end (``read_sync``, ``write_sync``) is done on SQLite by one
thread in one go; elsewhere it takes the way of everything else.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import anyio.to_thread
from sqlalchemy import URL, create_engine, event, make_url, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from service.storage import column_keys
from service.storage.encryption import Encryption, attach
from service.storage.errors import (
    StorageBusyError,
    StorageError,
    StorageFullError,
    translated,
)
from service.storage.migrations import Schema
from service.storage.settings import StorageSettings
from service.storage.space import LEAST, Room
from service.storage.threaded import ThreadedEngine

RETRY_AFTER: Final = 2.0

SchemaState = Literal["current", "behind", "ahead"]
Table = Literal["prediction", "exam", "review", "heat_map", "batch", "lateral_points"]

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]
SyncWork = Callable[[Connection], T]

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.5
"""Seconds between tries of a transaction that others were in the way of."""

_WRITES: Final = "osteoserve_writes"
_UNREADABLE: Final = "osteoserve_unreadable"
_PAGE: Final = text("PRAGMA user_version = 0")
_TABLE: Final = text("CREATE TEMPORARY TABLE room ON COMMIT DROP AS SELECT repeat('room', 65536)")
"""The least that has to find room on the disk."""


class Database:
    """One pool of connections; ``open`` migrates, ``close`` lets go."""

    def __init__(
        self, settings: StorageSettings, unreadable: Callable[[Table], None] = lambda _: None
    ) -> None:
        """``unreadable`` is told of each row that cannot be read, by its table.

        Raises :class:`~service.storage.errors.KeysError`.
        """
        self.encryption = Encryption.of(settings)
        self._seconds = settings.storage_seconds
        # The drivers' own limits come first, since they leave the connection usable.
        self._last_resort = settings.storage_seconds + 0.5
        self._url = database_url(settings)
        self._settings = settings
        self.engine = create_async_engine(
            self._url.set(drivername="sqlite+aiosqlite") if self.is_sqlite else self._url,
            hide_parameters=True,
            pool_pre_ping=not self.is_sqlite,
            execution_options={_UNREADABLE: unreadable},
            **self._engine_arguments(),
        )
        # In memory there would be a database for each of its connections.
        self._threaded = None if self.file is None else self._in_threads(unreadable)
        self._engines: list[Engine] = [self.engine.sync_engine]
        if self._threaded is not None:
            self._engines.append(self._threaded.engine)
        for engine in self._engines:
            attach(engine.dialect, self.encryption)
            if self.is_sqlite:
                _sqlite_habits(engine, self._begin)
        if self.is_sqlite and self.encryption.ring is not None:
            # What stood in the clear is not left in pages that are free.
            self._always("PRAGMA secure_delete = ON")
        self._turn = asyncio.Lock()
        self._room = None if self.file is None else Room(self.file)
        self._full = False
        self._migrated = False

    @property
    def longest_wait(self) -> float:
        """Seconds for one write's whole way, its turn and other tries included."""
        return 2 * self._last_resort

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The database's file; None: in a server of its own, or in memory."""
        return database_file(self._url)

    @property
    def folder(self) -> Path | None:
        return None if self.file is None else self.file.parent

    @property
    def full(self) -> bool:
        """Whether there was no room for a write, and none has been found since."""
        return self._full

    @property
    def migrated(self) -> bool:
        return self._migrated

    async def migrate(self, back_to: str | None = None) -> None:
        """Bring the schema to head, or ``back_to`` a revision that an older version made.

        Safe when several fronts start at once. Raises
        :class:`~service.storage.errors.KeysError` where a key of encrypted columns is missing; the
        way back raises :class:`~service.storage.migrations.DowngradeError`.
        """
        with translated(RETRY_AFTER):
            await anyio.to_thread.run_sync(self._migrate_in_room, back_to)
        self._migrated = True

    async def schema_state(self) -> SchemaState:
        """Ask the database, so that the answer also says that there is one."""
        async with self.connect() as connection:
            return await connection.run_sync(Schema.state)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        with translated(RETRY_AFTER):
            async with asyncio.timeout(self._last_resort), self.engine.connect() as connection:
                await self._unlock(connection)
                yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: all of it is written, or none."""
        try:
            with translated(RETRY_AFTER):
                async with asyncio.timeout(self._last_resort), AsyncExitStack() as held:
                    if self.is_sqlite:
                        await held.enter_async_context(self._turn)
                    connection = await held.enter_async_context(self.engine.connect())
                    await connection.execution_options(**{_WRITES: True})
                    await held.enter_async_context(connection.begin())
                    await self._unlock(connection)
                    yield connection
        except StorageFullError:
            self._full = True
            raise

    async def read_sync(self, work: SyncWork[T]) -> T:
        """Return what ``work`` reads in one transaction."""
        if self._threaded is None:
            async with self.connect() as connection:
                return await connection.run_sync(work)
        with translated(RETRY_AFTER):
            async with asyncio.timeout(self._last_resort):
                return await self._threaded.run(partial(self._unlocked, work))

    async def write(self, work: Work[T], *, frees: bool = False) -> T:
        """Return what ``work`` does in a transaction that writes.

        Tried again while others are in its way, so ``work`` may be called several times. What
        ``frees`` room may use the room that is kept back for it.
        """

        async def once() -> T:
            async with self.begin() as connection:
                return await work(connection)

        return await self._in_room(once, frees)

    async def write_sync(self, work: SyncWork[T], *, frees: bool = False) -> T:
        """Return what ``work`` does, as :meth:`write` does.

        On SQLite it is written all the same where whoever asked has stopped waiting.
        """

        async def once() -> T:
            if self._threaded is None:
                async with self.begin() as connection:
                    return await connection.run_sync(work)
            return await self._write_threaded(self._threaded, work)

        return await self._in_room(once, frees)

    async def _write_threaded(self, threaded: ThreadedEngine, work: SyncWork[T]) -> T:
        try:
            with translated(RETRY_AFTER):
                async with asyncio.timeout(self._last_resort), self._turn:
                    return await threaded.run(partial(self._unlocked, work), **{_WRITES: True})
        except StorageFullError:
            self._full = True
            raise

    async def _in_room(self, once: Callable[[], Awaitable[T]], frees: bool) -> T:
        try:
            return await self._again(once)
        except StorageFullError:
            if not frees or self._room is None:
                raise
        await anyio.to_thread.run_sync(self._room.make_way)
        try:
            return await self._again(once)
        finally:
            await anyio.to_thread.run_sync(self._room.settle)
            await anyio.to_thread.run_sync(self._room.lay_aside)

    async def _again(self, once: Callable[[], Awaitable[T]]) -> T:
        end = time.monotonic() + self._seconds
        pause = _FIRST_PAUSE
        while True:
            try:
                return await once()
            except StorageBusyError:
                if time.monotonic() + pause >= end:
                    raise
            # Never as long as the other's, or both would meet again.
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secret
            pause = min(2 * pause, _LONGEST_PAUSE)

    def endure(self) -> None:
        """Have every commit survive a loss of power as well. Before the first connection."""
        if self.is_sqlite:
            self._always("PRAGMA synchronous = FULL")

    def _always(self, statement: str) -> None:
        """Have each connection begin with ``statement``. Before the first one."""

        def connected(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            cursor.execute(statement)
            cursor.close()

        for engine in self._engines:
            event.listen(engine, "connect", connected)

    async def look_for_room(self) -> None:
        """Find out by a small write whether there is room: ``full`` says so from then on."""
        if self._room is None and not self._full:
            # A server asked again and again would collect what its catalogues remember of it.
            return
        full = False
        if self._room is not None:
            with translated(RETRY_AFTER):
                await anyio.to_thread.run_sync(self._room.lay_aside)
                full = await anyio.to_thread.run_sync(self._room.left) < LEAST
        try:
            async with self.begin() as connection:
                await connection.execute(_PAGE if self.is_sqlite else _TABLE)
        except StorageFullError:
            full = True
        except StorageError:
            full = full or self._full
        self._full = full

    async def close(self) -> None:
        await self.engine.dispose()
        if self._threaded is not None:
            await self._threaded.close()

    async def _unlock(self, connection: AsyncConnection) -> None:
        """Read the key of encrypted columns, where there are keys and this has not been done."""
        if self.encryption.is_locked:
            await connection.run_sync(column_keys.unlock, self.encryption)

    def _unlocked(self, work: SyncWork[T], connection: Connection) -> T:
        if self.encryption.is_locked:
            column_keys.unlock(connection, self.encryption)
        return work(connection)

    def _begin(self, connection: Connection) -> Iterator[str]:
        if not connection.get_execution_options().get(_WRITES, False):
            yield "BEGIN"
            return
        pages = None if self._room is None else self._room.most_pages()
        if pages is not None:
            yield f"PRAGMA max_page_count = {pages}"
        yield "BEGIN IMMEDIATE"

    def _in_threads(self, unreadable: Callable[[Table], None]) -> ThreadedEngine:
        options = {_UNREADABLE: unreadable}
        url = self._url.set(drivername="sqlite")
        return ThreadedEngine(url, execution_options=options, **self._engine_arguments())

    def _engine_arguments(self) -> dict[str, Any]:
        if self.is_sqlite:
            return {"connect_args": {"timeout": self._seconds}}
        return {
            "pool_size": 10,
            "max_overflow": 0,
            "pool_timeout": self._seconds,
            "connect_args": {
                "connect_timeout": max(2, round(self._seconds)),
                "options": f"-c statement_timeout={round(self._seconds * 1000)}",
            },
        }

    def _migrate_in_room(self, back_to: str | None) -> None:
        try:
            with translated(RETRY_AFTER):
                self._migrate(back_to)
        except StorageFullError:
            if self._room is None:
                raise
            self._room.make_way()
            self._migrate(back_to)
        if self._room is not None:
            self._room.lay_aside()

    def _migrate(self, back_to: str | None) -> None:
        if self._settings.database_url is None:
            self._settings.var.mkdir(parents=True, exist_ok=True)
        # Not the pool above: waiting for another front's migration may take longer than a request.
        arguments = {} if self.is_sqlite else {"connect_args": {"connect_timeout": 5}}
        engine = create_engine(self._url, hide_parameters=True, **arguments)
        try:
            if self.is_sqlite:
                _write_ahead(engine)
                _sqlite_habits(engine, lambda _: ["BEGIN IMMEDIATE"])
            with engine.begin() as connection:
                _alone(connection)
                if back_to is None:
                    Schema.upgrade(connection)
                    column_keys.settle(connection, self.encryption)
                else:
                    Schema.downgrade(connection, back_to)
        finally:
            engine.dispose()


def unreadable(connection: AsyncConnection, table: Table) -> None:
    """Tell whoever wants to know it of a row of ``table`` that cannot be read."""
    if connection.sync_connection is not None:
        connection.sync_connection.get_execution_options()[_UNREADABLE](table)


def database_url(settings: StorageSettings) -> URL:
    """Return the URL with its driver named; plain ``postgresql://`` means psycopg."""
    if settings.database_url is None:
        path = (settings.var / "osteoserve.db").resolve()
        return URL.create("sqlite", database=str(path))
    url = make_url(settings.database_url.get_secret_value())
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def database_file(url: URL) -> Path | None:
    """Return the file that ``url`` names, where it is SQLite and not in memory."""
    name = url.database
    is_file = url.get_backend_name() == "sqlite" and name not in (None, "", ":memory:")
    return Path(str(name)) if is_file else None


def _alone(connection: Connection) -> None:
    """Hold other fronts off until this transaction ends. SQLite's BEGIN IMMEDIATE already does."""
    if connection.dialect.name == "postgresql":
        # Any number, as long as every front of every version takes the same.
        connection.execute(text("SELECT pg_advisory_xact_lock(7301142618)"))


def _sqlite_habits(engine: Any, begin: Callable[[Connection], Iterable[str]]) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        # The driver would begin transactions behind our back, and too late.
        connection.isolation_level = None
        # Its own knows the capitals of ASCII alone, and references have others.
        connection.create_function("lower", 1, _lower, deterministic=True)
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = NORMAL")
        # A full folder for temporary files must not keep a list from being sorted.
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        for statement in begin(connection):
            connection.exec_driver_sql(statement)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _write_ahead(engine: Any) -> None:
    """Switch the file to WAL, once. SQLite does not queue for this, so ask again when locked."""
    for attempt in range(100):
        connection = sqlite3.connect(engine.url.database, timeout=1)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 99:
                raise
            time.sleep(0.05)
        finally:
            connection.close()
