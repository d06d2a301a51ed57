"""The form that study facts are entered in, and the way from its fields to the facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from uuid import UUID

from service.errors import Fault
from service.exams import region_form
from service.exams.measurements import Measured
from service.exams.parts import ALLOWED, VERTEBRAE
from service.exams.region_form import RegionFields
from service.exams.schemas import Exam, ExamFacts, from_json
from service.language.formats import day, listing
from service.language.formats import number as written
from service.language.locale import N_, _
from service.medicine.drugs import NAMES
from service.web.forms import Field, FieldGroup, number, options

LABELS: Final[Mapping[str, str]] = {
    "patient_reference": N_("Patient reference"),
    "patient_issuer": N_("Issuer of the reference"),
    "acquired_on": N_("Scan acquired on"),
    "scanner_vendor": N_("Scanner’s vendor"),
    "scanner_serial": N_("Scanner’s serial number"),
    "bmd_g_cm2": N_("Spine BMD, g/cm²"),
    "t_score": N_("Spine T-score, as the scanner reports it"),
    "z_score": N_("Spine Z-score, as the scanner reports it"),
    "vertebrae": N_("Vertebrae in BMD and T-score"),
    "sex": N_("Sex"),
    "age_years": N_("Age at the scan, years"),
    "weight_kg": N_("Weight at the scan, kg"),
    "drug": N_("Drug against osteoporosis at the scan"),
    "drug_since": N_("That drug begun on"),
    "fracture": N_("Fragility fracture since the scan before"),
}
_SEXES: Final[Mapping[str, str]] = {
    "": N_("Not given"),
    "female": N_("Female"),
    "male": N_("Male"),
}
_DRUGS: Final[Mapping[str, str]] = {"": N_("Not given"), "none": N_("none"), **NAMES}
_FRACTURE: Final[Mapping[str, str]] = {"": N_("Not given"), "yes": N_("yes"), "no": N_("no")}
_CHOSEN: Final[Mapping[str, Mapping[str, str]]] = {
    "sex": _SEXES, "drug": _DRUGS, "fracture": _FRACTURE
}  # fmt: skip
"""The fields of which one value is chosen."""

_HINTS: Final[Mapping[str, str]] = {
    "patient_reference": N_("A local pseudonym, not a name. It links this patient’s studies."),
    "patient_issuer": N_("Where numbers of several hospitals meet; otherwise nothing."),
    "bmd_g_cm2": N_("From 0.422 to 1.901."),
    "scanner_vendor": N_("Changes are judged only between scans of one machine."),
    "drug_since": N_("Not after the scan."),
}
_INPUTMODES: Final[Mapping[str, Literal["", "numeric", "decimal"]]] = {
    "patient_reference": "",
    "patient_issuer": "",
    "acquired_on": "",
    "scanner_vendor": "",
    "scanner_serial": "",
    "bmd_g_cm2": "decimal",
    "t_score": "",  # a telephone's pad of decimals may have no minus
    "z_score": "",
    "age_years": "numeric",
    "weight_kg": "decimal",
    "drug_since": "",
}
"""The fields in which text is typed: numbers too, so that a decimal comma can be."""

VERSION: Final = "version"
"""The form's field that says which facts it was filled in over."""

_SCANNER: Final = {"scanner_vendor": "vendor", "scanner_serial": "serial"}
_VERTEBRAE: Final = {f"vertebra_{name}": name for name in VERTEBRAE}
_NUMBERS: Final = ("bmd_g_cm2", "t_score", "z_score", "age_years", "weight_kg")
_DATES: Final = ("acquired_on", "drug_since")
_TRUTH: Final = {"yes": True, "no": False}

BESIDE_A_FILE: Final[Mapping[str, str]] = {
    **{
        name: ALLOWED[f"scanner.{_SCANNER[name]}" if name in _SCANNER else name]
        for name in LABELS
        if name not in ("vertebrae", "fracture")
    },
    "fracture": "yes or no",
    **{name: f"yes: {label} is among the vertebrae" for name, label in _VERTEBRAE.items()},
    **{name: ALLOWED[f"regions.{of}.{part}"] for name, (of, part) in region_form.FIELDS.items()},
}
"""The form's fields, which may come with an image, and what each takes."""


def parse(fields: Mapping[str, str]) -> ExamFacts:
    """Return the facts in a form's fields: those of JSON, with the nested ones laid flat.

    Numbers may have a decimal comma. Raises :class:`~service.exams.schemas.ExamError`.
    """
    given: dict[str, Any] = {}
    regions = {name: fields[name] for name in fields if name in region_form.FIELDS}
    if regions:
        given["regions"] = region_form.parse(regions)
    for name, value in fields.items():
        if name in regions:
            continue
        if name in _NUMBERS:
            given[name] = number(value)
        elif name in _SCANNER:
            given.setdefault("scanner", {})[_SCANNER[name]] = value
        elif name in _VERTEBRAE:
            given.setdefault("vertebrae", []).append(_VERTEBRAE[name])
        elif name == "fracture":
            given[name] = _TRUTH.get(value, value)
        else:
            given[name] = value.strip()
    return from_json(given)


