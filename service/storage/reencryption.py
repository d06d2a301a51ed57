"""Bringing what is kept to what the settings say of encryption, row by row, beside running fronts.

Rows that are as they should be are not among those asked for, so that a run that was broken off
goes on where it was, and one that is begun twice does nothing the second time. What no key opens is
left as it is and counted.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Row,
    Table,
    Text,
    and_,
    delete,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage import column_keys
from service.storage.database import Database
from service.storage.encryption import SEALED, UNOPENED, Encryption, of
from service.storage.errors import KeysError
from service.storage.tables.columns import Cell
from service.storage.tables.exams import ExamRow
from service.storage.tables.ledger import (
    ArrivalRow,
    CaseResultRow,
    DeliveryRow,
    PullRow,
    WorkitemRow,
)
from service.storage.tables.patients import MergeRow, PatientRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.retention import HoldRow

AT_ONCE: Final = 50
"""Rows of one transaction."""

Values = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """A table with something that is encrypted, and how a row of it is written anew."""

    table: Table
    sealed: tuple[str, ...]
    """Columns of ciphertext."""
    plain: str | None
    """The column that says that there is something to encrypt; None: the bytes themselves."""
    anew: Callable[[Encryption, Row[Any]], Values | None]
    """Return a row's values; None where no key opens it."""

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.plain or self.sealed[0]}"

    @property
    def read(self) -> tuple[Any, ...]:
        """What a row is written anew by, and no image or document beside it."""
        named = {*self.sealed, self.plain, "site", "issuer", "into_identifier"}
        return tuple(
            column for column in self.table.columns if column.primary_key or column.name in named
        )

    @property
    def key(self) -> tuple[Any, ...]:
        return tuple(self.table.primary_key.columns)


@dataclass(frozen=True)
class Progress:
    """How far a column has come: rows done in this run, left to do, and opened by no key."""

    what: str
    done: int
    left: int
    lost: int


async def reencrypt(database: Database, at_once: int = AT_ONCE) -> AsyncIterator[Progress]:
    """Yield each column's progress after each transaction.

    Raises :class:`~service.storage.errors.KeysError` where there are no keys.
    """
    encryption = database.encryption
    _first(encryption)
    whole = True
    for kept in KEPT:
        done = lost = 0
        after: tuple[Any, ...] | None = None
        async with database.connect() as connection:
            left = await _count(connection, kept)
        while True:
            found = await database.write(partial(_some, kept=kept, after=after, most=at_once))
            done, lost, after = done + found.done, lost + found.lost, found.last
            left -= found.done + found.lost
            if after is None:
                break
            yield Progress(kept.name, done, left, lost)
        # Others may have written meanwhile.
        async with database.connect() as connection:
            left = await _count(connection, kept) - lost
        yield Progress(kept.name, done, left, lost)
        whole = whole and left == 0 and lost == 0
    if whole:
        await database.write(lambda on: on.run_sync(column_keys.conclude, encryption))
    if database.is_sqlite:
        # What stood in the clear is in the log as well until that begins anew.
        async with database.connect() as connection:
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


@dataclass(frozen=True)
class _Some:
    done: int
    lost: int
    last: tuple[Any, ...] | None


async def _some(
    connection: AsyncConnection, kept: Kept, after: tuple[Any, ...] | None, most: int
) -> _Some:
    encryption = of(connection)
    beyond = tuple_(*kept.key) > after if after is not None else literal(True)
    statement = (
        select(*kept.read)
        .where(_due(kept, encryption), beyond)
        .order_by(*kept.key)
        .limit(most)
        .with_for_update()
    )
    rows = (await connection.execute(statement)).all()
    done = 0
    for row in rows:
        values = kept.anew(encryption, row)
        if values is None:
            continue
        if kept.table is PatientRow.__table__ and await _joined(connection, row, values):
            done += 1
            continue
        this = and_(*(column == getattr(row, column.name) for column in kept.key))
        await connection.execute(update(kept.table).where(this).values(values))
        done += 1
    if len(rows) < most:
        return _Some(done, len(rows) - done, None)
    return _Some(
        done, len(rows) - done, tuple(getattr(rows[-1], column.name) for column in kept.key)
    )


async def _joined(connection: AsyncConnection, row: Row[Any], values: Values) -> bool:
    """Have exams and holds of ``row`` be those of the same patient's other row, if there is one.

    A front that has no keys makes such a row beside one that encrypts.
    """
    other = await connection.scalar(
        select(PatientRow.key).where(
            PatientRow.identifier == values["identifier"],
            PatientRow.issuer == row.issuer,
            PatientRow.site == row.site,
            PatientRow.key != row.key,
        )
    )
    if other is None:
        return False
    for statement in (
        update(ExamRow).where(ExamRow.patient_key == row.key).values(patient_key=other),
        update(HoldRow)
        .where(HoldRow.object_id == row.key, HoldRow.object_kind == "patient")
        .values(object_id=other),
        delete(PatientRow).where(PatientRow.key == row.key),
    ):
        await connection.execute(statement)
    return True


