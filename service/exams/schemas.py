"""What somebody enters about the scan behind a prediction: facts from the scanner and the chart.

Nothing here is computed from an image, and no T-score is ever computed from a BMD: a scanner has
its own reference data (domain.md §1.2). All fields are optional; what is given is judged strictly::

    ExamError          one or more fields cannot be taken, with what came and what may come
    StudyDiffersError  the image is known already, and something else of its exam
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationError, computed_field

from service.errors import Fault, FieldsError
from service.exams.measurements import Conflict, Measured, differences
from service.exams.parts import (
    ALLOWED,
    VERTEBRAE,
    Part,
    Reference,
    Scanner,
    Vertebra,
    about,
    decimals,
)
from service.exams.provenance import Entry
from service.exams.regions import Regions, Score, otherwise
from service.http import validation
from service.language.locale import N_
from service.medicine.densitometry import ADULT_AGES
from service.medicine.drugs import Present
from service.medicine.modalities.entered import NOTHING as NOTHING_ELSE
from service.medicine.modalities.entered import Entered

Sex = Literal["female", "male"]

BMD_RANGE: Final = (0.422, 1.901)
"""Total spine BMD in g/cm², the extremes in NHANES 2007–08 (codebook DXXSPN_E; domain.md §1.5)."""

AGE_RANGE: Final = ADULT_AGES
WEIGHT_RANGE: Final = (25.0, 300.0)
"""Kilograms; anything else is taken for a slip of the keyboard."""

EARLIEST: Final = date(1987, 1, 1)
"""The year of the first commercial DXA scanner."""


class ExamError(FieldsError):
    """The facts cannot be taken; each fault's ``values`` say what came and what is allowed."""

    code = "invalid_study"


class StudyDiffersError(FieldsError):
    """Facts came with an image that is kept with other ones."""

    code = "study_differs"

    def __init__(self, fields: Iterable[str]) -> None:
        super().__init__(Fault(name, "differs", N_("is kept otherwise")) for name in fields)


def _past(value: date) -> date:
    # East of Greenwich it may be tomorrow already.
    if not EARLIEST <= value <= datetime.now(UTC).date() + timedelta(days=1):
        raise ValueError("not a day on which a scan can have been made")
    return value


def _in_order(value: tuple[Vertebra, ...]) -> tuple[Vertebra, ...]:
    if len(set(value)) < len(value):
        raise ValueError("twice the same")
    return tuple(name for name in VERTEBRAE if name in value)


