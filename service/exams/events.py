"""What happens to exams."""

from __future__ import annotations

from dataclasses import dataclass

from service.events import Event
from service.exams.schemas import Exam


@dataclass(frozen=True, kw_only=True)
class ExamChanged(Event):
    """The facts were replaced; ``exam`` says what is kept from now on."""

    exam: Exam


@dataclass(frozen=True, kw_only=True)
class ExamMeasured(Event):
    """A scanner's own numbers have come; ``exam`` says what is kept from now on."""

    exam: Exam
