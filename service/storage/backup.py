"""Saving the database to a file and putting a saved one in its place.

SQLite is saved by ``VACUUM INTO``, PostgreSQL by ``pg_dump``: both write what one moment held,
beside running fronts. A manifest beside the file says what it is and where the trail ended. On the
way back what was there is kept under another name, and put back where anything fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import URL, NullPool, create_engine, text

from service.storage.database import database_file, database_url
from service.storage.migrations import Schema
from service.storage.recovery import RecoveryError, damage, nobody_else
from service.storage.settings import StorageSettings

VERSION: Final = 1
ASIDE: Final = "before_restore_"
"""What a schema that made way for a restored one is called."""


class BackupError(Exception):
    """Nothing was changed; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a saved file is."""

    database: Literal["sqlite", "postgresql"]
    made_at: str
    revision: str
    sha256: str
    bytes: int
    audit_number: int
    """Of the trail's last link when it was saved, with its hash: a later one may be in it too."""
    audit_hash: str
    version: int = VERSION


def manifest_of(file: Path) -> Path:
    return file.with_name(file.name + ".json")


def save(settings: StorageSettings, target: Path) -> Manifest:
    """Write the database to ``target``, which is not there yet, and a manifest beside it.

    Raises :class:`BackupError`.
    """
    if target.exists() or manifest_of(target).exists():
        raise BackupError(f"{target} is there already.")
    url = database_url(settings)
    number, hash, revision = _state(url)
    try:
        # For its owner alone from the first byte on.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            if url.get_backend_name() == "sqlite":
                _vacuum(url, target)
            else:
                _tool("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges",
                      f"--exclude-schema={ASIDE}*", f"--file={target}")  # fmt: skip
            manifest = Manifest(
                database="sqlite" if url.get_backend_name() == "sqlite" else "postgresql",
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                revision=revision,
                sha256=_digest(target),
                bytes=target.stat().st_size,
                audit_number=number,
                audit_hash=hash,
            )
            with _new(manifest_of(target)) as file:
                file.write(json.dumps(asdict(manifest), indent=1).encode())
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {os.strerror(error.errno or 0)}.") from None
    return manifest


def read(file: Path) -> Manifest:
    """Return what ``file`` is, and that it is whole. Raises :class:`BackupError`."""
    try:
        found = json.loads(manifest_of(file).read_bytes())
        manifest = Manifest(**found)
        whole = file.stat().st_size == manifest.bytes and _digest(file) == manifest.sha256
    except FileNotFoundError as error:
        raise BackupError(f"There is no {error.filename}.") from None
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {os.strerror(error.errno or 0)}.") from None
    except (ValueError, TypeError):
        raise BackupError(f"{manifest_of(file)} is no manifest of a backup.") from None
    if manifest.version != VERSION or not Schema.knows(manifest.revision):
        raise BackupError("A newer version has made the backup; restore it with that one.")
    if not whole:
        raise BackupError(f"{file} is not what was saved: its hash is another one.")
    return manifest


def has_data(settings: StorageSettings) -> bool:
    """Whether there is anything that a restore would put aside. Raises :class:`BackupError`."""
    url = database_url(settings)
    file = database_file(url)
    if file is not None and not file.is_file():
        return False
    with _engine(url).connect() as connection:
        tables = _tables(connection)
        return any(
            connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() is not None  # noqa: S608 - ours
            for name in ("prediction", "person", "api_key", "ledger_arrival")
            if name in tables
        )


@contextmanager
def restored(settings: StorageSettings, source: Path, manifest: Manifest) -> Iterator[URL]:
    """Make ``source`` the database, and give the URL at which it is to be looked at.

    Where the body raises, all is as it was before. Raises :class:`BackupError`.
    """
    url = database_url(settings)
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite != (manifest.database == "sqlite"):
        raise BackupError(f"The backup is of {manifest.database}, and the database is another.")
    if is_sqlite:
        file = database_file(url)
        if file is None:
            raise BackupError("A database in memory cannot be restored.")
        with _in_place_of(file, source) as made:
            yield made
        return
    with _schema_aside(url) as engine_url:
        _tool("pg_restore", engine_url, "--no-owner", "--no-privileges", "--exit-on-error",
              "--single-transaction", str(source))  # fmt: skip
        yield engine_url


