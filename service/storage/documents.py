"""Stored documents, read by what this version knows.

A field that a newer version has added is ignored, a row that cannot be understood is one bad row.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.database import Table, unreadable
from service.storage.errors import UnreadableError
from telemetry.journal import log

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Unreadable:
    """A prediction that is kept but cannot be understood here."""

    id: UUID
    created_at: datetime


def understood(
    connection: AsyncConnection, table: Table, kind: type[Model], found: object
) -> Model:
    """Return what was ``found`` in ``table`` as a ``kind``. Raises :class:`UnreadableError`."""
    try:
        return kind.model_validate(found, extra="ignore")
    except ValidationError as error:
        unreadable(connection, table)
        log(logging.WARNING, "row unreadable", table=table)
        raise UnreadableError from error
