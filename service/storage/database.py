"""The engine: URL, connection habits of either database, and what state the schema is in.

SQLite runs in WAL mode with a busy timeout, and a migration takes its write lock at the start, so
that two fronts on one file wait for each other instead of failing half-way.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

import anyio.to_thread
from sqlalchemy import URL, create_engine, event, make_url, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from service.settings import Settings
from service.storage.errors import translated
from service.storage.migrations import Schema

RETRY_AFTER: Final = 2.0

SchemaState = Literal["current", "behind", "ahead"]


class Database:
    """One pool of connections; ``open`` migrates, ``close`` lets go."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.storage_seconds
        # The drivers' own limits come first, since they leave the connection usable.
        self._last_resort = settings.storage_seconds + 0.5
        self._url = database_url(settings)
        self._settings = settings
        self.engine = create_async_engine(
            self._url.set(drivername="sqlite+aiosqlite") if self.is_sqlite else self._url,
            hide_parameters=True,
            pool_pre_ping=True,
            **self._engine_arguments(),
        )
        if self.is_sqlite:
            _sqlite_habits(self.engine.sync_engine, "BEGIN")
        self._migrated = False

    @property
    def longest_wait(self) -> float:
        """Seconds for one statement's whole way, its turn included."""
        return 2 * self._last_resort

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def migrated(self) -> bool:
        return self._migrated

    async def migrate(self) -> None:
        """Bring the schema to head. Safe when several fronts start at once."""
        with translated(RETRY_AFTER):
            await anyio.to_thread.run_sync(self._migrate)
        self._migrated = True

    async def schema_state(self) -> SchemaState:
        """Ask the database, so that the answer also says that there is one."""
        async with self.connect() as connection:
            return await connection.run_sync(Schema.state)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        with translated(RETRY_AFTER):
            async with asyncio.timeout(self._last_resort), self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: all of it is written, or none."""
        with translated(RETRY_AFTER):
            async with asyncio.timeout(self._last_resort), self.engine.begin() as connection:
                yield connection

    async def close(self) -> None:
        await self.engine.dispose()

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

    def _migrate(self) -> None:
        if self._settings.database_url is None:
            self._settings.var.mkdir(parents=True, exist_ok=True)
        # Not the pool above: waiting for another front's migration may take longer than a request.
        arguments = {} if self.is_sqlite else {"connect_args": {"connect_timeout": 5}}
        engine = create_engine(self._url, hide_parameters=True, **arguments)
        try:
            if self.is_sqlite:
                _write_ahead(engine)
                _sqlite_habits(engine, "BEGIN IMMEDIATE")
            with engine.begin() as connection:
                _alone(connection)
                Schema.upgrade(connection)
        finally:
            engine.dispose()


def database_url(settings: Settings) -> URL:
    """Return the URL with its driver named; plain ``postgresql://`` means psycopg."""
    if settings.database_url is None:
        path = (settings.var / "osteoserve.db").resolve()
        return URL.create("sqlite", database=str(path))
    url = make_url(settings.database_url.get_secret_value())
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _alone(connection: Connection) -> None:
    """Hold other fronts off until this transaction ends. SQLite's BEGIN IMMEDIATE already does."""
    if connection.dialect.name == "postgresql":
        # Any number, as long as every front of every version takes the same.
        connection.execute(text("SELECT pg_advisory_xact_lock(7301142618)"))


def _sqlite_habits(engine: Any, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        # The driver would begin transactions behind our back, and too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _write_ahead(engine: Any) -> None:
    """Switch the file to WAL, once. SQLite does not queue for this, so ask again when locked."""
    for attempt in range(100):
        connection = sqlite3.connect(engine.url.database, timeout=1)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 99:
                raise OSError("SQLite cannot switch to write-ahead logging") from error
            time.sleep(0.05)
        finally:
            connection.close()
