"""What happens to the other modalities of an exam."""

from __future__ import annotations

from dataclasses import dataclass

from service.events import Event
from service.exams.schemas import Exam
from service.medicine.modalities.entered import Kept


@dataclass(frozen=True, kw_only=True)
class ModalityChanged(Event):
    """A modality's measurement was entered, replaced or removed; ``exam`` says what is kept."""

    exam: Exam
    modality: Kept
