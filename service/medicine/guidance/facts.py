"""What may be entered about a person. Every fact is optional; nothing is stored or derived.

There is deliberately no field for an image, its probability or its outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from service.errors import FieldsError
from service.http.validation import faults
from service.language.locale import N_
from service.medicine.densitometry import ADULT_AGES, SCORE_RANGE, Menopause, Sex
from service.medicine.drugs import Drug, Present
from service.medicine.guidance.contradictions import contradictions

Site = Literal["lumbar_spine", "total_hip", "femoral_neck", "one_third_radius"]
FractureSite = Literal["hip", "vertebra", "humerus", "pelvis", "forearm", "other"]
Calcium = Literal["low", "normal", "high"]
Heel = Literal["low", "between", "not_low"]
"""What ultrasound of the heel reads by a limit of its own device; no class."""
Symptom = Literal[
    "back_pain", "neurological_deficit", "thigh_or_groin_pain", "chest_pain", "leg_swelling",
    "jaw_trouble", "cramps_or_tingling",
]  # fmt: skip

MOST_FRACTURES: Final = 10
MOST_EARLIER: Final = 5
HEIGHTS: Final = (100, 230)
"""Centimetres; anything else is taken for a slip of the keyboard."""

MENOPAUSE_AGES: Final = (18, 65)
ATTENUATIONS: Final = (-200, 1000)
"""Hounsfield units of L1; anything else is taken for a slip of the keyboard."""


class FactsError(FieldsError):
    """The facts cannot be taken."""

    code = "invalid_facts"


def _whole(value: object) -> object:
    # JSON has one kind of number: 2.0 is the integer 2.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _one_decimal(value: float) -> float:
    # Programs compute 3 × 0.1; what is meant is 0.3.
    if abs(round(value, 1) - value) > 1e-9:
        raise ValueError("has more than one decimal: enter the score as the scanner reports it")
    return round(value, 1)


Score = Annotated[
    float,
    Field(
        ge=SCORE_RANGE[0],
        le=SCORE_RANGE[1],
        allow_inf_nan=False,
        json_schema_extra={"multipleOf": 0.1},
    ),
    AfterValidator(_one_decimal),
]
"""A T- or Z-score as the scanner reports it, with one decimal."""

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Months = Annotated[int, Field(ge=0, le=1200), BeforeValidator(_whole)]
Height = Annotated[float, Field(ge=HEIGHTS[0], le=HEIGHTS[1], allow_inf_nan=False)]


class _Part(BaseModel):
    # Strict: neither "70" nor true is a number here; a JSON integer may stand for a float.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Scores(_Part):
    """One score for each site that was measured."""

    lumbar_spine: Score | None = None
    total_hip: Score | None = None
    femoral_neck: Score | None = None
    one_third_radius: Score | None = None


class Fracture(_Part):
    """A fragility fracture: from a fall from standing height or less."""

    site: FractureSite
    months_ago: Months | None = None
    on_therapy: bool | None = Field(
        None, description="It happened while on a drug against osteoporosis."
    )


class Earlier(_Part):
    """A drug against osteoporosis that was taken before and is not taken now."""

    drug: Drug
    months: Months | None = Field(None, description="For how long, all courses together.")
    months_ago: Months | None = Field(None, description="Since its last dose.")


class Facts(_Part):
    """Facts about a person. What is left out counts as not known, never as absent.

    Times are told in weeks, months or years; no calendar date is taken.
    """

    age: (
        Annotated[int, Field(ge=ADULT_AGES[0], le=ADULT_AGES[1]), BeforeValidator(_whole)] | None
    ) = Field(None, description="Years; adults only.")
    sex: Sex | None = Field(None, description="As the scanner's reference data take it.")
    menopause: Menopause | None = Field(
        None, description="Where it is not given, it is assumed from the age: before 45 before, "
        "from 60 on after it, and said so. In between nothing is assumed."
    )  # fmt: skip
    menopause_age: (
        Annotated[int, Field(ge=MENOPAUSE_AGES[0], le=MENOPAUSE_AGES[1]), BeforeValidator(_whole)]
        | None
    ) = Field(None, description="Years of age at menopause, or at removal of both ovaries.")
    pregnant: bool | None = Field(None, description="Pregnant, breast-feeding or trying to be.")
    height_cm: Height | None = Field(None, description="Now, cm.")
    tallest_cm: Height | None = Field(None, description="The greatest height known, cm.")
    t_scores: Scores = Field(Scores(), description="As the scanner reports them, one decimal.")
    z_scores: Scores = Field(Scores(), description="As the scanner reports them, one decimal.")
    evaluable_vertebrae: Annotated[int, Field(ge=0, le=4), BeforeValidator(_whole)] | None = Field(
        None, description="Of L1–L4; with fewer than two the spine does not count."
    )
    forearm_indicated: bool | None = Field(
        None, description="The one-third radius counts, because spine or hip cannot be used."
    )
    ct_hu: (
        Annotated[float, Field(ge=ATTENUATIONS[0], le=ATTENUATIONS[1], allow_inf_nan=False)] | None
    ) = Field(
        None,
        description="Attenuation of L1 in CT at 120 kV without contrast medium, Hounsfield units.",
    )
    heel_ultrasound: Heel | None = Field(
        None,
        description="What ultrasound of the heel reads by a limit of its own device; no class.",
    )
    fractures: Annotated[tuple[Fracture, ...], Field(max_length=MOST_FRACTURES, strict=False)] | (
        None
    ) = Field(None, description="Fragility fractures; an empty list says that there were none.")
    reported_vertebral_fracture: bool | None = Field(
        None, description="A vertebral fracture that the person tells of and no image shows."
    )
    diagnosed_before: bool | None = Field(
        None, description="Osteoporosis was diagnosed at some time."
    )
    frax_major: Percent | None = Field(
        None, description="FRAX, ten-year risk of a major osteoporotic fracture in %; never "
        "computed here."
    )  # fmt: skip
    frax_hip: Percent | None = Field(
        None, description="FRAX, ten-year risk of hip fracture in %; never computed here."
    )
    dvo_risk: Percent | None = Field(
        None, description="DVO's calculator, three-year risk of vertebral and hip fracture in %; "
        "never computed here."
    )  # fmt: skip
    high_fall_risk: bool | None = None
    risk_factor: bool | None = Field(
        None, description="At least one clinical risk factor for osteoporosis."
    )
    glucocorticoids: bool | None = Field(
        None, description="Long-term systemic treatment: three months or more."
    )
    glucocorticoid_mg: Annotated[float, Field(ge=0, le=200, allow_inf_nan=False)] | None = Field(
        None, description="Prednisolone or its equivalent, mg a day."
    )
    glucocorticoid_months: Months | None = Field(None, description="Taken, and meant to be taken.")
    suspected_malignancy: bool | None = None
    bone_cancer: bool | None = Field(
        None, description="A tumour of bone or metastases in it, now or before."
    )
    skeletal_radiotherapy: bool | None = Field(
        None, description="Radiation of the skeleton, from outside or by implants."
    )
    paget: bool | None = Field(
        None, description="Paget's disease, or alkaline phosphatase raised without explanation."
    )
    breast_cancer: bool | None = Field(
        None, description="Known, suspected or past; or another tumour that depends on oestrogen."
    )
    thrombosis: bool | None = Field(
        None, description="Deep vein thrombosis, pulmonary embolism or retinal vein thrombosis, "
        "now or before."
    )  # fmt: skip
    egfr: Annotated[float, Field(ge=0, le=250, allow_inf_nan=False)] | None = Field(
        None, description="Estimated glomerular filtration rate, mL/min."
    )
    dialysis: bool | None = None
    calcium: Calcium | None = Field(
        None, description="Serum calcium against the laboratory's own range."
    )
    vitamin_d: Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)] | None = Field(
        None, description="25-hydroxy vitamin D, ng/mL (nmol/L divided by 2.5)."
    )
    mi_or_stroke: bool | None = Field(None, description="Myocardial infarction or stroke, ever.")
    mi_or_stroke_months_ago: Months | None = Field(None, description="Since the last one.")
    oesophageal_disease: bool | None = Field(
        None, description="Such as a stricture, achalasia, Barrett's oesophagus, varices."
    )
    upright_impossible: bool | None = Field(
        None, description="Cannot stand or sit upright for 30 to 60 minutes, or not swallow safely."
    )
    dental_procedure: bool | None = Field(
        None, description="An extraction, an implant or other surgery of the jaw is planned."
    )
    drug: Present | None = Field(None, description="Against osteoporosis, at present; or none.")
    drug_months: Months | None = Field(None, description="On that drug, all courses together.")
    last_dose_weeks_ago: (
        Annotated[int, Field(ge=0, le=5200), BeforeValidator(_whole)] | None
    ) = Field(None, description="Since the last dose of the present drug.")  # fmt: skip
    earlier_drugs: (
        Annotated[tuple[Earlier, ...], Field(max_length=MOST_EARLIER, strict=False)] | None
    ) = Field(None, description="Taken before and stopped; an empty list says that there are none.")
    bone_loss: bool | None = Field(
        None, description="Loss beyond the least significant change, same machine, on treatment."
    )
    symptoms: Annotated[tuple[Symptom, ...], Field(max_length=7, strict=False)] | None = Field(
        None, description="New ones; an empty list says that there are none."
    )


def read(sent: Mapping[str, Any]) -> Facts:
    """Return what was ``sent``, as JSON has it. Raises :class:`FactsError`."""
    try:
        facts = Facts.model_validate(dict(sent))
    except ValidationError as error:
        raise FactsError(faults(error.errors(include_url=False), _sentence)) from None
    found = tuple(contradictions(facts))
    if found:
        raise FactsError(found)
    return facts


_SENTENCES: Final[Mapping[str, str]] = {
    "greater_than_equal": N_("Enter %(ge)s or more."),
    "less_than_equal": N_("Enter %(le)s or less."),
    "value_error": N_("Enter the score as the scanner reports it, with one decimal."),
    "float_type": N_("Enter a number."),
    "finite_number": N_("Enter a number."),
    "int_type": N_("Enter a whole number."),
    "bool_type": N_("Enter yes or no (true or false)."),
    "literal_error": N_("Choose one of: %(expected)s."),
    "missing": N_("This is needed beside what else was entered."),
    "too_long": N_("Enter %(max_length)s at most."),
    "extra_forbidden": N_("A name here is not one that is known."),
}


def _sentence(error: Mapping[str, Any]) -> str:
    return _SENTENCES.get(error["type"], N_("This has another form than what is asked for."))
