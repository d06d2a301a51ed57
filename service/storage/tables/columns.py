"""What all tables share: their base, the types of their columns, and the site of a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, DateTime, Dialect, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

from service.identity.actor import DEFAULT_SITE


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
        dialect: Dialect,  # noqa: ARG002
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


class Base(DeclarativeBase):
    pass


def site() -> MappedColumn[str]:
    """The site that a row is of: its keys, patients and images are not those of another."""
    return mapped_column(String(64), server_default=DEFAULT_SITE)
