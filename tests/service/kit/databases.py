"""Databases at the newest revision, copied instead of migrated anew: hundreds are opened here.

A migration takes a third of a second of a processor. ``tests/service/storage`` has databases with
nothing in them, and tests of migrating; whatever starts real processes begins with none as well.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from service.settings import Settings
from service.storage.database import Database, database_file, database_url


def lay(settings: Settings) -> None:
    """Put a migrated database where SQLite's file is to be and is not; do nothing elsewhere, nor
    where a test has put something in the folder's way."""
    file = database_file(database_url(settings))
    if file is None or file.exists() or file.parent.is_file():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_sqlite())


@contextmanager
def created(server: str, *, migrated: bool = False) -> Iterator[str]:
    """Yield the URL of a new database on the PostgreSQL ``server``, named by its URL.

    It is gone afterwards, whoever is still connected: each has hundreds of files.
    """
    name = _create(server, _postgres(server) if migrated else "template1")
    try:
        yield url(server, name)
    finally:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(name)))


def _create(server: str, template: str) -> str:
    name = f"t{uuid4().hex}"
    statement = "CREATE DATABASE {} TEMPLATE {}"
    with psycopg.connect(server, autocommit=True) as connection:
        if connection.info.server_version >= 150_000:
            # As before 15: in memory that is cheaper than by way of the log.
            statement += " STRATEGY FILE_COPY"
        names = sql.Identifier(name), sql.Identifier(template)
        connection.execute(sql.SQL(statement).format(*names))
    return name


def url(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


@cache
def _sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(var=Path(folder), database_url=None)
        _migrate(settings)
        # Whoever closes last has moved what the log held into the file.
        return (Path(folder) / "osteoserve.db").read_bytes()


@cache
def _postgres(server: str) -> str:
    """Return the name of a migrated database that nobody connects to."""
    name = _create(server, "template1")
    _migrate(Settings(database_url=url(server, name)))
    return name


def _migrate(settings: Settings) -> None:
    async def migrate() -> None:
        database = Database(settings)
        try:
            await database.migrate()
        finally:
            await database.close()

    # A thread of its own: the caller's may have a loop that runs.
    with ThreadPoolExecutor(1) as other:
        other.submit(asyncio.run, migrate()).result()