@contextmanager
def _in_place_of(file: Path, source: Path) -> Iterator[URL]:
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_name(f".{file.name}.restoring")
    try:
        with contextlib.ExitStack() as held:
            if file.is_file():
                held.enter_context(nobody_else(file))
            _clear(made)
            with source.open("rb") as old, _new(made) as new:
                shutil.copyfileobj(old, new)
            said = damage(made, None)
            if said is not None:
                raise BackupError(f"The backup is damaged: {said}.")
            yield URL.create("sqlite", database=str(made))
            with closing(sqlite3.connect(made)) as connection:
                # Nothing is left in a log that would have to move along.
                connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            aside = file.with_name(f"{file.name}.before-restore-{_stamp()}")
            for suffix in ("-wal", "-shm", ""):
                with contextlib.suppress(FileNotFoundError):
                    _beside(file, suffix).rename(_beside(aside, suffix))
            made.rename(file)
    except RecoveryError as error:
        raise BackupError(str(error)) from None
    except OSError as error:
        raise BackupError(f"{file}: {os.strerror(error.errno or 0)}.") from None
    finally:
        _clear(made)


@contextmanager
def _schema_aside(url: URL) -> Iterator[URL]:
    aside = f"{ASIDE}{_stamp().lower()}"
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            # Whoever is in a transaction ends it first; those after it meet the restored tables.
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text(f"ALTER SCHEMA public RENAME TO {aside}"))
            connection.execute(text("CREATE SCHEMA public"))
        try:
            yield url
        except BaseException:
            with engine.begin() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text(f"ALTER SCHEMA {aside} RENAME TO public"))
            raise
        with engine.begin() as connection:
            empty = connection.execute(
                text("SELECT 1 FROM pg_tables WHERE schemaname = :name LIMIT 1"), {"name": aside}
            ).first()
            if empty is None:
                connection.execute(text(f"DROP SCHEMA {aside} CASCADE"))
    finally:
        engine.dispose()


def _state(url: URL) -> tuple[int, str, str]:
    """Return number and hash of the trail's last link, and the revision of the schema."""
    file = database_file(url)
    if file is not None and not file.is_file():
        raise BackupError(f"There is no {file}.")
    with _engine(url).connect() as connection:
        if "alembic_version" not in _tables(connection):
            raise BackupError("The database holds nothing of ours.")
        revision = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
        if revision != Schema.head():
            raise BackupError("The database is not of this version: migrate first.")
        row = connection.execute(
            text("SELECT number, hash FROM audit_link ORDER BY number DESC LIMIT 1")
        ).first()
    return (0, "", revision) if row is None else (int(row[0]), str(row[1]), revision)


def _tables(connection: Any) -> set[str]:
    is_sqlite = connection.dialect.name == "sqlite"
    names = (
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
        if is_sqlite
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    return set(connection.execute(text(names)).scalars())


def _engine(url: URL) -> Any:
    """Return an engine that keeps no connection."""
    arguments = {} if url.get_backend_name() == "sqlite" else {"connect_timeout": 5}
    return create_engine(url, hide_parameters=True, poolclass=NullPool, connect_args=arguments)


def _vacuum(url: URL, target: Path) -> None:
    with closing(sqlite3.connect(str(url.database), timeout=60)) as connection:
        try:
            connection.execute("VACUUM INTO ?", (str(target),))
        except sqlite3.Error as error:
            raise BackupError(f"The database cannot be saved: {error}.") from None


def _tool(name: str, url: URL, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs; the password goes where no process list shows it."""
    if shutil.which(name) is None:
        raise BackupError(
            f"{name} is not here: it comes with PostgreSQL's clients, of the server's version or "
            "later."
        )
    told = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = dict(os.environ)
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    done = subprocess.run(  # noqa: S603 - no shell, and the arguments are ours
        [name, *arguments, f"--dbname={told}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise BackupError(f"{name} failed: {said}")


def _digest(file: Path) -> str:
    with file.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()


@contextmanager
def _new(file: Path) -> Iterator[Any]:
    """Open a new file that its owner alone can read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
        yield made
        made.flush()
        os.fsync(made.fileno())


def _clear(file: Path) -> None:
    for suffix in ("-wal", "-shm", "-journal", ""):
        _beside(file, suffix).unlink(missing_ok=True)


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dt%H%M%S%fz}"
