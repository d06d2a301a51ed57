"""Study facts on pages: what is known of them beside a result, and the page of their form."""

from __future__ import annotations

from dataclasses import dataclass

from service.exams.entered_contexts import EnteredTable
from service.exams.form import LABELS, ExamForm, readable
from service.exams.measured_contexts import MeasuredTable
from service.exams.schemas import Exam
from service.language.locale import _
from service.web.page import Page


@dataclass(frozen=True, kw_only=True)
class ExamPage(Page):
    templates = ("exam.html",)
    section = "/history"

    form: ExamForm
    trouble: str = ""
    """Why nothing could be kept, where the facts are not to blame."""


@dataclass(frozen=True, kw_only=True)
class KnownFact:
    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class ExamCard:
    """What ``result/exam.html`` shows on a result's page: ``exam`` in its context."""

    id: str
    facts: tuple[KnownFact, ...]
    patient: str | None
    """The address of the patient's studies over time."""
    measured: MeasuredTable | None
    entered: EnteredTable | None

    @classmethod
    def of(cls, exam: Exam) -> ExamCard:
        told = readable(exam)
        return cls(
            id=str(exam.prediction_id),
            facts=tuple(
                KnownFact(label=_(LABELS[name]), value=told[name])
                for name in LABELS
                if told.get(name)
            ),
            patient=f"/patients/{exam.patient_key}" if exam.patient_key else None,
            measured=MeasuredTable.of(exam),
            entered=EnteredTable.of(exam),
        )
