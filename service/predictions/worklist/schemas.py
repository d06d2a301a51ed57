"""A page of the worklist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from service.predictions.schemas import Prediction
from service.storage.documents import Unreadable
from service.worklist.schemas import Entry


class NoSuchPlaceError(ValueError):
    """The result that a page was to begin or end at is not there."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One result with all that a row tells of it."""

    result: Prediction | Unreadable
    patient: str
    """The reference, with its issuer where it has one; empty where nobody has said."""
    patient_key: UUID | None
    acquired_on: date | None
    file_name: str | None
    """As whoever asks has called it; None where it was another who sent it."""
    pictured: bool
    """Whether the image is still kept."""
    entry: Entry


@dataclass(frozen=True, kw_only=True)
class ListPage:
    rows: tuple[Listed, ...]
    total: int
    """Results that the filters leave."""
    ahead: int
    """Those of them that come before this page."""
    previous: UUID | None
    """What the page before ends before; None: this is the first one."""
    following: UUID | None
    """What the next page begins behind; None: this is the last one."""