class ExamFacts(Part):
    """What is known of one study beside its image. Every field may be left out."""

    patient_reference: Reference | None = Field(
        None,
        description="A local pseudonym, not a name: " + ALLOWED["patient_reference"] + ".",
        examples=["study-17-0042"],
    )
    patient_issuer: Reference | None = Field(
        None,
        description="Whose reference it is, where several issue them: "
        + ALLOWED["patient_issuer"]
        + ".",
        examples=["North Clinic"],
    )
    acquired_on: Annotated[date, AfterValidator(_past)] | None = Field(
        None, description=about("acquired_on"), examples=["2025-11-03"]
    )
    scanner: Scanner | None = None
    bmd_g_cm2: (
        Annotated[float, Field(ge=BMD_RANGE[0], le=BMD_RANGE[1], allow_inf_nan=False), decimals(3)]
        | None
    ) = Field(None, description=about("bmd_g_cm2"), examples=[0.873])
    vertebrae: (
        Annotated[
            tuple[Vertebra, ...], Field(min_length=1, max_length=4), AfterValidator(_in_order)
        ]
        | None
    ) = Field(
        None,
        description=about("vertebrae") + " Those that the BMD is of; monitoring needs two.",
        examples=[["L1", "L2", "L3", "L4"]],
    )
    t_score: Score | None = Field(
        None, description=about("t_score") + " Never computed here.", examples=[-1.8]
    )
    z_score: Score | None = Field(
        None, description=about("z_score") + " Of the vertebrae of the T-score.", examples=[-0.4]
    )
    regions: Regions | None = Field(
        None,
        description="What is entered of single vertebrae, hip and forearm: it stands beside what "
        "the scanner says, and is read in its place.",
    )
    sex: Sex | None = Field(None, description=about("sex"))
    age_years: Annotated[int, Field(ge=AGE_RANGE[0], le=AGE_RANGE[1])] | None = Field(
        None, description=about("age_years") + " At the time of the scan.", examples=[67]
    )
    weight_kg: (
        Annotated[
            float,
            Field(ge=WEIGHT_RANGE[0], le=WEIGHT_RANGE[1], allow_inf_nan=False),
            decimals(1),
        ]
        | None
    ) = Field(None, description=about("weight_kg") + " At the scan.", examples=[64.5])
    drug: Present | None = Field(
        None, description="The drug against osteoporosis at the time of the scan, or none."
    )
    drug_since: Annotated[date, AfterValidator(_past)] | None = Field(
        None, description=about("drug_since") + " When that drug was begun."
    )
    fracture: bool | None = Field(
        None, description="A fragility fracture since the scan before, or ever if it is the first."
    )

    @property
    def empty(self) -> bool:
        return all(getattr(self, name) is None for name in ExamFacts.model_fields)

    @property
    def version(self) -> str:
        """What tells these facts from others: part of a hash over them."""
        told = self.model_dump_json(include=set(ExamFacts.model_fields), exclude_none=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


class Exam(ExamFacts):
    """The facts as they are kept, and where the patient's other studies are."""

    prediction_id: UUID
    patient_key: UUID | None = Field(
        None, description="Random; addresses the patient's studies in place of the reference."
    )
    measured: tuple[Measured, ...] = Field(
        (), description="What the scanner's own reports and tables tell, the last one last."
    )
    from_scanner: tuple[str, ...] = Field(
        (), description="Facts that nobody entered: they are taken from what was measured."
    )
    entered_by: tuple[Entry, ...] = Field(
        (), description="Numbers that somebody entered, by whom and when, as far as it is known."
    )
    modalities: Entered = Field(
        NOTHING_ELSE, description="What other modalities measured: `…/modalities` enters and reads."
    )

    @computed_field(  # type: ignore[prop-decorator]  # mypy knows no decorator above property
        description="Facts that are kept otherwise than measured: nothing of them is replaced."
    )
    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        kept = {name: getattr(self, name) for name in ExamFacts.model_fields}
        return (
            *differences(kept, self.measured),
            *otherwise(self.regions, self.measured),
        )


def from_json(fields: Mapping[str, Any]) -> ExamFacts:
    """Return the facts in a JSON object. Raises :class:`ExamError`."""
    try:
        # As JSON, dates and lists may be what JSON has for them while all else stays strict.
        facts = ExamFacts.model_validate_json(json.dumps(fields), strict=True)
    except ValidationError as error:
        raise ExamError(_faults(error)) from None
    if facts.patient_issuer is not None and facts.patient_reference is None:
        raise ExamError([_fault("patient_issuer", "missing", "an issuer alone")])
    if facts.drug_since is not None and facts.drug in (None, "none"):
        raise ExamError([_fault("drug_since", "missing", "a date alone")])
    if facts.drug_since and facts.acquired_on and facts.drug_since > facts.acquired_on:
        raise ExamError([_fault("drug_since", "too_late", "a date after the scan")])
    return facts


_TOGETHER: Final = (("patient_reference", "patient_issuer"), ("drug", "drug_since"))
"""Fields that say one thing: they are taken from one source or not at all."""


def entered(kept: ExamFacts, typed: ExamFacts, read: ExamFacts) -> ExamFacts:
    """Return what is known of an image that comes with facts: ``typed``, else kept, else ``read``.

    ``read`` is what the file says of itself. Raises :class:`StudyDiffersError` where something that
    was typed is ``kept`` otherwise: one of the two is another patient's, and nobody here knows
    which.
    """
    paired = {name for names in _TOGETHER for name in names}
    alone = tuple((name,) for name in ExamFacts.model_fields if name not in paired)
    found: dict[str, Any] = {}
    differ: list[str] = []
    for names in (*_TOGETHER, *alone):
        said = [{name: getattr(one, name) for name in names} for one in (typed, kept, read)]
        given, before, _ = known = [
            one if any(it is not None for it in one.values()) else None for one in said
        ]
        if given is not None and before is not None and given != before:
            differ.append(names[0])
        found |= next((one for one in known if one is not None), {})
    if differ:
        raise StudyDiffersError(differ)
    return NOTHING.model_copy(update=found)


def reference(text: str) -> str:
    """Return a patient's reference as it is kept. Raises :class:`ExamError`."""
    return from_json({"patient_reference": text}).patient_reference or ""


def _faults(error: ValidationError) -> Iterator[Fault]:
    for found in validation.faults(error.errors(include_url=False), lambda _: "", known=ALLOWED):
        came = found.values["came"]
        if found.code == "extra_forbidden" and found.field == "body":
            field, came, allowed = "unknown field", "a name", ", ".join(ExamFacts.model_fields)
        elif found.field == "body":
            field, allowed = "body", "a JSON object"
        else:
            # Of a list's items only the list is named.
            root = found.field.partition(".")[0]
            field = found.field if found.field in ALLOWED else root
            allowed = ALLOWED[field]
        yield _fault(field, found.code, came, allowed)


def _fault(field: str, code: str, came: str, allowed: str | None = None) -> Fault:
    values = {"came": came, "allowed": allowed or ALLOWED[field]}
    return Fault(field, code, "came %(came)s, allowed is %(allowed)s", values)


def believed(told: Iterable[Mapping[str, Any]]) -> ExamFacts:
    """Return those of the facts that a file tells which can be taken; the others are left out."""
    found: dict[str, Any] = {}
    for one in told:
        try:
            facts = from_json(one)
        except ExamError:
            continue
        found |= {name: getattr(facts, name) for name in one}
    return NOTHING.model_copy(update=found)


NOTHING: Final = from_json({})
"""What is known of an exam that nobody has said anything of."""
