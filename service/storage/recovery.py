"""A damaged SQLite file: finding out, and copying what can still be read into a new one.

The damaged file is only ever read from a copy, and kept under another name. The new one is made by
our own migrations, as far as the old one had come, and gets the old one's rows, each by itself.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine
from sqlalchemy.engine import URL

from service.storage.migrations import Schema
from service.storage.space import PAGE

LOOK_SECONDS: Final = 2.0
"""How long a start may look for damage: enough for some hundred megabytes."""

_SHARED: Final = (0x40000002, 510)
"""The bytes that SQLite locks in a file that it has open."""


class RecoveryError(Exception):
    """Nothing was changed; the message says why."""


@dataclass(frozen=True)
class Copied:
    table: str
    rows: int
    lost: int


@dataclass(frozen=True)
class Recovery:
    """What became of each table, and where the damaged file is kept."""

    tables: tuple[Copied, ...]
    aside: Path


def damage(file: Path, seconds: float | None = LOOK_SECONDS) -> str | None:
    """Return what SQLite finds wrong with ``file``; None: nothing, or nothing in ``seconds``."""
    if not file.is_file() or not file.stat().st_size:
        return None
    end = None if seconds is None else time.monotonic() + seconds
    check = "quick_check(1)" if seconds is not None else "integrity_check"
    with closing(sqlite3.connect(file, timeout=1)) as connection:
        connection.set_progress_handler(
            lambda: int(end is not None and time.monotonic() > end), 10_000
        )
        try:
            said = [str(line) for (line,) in connection.execute(f"PRAGMA {check}")]
        except sqlite3.DatabaseError as error:
            bad = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
            return str(error) if bad else None
    return None if said == ["ok"] else " ".join(said[0].split())


def recover(file: Path) -> Recovery:
    """Put a new file with all rows that can be read in the place of ``file``.

    Raises :class:`RecoveryError`.
    """
    if not file.is_file():
        raise RecoveryError(f"There is no {file}.")
    with nobody_else(file), _workplace(file) as folder:
        old, new = folder / "old.db", folder / "new.db"
        try:
            shutil.copyfile(file, old)
            with suppress(FileNotFoundError):
                shutil.copyfile(_beside(file, "-wal"), _beside(old, "-wal"))
            _mend_header(old)
            tables = _copied(old, new)
        except (sqlite3.Error, OSError) as error:
            raise RecoveryError(f"Nothing can be read of {file}: {error}.") from error
        aside = file.with_name(f"{file.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                _beside(file, suffix).rename(_beside(aside, suffix))
        new.rename(file)
    return Recovery(tables, aside)


def _copied(old: Path, new: Path) -> tuple[Copied, ...]:
    with closing(sqlite3.connect(old)) as source:
        # What is no text any more is still a row.
        source.text_factory = lambda data: data.decode("utf-8", "replace")
        revision = _revision(source)
        _make(new, revision)
        with closing(sqlite3.connect(new)) as target:
            counts = [_copy(source, target, table) for table in _tables(target)]
            orphans = _without_orphans(target)
            target.commit()
            # Nothing is left in a log that would have to move along.
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
    return tuple(
        Copied(name, rows - orphans.get(name, 0), lost + orphans.get(name, 0))
        for name, rows, lost in counts
    )


def _revision(source: sqlite3.Connection) -> str:
    """Return how far our migrations had come. Raises :class:`RecoveryError`."""
    if ("prediction",) not in source.execute("SELECT name FROM sqlite_schema").fetchall():
        raise RecoveryError("The file holds no results of ours.")
    rows = []
    # Where its table is damaged: the newest version's tables hold what older ones held.
    with suppress(sqlite3.DatabaseError):
        rows = source.execute("SELECT version_num FROM alembic_version").fetchall()
    revision = str(rows[0][0]) if rows else Schema.head()
    if not Schema.knows(revision):
        raise RecoveryError("A newer version has written the file; recover it with that one.")
    return revision


def _make(file: Path, revision: str) -> None:
    engine = create_engine(URL.create("sqlite", database=str(file)))
    try:
        with engine.begin() as connection:
            Schema.upgrade(connection, revision)
    finally:
        engine.dispose()


def _tables(target: sqlite3.Connection) -> list[str]:
    """Return the tables that our migrations made, as far as they had come."""
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'alembic_version'"
    return sorted(name for (name,) in target.execute(query))


def _copy(
    source: sqlite3.Connection, target: sqlite3.Connection, table: str
) -> tuple[str, int, int]:
    """Copy one table; return its name, and how many rows were copied and lost."""
    columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
    with suppress(sqlite3.DatabaseError):
        there = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
        columns = [name for name in columns if name in there]
    if not columns:
        return table, 0, 0
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join("?" * len(columns))
    rows = lost = 0
    for row in _rows(source, table, names):
        try:
            if row is not None:
                target.execute(
                    f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - ours
                    row,
                )
                rows += 1
                continue
        except sqlite3.IntegrityError:
            pass
        lost += 1
    return table, rows, lost


def _rows(source: sqlite3.Connection, table: str, names: str) -> Iterator[Sequence[Any] | None]:
    """Yield each row of a table once; None for one that is known of and cannot be read.

    From the beginning as far as that goes, then from the end, then those in between one by one.
    """
    every = f"SELECT rowid, {names} FROM {table}"  # noqa: S608 - ours
    read: set[int] = set()
    for order in ("ASC", "DESC"):
        try:
            for rowid, *row in source.execute(f"{every} ORDER BY rowid {order}"):
                if rowid in read:
                    return
                read.add(rowid)
                yield row
        except sqlite3.DatabaseError:
            continue
        return
    for rowid in sorted(_known(source, table) - read):
        try:
            found = source.execute(f"{every} WHERE rowid = ?", (rowid,)).fetchone()
        except sqlite3.DatabaseError:
            yield None
        else:
            if found is not None:
                yield found[1:]


def _known(source: sqlite3.Connection, table: str) -> set[int]:
    """Return the numbers of all rows that any index of ``table`` knows."""
    known: set[int] = set()
    with suppress(sqlite3.DatabaseError):
        for _, index, *_rest in source.execute(f"PRAGMA index_list({table})").fetchall():
            with suppress(sqlite3.DatabaseError):
                column = source.execute(f'PRAGMA index_info("{index}")').fetchone()[2]
                query = f'SELECT rowid FROM {table} INDEXED BY "{index}" ORDER BY "{column}"'  # noqa: S608 - names of its own catalogue
                for (rowid,) in source.execute(query):
                    known.add(rowid)
    return known


def _without_orphans(target: sqlite3.Connection) -> dict[str, int]:
    """Let rows go that nothing leads to any more; return how many of each table."""
    gone: dict[str, int] = {}
    # What goes may itself have been somebody's own.
    while found := target.execute("PRAGMA foreign_key_check").fetchall():
        for table, rowid, parent, _ in found:
            if not _let_go_of(target, table, rowid, parent):
                target.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608 - ours
                gone[table] = gone.get(table, 0) + 1
    there = _tables(target)
    for table, key, child, reference in _REACHED_BY:
        if table in there and child in there:
            named = f"SELECT {reference} FROM {child} WHERE {reference} IS NOT NULL"  # noqa: S608 - ours
            done = target.execute(f"DELETE FROM {table} WHERE {key} NOT IN ({named})")  # noqa: S608 - ours
            gone[table] = gone.get(table, 0) + done.rowcount
    return gone


_REACHED_BY: Final = (
    ("canonical_image", "id", "prediction", "canonical_image_id"),
    ("sent_image", "image_id", "prediction", "image_id"),
    ("image", "id", "prediction", "image_id"),
    ("exam", "id", "image", "exam_id"),
    ("patient", "key", "exam", "patient_key"),
    ("ct_series", "exam_id", "exam", "id"),
    ("ct_slice", "exam_id", "ct_series", "exam_id"),
)
"""What is kept only as long as something names it."""


def _let_go_of(target: sqlite3.Connection, table: str, rowid: int, parent: str) -> bool:
    """Forget a parent that could not be read; False where the row is nothing without it."""
    columns = target.execute(f"PRAGMA table_info({table})").fetchall()
    needed = {name for _, name, _, is_needed, *_ in columns if is_needed}
    keys = target.execute(f"PRAGMA foreign_key_list({table})").fetchall()
    named = [column for _, _, other, column, *_ in keys if other == parent]
    if not needed.isdisjoint(named):
        return False
    # Facts say something without their patient, and a line without its result.
    for column in named:
        target.execute(
            f"UPDATE {table} SET {column} = NULL WHERE rowid = ?",  # noqa: S608 - ours
            (rowid,),
        )
    return True


_MAGIC: Final = b"SQLite format 3\0"


def _mend_header(copy: Path) -> None:
    """Write the file's first hundred bytes anew where they are not those of a database."""
    with copy.open("r+b") as file:
        if file.read(len(_MAGIC)) == _MAGIC:
            return
        pages = copy.stat().st_size // PAGE
        file.seek(0)
        file.write(
            _MAGIC
            + struct.pack(">H6B", PAGE, 2, 2, 0, 64, 32, 32)
            + struct.pack(">12I20s2I", 1, pages, 0, 0, 1, 4, 0, 0, 1, 0, 0, 0, b"", 1, 3_040_000)
        )


@contextmanager
def nobody_else(file: Path) -> Iterator[None]:
    """Make sure that no front has ``file`` open, as far as the system can tell."""
    try:
        import fcntl  # noqa: PLC0415 - not everywhere
    except ImportError:
        yield
        return
    start, length = _SHARED
    try:
        held = file.open("r+b")
    except OSError as error:
        raise RecoveryError(f"{file} may not be written: {error.strerror}.") from None
    with held:
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        except OSError:
            raise RecoveryError("A front has the database open; stop it first.") from None
        yield


@contextmanager
def _workplace(file: Path) -> Iterator[Path]:
    """A folder beside ``file``, so that what is made in it can be moved to its place."""
    try:
        folder = tempfile.mkdtemp(prefix="recovering-", dir=file.parent)
    except OSError as error:
        raise RecoveryError(f"No room beside the file: {os.strerror(error.errno or 0)}.") from None
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)