def fields_of(exam: ExamFacts) -> dict[str, str]:
    """Return the facts as the form's fields, as :func:`parse` reads them."""
    kept = exam.model_dump(mode="json", include=set(ExamFacts.model_fields), exclude_none=True)
    scanner, vertebrae = kept.pop("scanner", {}), kept.pop("vertebrae", [])
    kept.pop("regions", None)
    if exam.fracture is not None:
        kept["fracture"] = "yes" if exam.fracture else "no"
    return {
        **{name: str(value) for name, value in kept.items()},
        **{name: scanner[part] for name, part in _SCANNER.items() if part in scanner},
        **{name: "yes" for name, label in _VERTEBRAE.items() if label in vertebrae},
        **region_form.fields_of(exam.regions),
    }


def label(name: str) -> str:
    """Return what a field of the form is called."""
    return region_form.label(name) if name in region_form.FIELDS else _(LABELS[name])


def readable(exam: ExamFacts) -> dict[str, str]:
    """Return the facts as they are read, by the form's field."""
    told = {**fields_of(exam), **region_form.readable(exam.regions)}
    if exam.acquired_on is not None:
        told["acquired_on"] = day(exam.acquired_on)
    if exam.bmd_g_cm2 is not None:
        told["bmd_g_cm2"] = written(exam.bmd_g_cm2, 3)
    if exam.t_score is not None:
        told["t_score"] = written(exam.t_score, 1)
    if exam.z_score is not None:
        told["z_score"] = written(exam.z_score, 1)
    if exam.vertebrae is not None:
        told["vertebrae"] = listing(exam.vertebrae)
    if exam.weight_kg is not None:
        told["weight_kg"] = written(exam.weight_kg, 1)
    if exam.drug_since is not None:
        told["drug_since"] = day(exam.drug_since)
    for name, words in _CHOSEN.items():
        if name in told:
            told[name] = _(words[told[name]])
    return told


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
    vertebrae: FieldGroup
    regions: tuple[RegionFields, ...]
    faults: int
    other_error: str
    """What is wrong with no field of the form."""
    version: str
    """What is kept by the time of the form; empty: whatever there may be."""
    differences: tuple[Difference, ...] = ()
    """What somebody else has entered otherwise meanwhile."""

    @classmethod
    def of(cls, exam: Exam) -> ExamForm:
        return cls.again(exam.prediction_id, fields_of(exam), (), exam.version, exam.measured)

    @classmethod
    def again(
        cls,
        prediction_id: UUID | None,
        sent: Mapping[str, str],
        faults: Sequence[Fault],
        version: str,
        measured: Sequence[Measured] = (),
    ) -> ExamForm:
        """The form as it was sent, and what was wrong with it, beside what was ``measured``.

        Without ``prediction_id`` it goes with an image that is yet to be sent.
        """
        allowed = {fault.field.replace(".", "_"): fault.values["allowed"] for fault in faults}
        errors = {
            name: _("This cannot be taken. Allowed: %(allowed)s.", allowed=_(sentence))
            for name, sentence in allowed.items()
        }
        typed = tuple(
            Field(
                name=name,
                id=name,
                label=_(LABELS[name]),
                kind="date" if name in _DATES else "text",
                value=sent.get(name, ""),
                inputmode=inputmode,
                hint=_(_HINTS[name]) if name in _HINTS else "",
                error=errors.pop(name, ""),
            )
            for name, inputmode in _INPUTMODES.items()
        )
        title = LABELS["vertebrae"]
        chosen = tuple(
            Field(
                name=name,
                id=name,
                label=_(LABELS[name]),
                kind="select",
                value=sent.get(name, ""),
                options=options(words, sent.get(name, "")),
                error=errors.pop(name, ""),
            )
            for name, words in _CHOSEN.items()
        )
        return cls(
            id="" if prediction_id is None else str(prediction_id),
            fields=(*typed, *chosen),
            vertebrae=FieldGroup(
                title=_(title),
                fields=tuple(
                    Field(
                        name=name, id=name, label=label, kind="checkbox", value=sent.get(name, "")
                    )
                    for name, label in _VERTEBRAE.items()
                ),
                error=errors.pop("vertebrae", ""),
            ),
            regions=region_form.groups(sent, errors, measured),
            faults=len(faults),
            other_error=next(iter(errors.values()), ""),
            version=version,
        )

    @classmethod
    def beside(cls, exam: Exam, facts: ExamFacts, sent: Mapping[str, str]) -> ExamForm:
        """The form as it was sent, with ``facts`` in it, beside what somebody else has entered.

        Sent once more it takes the other's place, which by then has been seen.
        """
        form = cls.again(exam.prediction_id, sent, (), exam.version, exam.measured)
        return replace(form, differences=tuple(_differences(exam, facts)))


def _differences(exam: Exam, facts: ExamFacts) -> Iterator[Difference]:
    kept, typed = readable(exam), readable(facts)
    nothing = _("nothing")
    for name in (*LABELS, *region_form.FIELDS):
        if kept.get(name) != typed.get(name):
            yield Difference(
                label=label(name), kept=kept.get(name, nothing), typed=typed.get(name, nothing)
            )
