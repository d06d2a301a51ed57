"""The condition that a row is among those that somebody may see."""

from __future__ import annotations

from sqlalchemy import and_
from sqlalchemy.sql.elements import ColumnElement

from service.identity.actor import Within
from service.storage.tables.batches import BatchRow
from service.storage.tables.predictions import PredictionRow


def seen(row: type[PredictionRow] | type[BatchRow], within: Within) -> ColumnElement[bool]:
    """Return that a row of ``row`` lies ``within``."""
    at_site = row.site == within.site
    return at_site if within.made_by is None else and_(at_site, row.created_by == within.made_by)
