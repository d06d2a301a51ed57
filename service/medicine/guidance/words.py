"""Facts in words: their names, their units and the values that can be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.language.formats import number as written
from service.language.locale import N_, _
from service.medicine.drugs import NAMES
from service.medicine.guidance.logic import Value
from service.medicine.modalities.wording import READINGS

LAST_DOSE: Final = "last_dose_on"
"""The form's date, of which the fact is how long ago that was: facts hold no calendar date."""

NUMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "age": ("1", N_("years, adults only")),
    "menopause_age": ("1", N_("years of age; or when both ovaries were removed")),
    "height_cm": ("0.1", N_("cm")),
    "tallest_cm": ("0.1", N_("cm")),
    "evaluable_vertebrae": ("1", N_("of L1–L4")),
    "frax_major": ("0.1", N_("%, from the FRAX tool")),
    "frax_hip": ("0.1", N_("%, from the FRAX tool")),
    "dvo_risk": ("0.1", N_("%, three years, from DVO’s calculator")),
    "glucocorticoid_mg": ("0.1", N_("mg a day of prednisolone or its equivalent")),
    "glucocorticoid_months": ("1", N_("months, taken and planned")),
    "egfr": ("any", N_("mL/min")),
    "vitamin_d": ("0.1", N_("ng/mL; nmol/L divided by 2.5")),
    "mi_or_stroke_months_ago": ("1", N_("months")),
    "drug_months": ("1", N_("months")),
    "last_dose_weeks_ago": ("1", N_("weeks")),
    "earlier_drugs.months": ("1", N_("months")),
    "earlier_drugs.months_ago": ("1", N_("months")),
    "fractures.months_ago": ("1", N_("months")),
    "fractures.number": ("1", ""),
    "ct_hu": ("0.1", N_("HU, at 120 kV, no contrast medium")),
    **{
        f"{kind}_scores.{site}": ("0.1", N_("as the scanner reports it"))
        for kind in "tz"
        for site in ("lumbar_spine", "total_hip", "femoral_neck", "one_third_radius")
    },
}
"""Step and unit of each fact that is a number."""

LABELS: Final[Mapping[str, str]] = {
    "age": N_("Age"),
    "sex": N_("Sex"),
    "menopause": N_("Menopause"),
    "menopause_age": N_("Age at menopause"),
    "pregnant": N_("Pregnant, breast-feeding or planning to be"),
    "height_cm": N_("Height now"),
    "tallest_cm": N_("Greatest height"),
    "t_scores.lumbar_spine": N_("T-score, lumbar spine"),
    "t_scores.total_hip": N_("T-score, total hip"),
    "t_scores.femoral_neck": N_("T-score, femoral neck"),
    "t_scores.one_third_radius": N_("T-score, one-third radius"),
    "z_scores.lumbar_spine": N_("Z-score, lumbar spine"),
    "z_scores.total_hip": N_("Z-score, total hip"),
    "z_scores.femoral_neck": N_("Z-score, femoral neck"),
    "z_scores.one_third_radius": N_("Z-score, one-third radius"),
    "evaluable_vertebrae": N_("Vertebrae that can be evaluated"),
    "forearm_indicated": N_("Radius counts, spine or hip cannot be used"),
    "ct_hu": N_("CT, attenuation of L1"),
    "heel_ultrasound": N_("Ultrasound of the heel, by its device’s limit"),
    "fractures": N_("Fragility fractures"),
    "fractures.site": N_("Site of the fracture"),
    "fractures.months_ago": N_("Fracture, how long ago"),
    "fractures.on_therapy": N_("Fracture while on treatment"),
    "fractures.number": N_("Number of fractures"),
    "reported_vertebral_fracture": N_("Tells of a vertebral fracture that no image shows"),
    "diagnosed_before": N_("Osteoporosis diagnosed before"),
    "frax_major": N_("FRAX, major osteoporotic fracture"),
    "frax_hip": N_("FRAX, hip fracture"),
    "dvo_risk": N_("DVO, risk of fracture"),
    "high_fall_risk": N_("High risk of falls"),
    "risk_factor": N_("A clinical risk factor for osteoporosis"),
    "glucocorticoids": N_("Long-term glucocorticoids"),
    "glucocorticoid_mg": N_("Glucocorticoid, dose"),
    "glucocorticoid_months": N_("Glucocorticoid, how long"),
    "bone_cancer": N_("Tumour of bone or metastases in it, now or before"),
    "skeletal_radiotherapy": N_("Radiation of the skeleton"),
    "paget": N_("Paget’s disease, or alkaline phosphatase raised without explanation"),
    "breast_cancer": N_("Breast cancer, or another tumour that depends on oestrogen"),
    "thrombosis": N_("Venous thrombosis or pulmonary embolism, now or before"),
    "upright_impossible": N_("Cannot stay upright for half an hour"),
    "dental_procedure": N_("Extraction or surgery of the jaw planned"),
    "suspected_malignancy": N_("Malignancy suspected"),
    "egfr": N_("Estimated GFR"),
    "dialysis": N_("Dialysis"),
    "calcium": N_("Serum calcium"),
    "vitamin_d": N_("25-OH vitamin D"),
    "mi_or_stroke": N_("Myocardial infarction or stroke, ever"),
    "mi_or_stroke_months_ago": N_("Last infarction or stroke, how long ago"),
    "oesophageal_disease": N_("Oesophageal disease"),
    "drug": N_("Present drug against osteoporosis"),
    "drug_months": N_("Time on that drug"),
    "last_dose_weeks_ago": N_("Last dose, how long ago"),
    LAST_DOSE: N_("Last dose, date"),
    "earlier_drugs": N_("Earlier drugs against osteoporosis"),
    "earlier_drugs.drug": N_("Earlier drug"),
    "earlier_drugs.months": N_("Earlier drug, for how long"),
    "earlier_drugs.months_ago": N_("Earlier drug, last dose how long ago"),
    "bone_loss": N_("Bone lost on treatment beyond the least significant change"),
    "symptoms": N_("New symptoms"),
    "body": N_("Form"),
}

