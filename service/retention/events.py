"""What happens to what is kept: it is let go, erased, exported, saved and brought back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from service.events import Event

ErasureReason = Literal["request", "consent_withdrawn", "mistake", "court"]
"""Why a patient is erased: one of a few, since the trail keeps it for good and no name with it."""

ERASURE_REASONS: Final[tuple[ErasureReason, ...]] = get_args(ErasureReason)


@dataclass(frozen=True, kw_only=True)
class RetentionApplied(Event):
    """A run has ended at a site: how much of each kind it removed."""

    removed: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class PatientErased(Event):
    """``patient_keys``: of those that there were; ``again``: after a restore."""

    erasure_id: UUID
    patient_keys: tuple[UUID, ...]
    reason: ErasureReason | None
    deleted: int
    unlinked: int
    received: int
    again: bool = False


@dataclass(frozen=True, kw_only=True)
class DataExported(Event):
    """Results left the database: without identifiers, or all that is kept of one patient."""

    form: Literal["csv", "ndjson", "json"]
    rows: int
    patient_key: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class BackedUp(Event):
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Restored(Event):
    """The database is what a backup was; ``erased``: how many patients were erased again."""

    sha256: str
    erased: int


@dataclass(frozen=True, kw_only=True)
class TrailCut(Event):
    """Links up to ``number`` are gone, with their entries."""

    number: int
    entries: int
