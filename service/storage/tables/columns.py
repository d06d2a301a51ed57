"""What all tables share: their base, the types of their columns, and the site of a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    DateTime,
    Dialect,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    Uuid,
    cast,
    func,
    literal_column,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from service.identity.actor import DEFAULT_SITE
from service.storage.encryption import SEALED, of_dialect


class UtcDateTime(TypeDecorator[datetime]):
    """SQLite keeps no time zone: times go in and come out as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - the signature is SQLAlchemy's
    ) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("time without a zone")
        return value if value is None else value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - either database's
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Document(TypeDecorator[Any]):
    """JSON, not JSONB: what was answered comes back in the order it was answered in.

    What is no JSON is read as :data:`DAMAGED`, so that one such row does not hide all others.
    """

    impl = JSON
    cache_ok = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        # Not process_result_value: that comes behind the parser, where it is too late.
        parse = super().result_processor(dialect, coltype)

        def tolerant(value: Any) -> Any:
            try:
                return value if parse is None else parse(value)
            except ValueError:
                return DAMAGED

        return tolerant


DAMAGED: Final = "damaged"
"""In place of a document: no document is a text."""


@dataclass(frozen=True)
class Cell:
    """What is to be encrypted, and the row that it is for, by the row's own key."""

    value: str | bytes
    row: tuple[str | UUID, ...]

    @classmethod
    def of(cls, value: str | bytes, *row: str | UUID) -> Cell:
        return cls(value, row)

    @property
    def named(self) -> str:
        """The row, as it is read with the column."""
        return _BETWEEN.join(one.hex if isinstance(one, UUID) else one for one in self.row)


class Encrypted(TypeDecorator[Any]):
    """Ciphertext, bound to table, column and row: :class:`Cell` goes in, text or bytes come out.

    A column of text has nothing else in it. Bytes are encrypted in place where encryption is on,
    and what is not is read as it stands. What no key opens is read as ``UNOPENED``; see
    :mod:`service.storage.encryption`.
    """

    impl = Text
    cache_ok = True

    def __init__(self, use: str, row: tuple[str, ...], kind: Literal["text", "bytes"] = "text"):
        """``use``: table and column. ``row``: the columns that name a row; of bytes, one."""
        super().__init__()
        self.use = use
        self.row = row
        self.kind = kind

    def load_dialect_impl(
        self,
        dialect: Dialect,  # noqa: ARG002 - the signature is SQLAlchemy's
    ) -> TypeEngine[Any]:
        return Text() if self.kind == "text" else LargeBinary()

    def column_expression(self, column: Any) -> ColumnElement[Any]:
        """Return the column with its row in front, which the value itself does not tell."""
        parts = [_text(column.table.c[name]) for name in self.row]
        said = parts[0]
        for part in parts[1:]:
            said = said.concat(_BETWEEN_SQL).concat(part)
        said = said.concat(_BETWEEN_SQL)
        if self.kind == "bytes":
            return type_coerce(_Bytes(said, type_coerce(column, LargeBinary())), self)
        return type_coerce(said.concat(type_coerce(column, Text())), self)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, Cell):
            raise TypeError(f"{self.use} takes a Cell, not {type(value).__name__}")
        encryption = of_dialect(dialect)
        if self.kind == "text" or encryption.is_on:
            return encryption.seal(f"{self.use} of {value.named}", value.value)
        if isinstance(value.value, bytes) and value.value.startswith(SEALED):
            raise ValueError(f"{self.use}: what looks encrypted already is not taken")
        return value.value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if self.kind == "text":
            row, _, found = value.rpartition(_BETWEEN)
            return of_dialect(dialect).open(f"{self.use} of {row}", found)
        name, _, data = bytes(value).partition(_BETWEEN.encode())
        if not data.startswith(SEALED):
            return data
        return of_dialect(dialect).open(f"{self.use} of {name.decode()}", data)


_BETWEEN: Final = "\x1f"
_BETWEEN_SQL: Final = literal_column(f"'{_BETWEEN}'", Text())


def _text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if not isinstance(column.type, Uuid):
        return type_coerce(column, Text())
    return func.replace(cast(column, Text()), "-", "", type_=Text())


class _Bytes(FunctionElement[Any]):
    """Text and bytes after it, as bytes."""

    inherit_cache = True


@compiles(_Bytes, "sqlite")
def _in_sqlite(element: _Bytes, compiler: Any, **options: Any) -> str:
    text, data = (compiler.process(one, **options) for one in element.clauses)
    return f"CAST(CAST({text} AS BLOB) || {data} AS BLOB)"


@compiles(_Bytes, "postgresql")
def _in_postgres(element: _Bytes, compiler: Any, **options: Any) -> str:
    text, data = (compiler.process(one, **options) for one in element.clauses)
    return f"(convert_to({text}, 'UTF8') || {data})"


class Base(DeclarativeBase):
    pass


def site() -> MappedColumn[str]:
    """The site that a row is of: its keys, patients and images are not those of another."""
    return mapped_column(String(64), server_default=DEFAULT_SITE)