YES_NO: Final[Mapping[str, str]] = {"yes": N_("yes"), "no": N_("no")}
_SITES: Final[Mapping[str, str]] = {
    "hip": N_("hip"),
    "vertebra": N_("vertebra"),
    "humerus": N_("humerus"),
    "pelvis": N_("pelvis"),
    "forearm": N_("forearm"),
    "other": N_("another site"),
}
SYMPTOMS: Final[Mapping[str, str]] = {
    "back_pain": N_("severe back pain"),
    "neurological_deficit": N_("neurological deficit"),
    "thigh_or_groin_pain": N_("thigh or groin pain"),
    "chest_pain": N_("chest pain"),
    "leg_swelling": N_("swollen or painful leg, on one side"),
    "jaw_trouble": N_("pain or exposed bone of the jaw"),
    "cramps_or_tingling": N_("cramps or tingling"),
}
NO_SYMPTOM: Final = N_("none of these")
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "sex": {"female": N_("female"), "male": N_("male")},
    "menopause": {
        "premenopausal": N_("before menopause"),
        "postmenopausal": N_("after menopause"),
    },
    "calcium": {"low": N_("low"), "normal": N_("in range"), "high": N_("high")},
    "heel_ultrasound": {str(name): words for name, words in READINGS.items()},
    "drug": {"none": N_("none"), **NAMES},
    "earlier_drugs.drug": NAMES,
    "fractures": _SITES,
    "symptoms": SYMPTOMS,
}
"""The words for values of facts that are chosen."""


def fact_of(name: str) -> str:
    """Return the fact that a field, or a place in the facts, is about: rows have no number."""
    return ".".join(part for part in name.split(".") if not part.isdecimal())


def label(name: str) -> str:
    """Return the words for a fact. A name that has none is an error of ours, and a test's."""
    return _(LABELS[fact_of(name)])


def shown(name: str, value: Value) -> str:
    """Return a fact's value as pages write it."""
    if isinstance(value, bool):
        word = YES_NO["yes" if value else "no"]
        return _(word)
    if isinstance(value, str):
        return _(CHOICES[name][value])
    step, unit = NUMBERS[name]
    # All the decimals that were entered: 35.4 must not be shown as 35.
    digits = max(len(step.partition(".")[2]), len(f"{value:g}".partition(".")[2]))
    unit = _(unit) if unit and not name.startswith(("t_", "z_")) else ""
    return f"{written(value, digits)} {unit.split(',')[0].split(';')[0]}".strip()