async def _count(connection: AsyncConnection, kept: Kept) -> int:
    statement = select(func.count()).select_from(kept.table).where(_due(kept, of(connection)))
    return int(await connection.scalar(statement) or 0)


def _first(encryption: Encryption) -> str:
    """Return the name of the key that encrypts."""
    if encryption.ring is None:
        raise KeysError("OSTEOSERVE_COLUMN_KEYS names no file of keys: nothing is encrypted.")
    return encryption.ring.first


def _due(kept: Kept, encryption: Encryption) -> ColumnElement[bool]:
    """Return that a row is not as the settings have it."""
    columns = [kept.table.c[name] for name in kept.sealed]
    if kept.plain is None:
        (column,) = columns
        begins = SEALED + (_first(encryption).encode() if encryption.is_on else b"")
        head = func.substr(type_coerce(column, LargeBinary()), 1, len(begins), type_=LargeBinary())
        is_sealed = head == begins
        return and_(column.is_not(None), not_(is_sealed) if encryption.is_on else is_sealed)
    if not encryption.is_on:
        return or_(false(), *(column.is_not(None) for column in columns))
    older = or_(
        false(),
        *(not_(type_coerce(one, Text()).startswith(f"1.{_first(encryption)}.")) for one in columns),
    )
    # With a row's ciphertext in place the column beside it is an index or empty.
    is_open = and_(kept.table.c[kept.plain].is_not(None), columns[0].is_(None))
    return or_(is_open, older)


def _patient(encryption: Encryption, row: Row[Any]) -> Values | None:
    identifier = _text(row.identifier, row.identifier_sealed)
    if identifier is None:
        return None
    return {
        "identifier": encryption.kept_as(row.site, identifier),
        "identifier_sealed": _cell(encryption, identifier, row.key),
    }


def _merge(encryption: Encryption, row: Row[Any]) -> Values | None:
    former = _text(row.identifier, row.identifier_sealed)
    into = _text(row.into_identifier, row.into_sealed)
    if former is None or into is None:
        return None
    kept = encryption.kept_as(row.site, former)
    named = (row.site, row.issuer, kept)
    return {
        "identifier": kept,
        "identifier_sealed": _cell(encryption, former, *named),
        "into_identifier": encryption.kept_as(row.site, into),
        "into_sealed": _cell(encryption, into, *named),
    }


def _file_name(encryption: Encryption, row: Row[Any]) -> Values | None:
    name = _text(row.file_name, row.file_name_sealed)
    if name is None:
        return None
    return {
        "file_name": None if encryption.is_on else name,
        "file_name_sealed": _cell(encryption, name, row.id),
    }


def _arrival(encryption: Encryption, row: Row[Any]) -> Values | None:
    patient = _text(row.patient, row.patient_sealed)
    if patient is None:
        return None
    identifier, _, issuer = patient.partition("\\")
    return {
        "patient": f"{encryption.kept_as(row.site, identifier)}\\{issuer}",
        "patient_sealed": _cell(encryption, patient, row.id),
    }


def _question(encryption: Encryption, row: Row[Any]) -> Values | None:
    if row.question_sealed is UNOPENED:
        return None
    question = row.question if row.question_sealed is None else json.loads(row.question_sealed)
    return {
        "question": {} if encryption.is_on else question,
        "question_sealed": _cell(encryption, json.dumps(question), row.id),
    }


def _bytes(column: str, key: str) -> Callable[[Encryption, Row[Any]], Values | None]:
    def anew(_: Encryption, row: Row[Any]) -> Values | None:
        data = getattr(row, column)
        return None if data is UNOPENED else {column: Cell.of(data, getattr(row, key))}

    return anew


def _text(kept: str | None, opened: Any) -> str | None:
    """Return the text of a row; None where no key opens it."""
    if opened is None:
        return kept
    return None if opened is UNOPENED else str(opened)


def _cell(encryption: Encryption, value: str, *row: str | UUID) -> Cell | None:
    return Cell.of(value, *row) if encryption.is_on else None


def _table(kind: Any) -> Table:
    table: Table = kind.__table__
    return table


KEPT: Final = (
    Kept(_table(PatientRow), ("identifier_sealed",), "identifier", _patient),
    Kept(_table(MergeRow), ("identifier_sealed", "into_sealed"), "identifier", _merge),
    Kept(_table(PredictionRow), ("file_name_sealed",), "file_name", _file_name),
    Kept(_table(ArrivalRow), ("patient_sealed",), "patient", _arrival),
    Kept(_table(ArrivalRow), ("data",), None, _bytes("data", "id")),
    Kept(_table(CaseResultRow), ("data",), None, _bytes("data", "sop_uid")),
    Kept(_table(DeliveryRow), ("message",), None, _bytes("message", "id")),
    Kept(_table(PullRow), ("question_sealed",), "question", _question),
    Kept(_table(WorkitemRow), ("document",), None, _bytes("document", "id")),
)
"""All that is encrypted."""
