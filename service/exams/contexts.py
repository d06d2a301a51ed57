"""Study facts: what is known of them on the result page, and the form that they are entered in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from service.errors import Fault
from service.exams.schemas import FORM_SCANNER, FORM_VERTEBRAE, Exam, ExamFacts
from service.language.formats import day, listing, number
from service.language.locale import N_, _
from service.web.forms import Option, options
from service.web.page import Page

LABELS: Final[Mapping[str, str]] = {
    "patient_reference": N_("Patient reference"),
    "acquired_on": N_("Scan acquired on"),
    "scanner_vendor": N_("Scanner’s vendor"),
    "scanner_serial": N_("Scanner’s serial number"),
    "bmd_g_cm2": N_("Spine BMD, g/cm²"),
    "t_score": N_("Spine T-score, as the scanner reports it"),
    "vertebrae": N_("Vertebrae in BMD and T-score"),
    "sex": N_("Sex"),
    "age_years": N_("Age at the scan, years"),
}
_SEXES: Final[Mapping[str, str]] = {
    "": N_("Not given"),
    "female": N_("Female"),
    "male": N_("Male"),
}
_HINTS: Final[Mapping[str, str]] = {
    "patient_reference": N_("A local pseudonym, not a name. It links this patient’s studies."),
    "bmd_g_cm2": N_("From 0.422 to 1.901."),
    "scanner_vendor": N_("Changes are judged only between scans of one machine."),
}
_INPUTS: Final[Mapping[str, tuple[str, str]]] = {
    "patient_reference": ("text", "text"),
    "acquired_on": ("date", "text"),
    "scanner_vendor": ("text", "text"),
    "scanner_serial": ("text", "text"),
    "bmd_g_cm2": ("text", "decimal"),
    "t_score": ("text", "text"),
    "age_years": ("text", "numeric"),
}
"""Type and input mode. Numbers are text, so that a decimal comma and a minus can be entered."""


VERSION: Final = "version"
"""The form's field that says which facts it was filled in over."""


@dataclass(frozen=True, kw_only=True)
class Field:
    name: str
    label: str
    value: str
    type: str
    mode: str
    hint: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Check:
    name: str
    label: str
    checked: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A fact of which two people have said two things."""

    label: str
    kept: str
    typed: str


@dataclass(frozen=True, kw_only=True)
class ExamForm:
    id: str
    fields: tuple[Field, ...]
    vertebrae: tuple[Check, ...]
    vertebrae_label: str
    vertebrae_error: str
    sex_label: str
    sexes: tuple[Option, ...]
    sex_error: str
    faults: int
    other_error: str
    """What is wrong with no field of the form."""
    version: str
    """What is kept by the time of the form; empty: whatever there may be."""
    differences: tuple[Difference, ...] = ()
    """What somebody else has entered otherwise meanwhile."""

    @classmethod
    def of(cls, exam: Exam) -> ExamForm:
        return cls._made(exam.prediction_id, _fields(exam), (), exam.version)

    @classmethod
    def again(
        cls, prediction_id: UUID, fields: Mapping[str, str], faults: Sequence[Fault], version: str
    ) -> ExamForm:
        """The form as it was sent, and what was wrong with it."""
        return cls._made(prediction_id, fields, faults, version)

    @classmethod
    def beside(cls, exam: Exam, facts: ExamFacts, fields: Mapping[str, str]) -> ExamForm:
        """The form as it was sent, with ``facts`` in it, beside what somebody else has entered.

        Sent once more it takes the other's place, which by then has been seen.
        """
        form = cls._made(exam.prediction_id, fields, (), exam.version)
        return replace(form, differences=tuple(_differences(exam, facts)))

    @classmethod
    def _made(
        cls,
        prediction_id: UUID,
        values: Mapping[str, str],
        faults: Sequence[Fault],
        version: str,
    ) -> ExamForm:
        allowed = {fault.field.replace(".", "_"): fault.values["allowed"] for fault in faults}
        errors = {
            name: _("This cannot be taken. Allowed: %(allowed)s.", allowed=_(sentence))
            for name, sentence in allowed.items()
        }
        fields = tuple(
            Field(
                name=name,
                label=_(LABELS[name]),
                value=values.get(name, ""),
                type=kind,
                mode=mode,
                hint=_(_HINTS[name]) if name in _HINTS else "",
                error=errors.pop(name, ""),
            )
            for name, (kind, mode) in _INPUTS.items()
        )
        vertebrae, sex = LABELS["vertebrae"], LABELS["sex"]
        return cls(
            id=str(prediction_id),
            fields=fields,
            vertebrae=tuple(
                Check(name=name, label=label, checked=name in values)
                for name, label in FORM_VERTEBRAE.items()
            ),
            vertebrae_label=_(vertebrae),
            vertebrae_error=errors.pop("vertebrae", ""),
            sex_label=_(sex),
            sexes=options(_SEXES, values.get("sex", "")),
            sex_error=errors.pop("sex", ""),
            faults=len(faults),
            other_error=next(iter(errors.values()), ""),
            version=version,
        )


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

    @classmethod
    def of(cls, exam: Exam) -> ExamCard:
        told = _told(exam)
        return cls(
            id=str(exam.prediction_id),
            facts=tuple(
                KnownFact(label=_(LABELS[name]), value=told[name])
                for name in LABELS
                if told.get(name)
            ),
            patient=f"/patients/{exam.patient_key}" if exam.patient_key else None,
        )


def _told(exam: ExamFacts) -> dict[str, str]:
    """The facts as they are read: the scanner's own T-score before all that is said of an image."""
    told = _fields(exam)
    if exam.acquired_on is not None:
        told["acquired_on"] = day(exam.acquired_on)
    if exam.bmd_g_cm2 is not None:
        told["bmd_g_cm2"] = number(exam.bmd_g_cm2, 3)
    if exam.t_score is not None:
        told["t_score"] = number(exam.t_score, 1)
    if exam.vertebrae is not None:
        told["vertebrae"] = listing(exam.vertebrae)
    if exam.sex is not None:
        told["sex"] = _(_SEXES[exam.sex])
    return told


def _differences(exam: Exam, facts: ExamFacts) -> Iterator[Difference]:
    kept, typed = _told(exam), _told(facts)
    nothing = _("nothing")
    for name, label in LABELS.items():
        if kept.get(name) != typed.get(name):
            yield Difference(
                label=_(label), kept=kept.get(name, nothing), typed=typed.get(name, nothing)
            )


def _fields(exam: ExamFacts) -> dict[str, str]:
    """Return the fields of the form, as :func:`~service.exams.schemas.from_form` reads them."""
    kept = exam.model_dump(mode="json", include=set(ExamFacts.model_fields), exclude_none=True)
    scanner, vertebrae = kept.pop("scanner", {}), kept.pop("vertebrae", [])
    return {
        **{name: str(value) for name, value in kept.items()},
        **{name: scanner[part] for name, part in FORM_SCANNER.items() if part in scanner},
        **{name: "on" for name, label in FORM_VERTEBRAE.items() if label in vertebrae},
    }
