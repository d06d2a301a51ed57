"""What happens to patients, as a hospital tells it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from service.events import Event


@dataclass(frozen=True, kw_only=True)
class PatientsMerged(Event):
    """Exams of one patient are another's; None: there were none of the former here."""

    former: UUID | None
    into: UUID | None


@dataclass(frozen=True, kw_only=True)
class PatientUpdated(Event):
    """Facts of a patient were entered into exams that had none."""

    patient: UUID
    exams: int
