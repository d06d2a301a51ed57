"""Who is commonly sent to somebody who knows more."""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.densitometry import BELOW_FOR_AGE, MEN_FROM, OSTEOPOROSIS
from service.medicine.drugs import EVERY
from service.medicine.guidance.bone import (
    fracture,
    fracture_on_therapy,
    lowest_t,
    lowest_z,
    marked_risk,
)
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every, fact, some
from service.medicine.guidance.person import aged, male, premenopausal, takes
from service.medicine.guidance.rule import Rule


def _young(facts: Facts) -> Finding:
    """Pre-menopausal or a man under 50, with something that speaks of weak bone."""
    young = some(premenopausal(facts), every(male(facts), aged(facts, 18, MEN_FROM - 1)))
    weak = some(
        fracture(facts),
        lowest_t(facts, lambda t: t <= OSTEOPOROSIS),
        lowest_z(facts, lambda z: z <= BELOW_FOR_AGE),
    )
    return every(young, weak)


RULES: Final = (
    Rule(
        id="nogg-2024.very-high-risk",
        kind="referral",
        text=N_(
            "NOGG sends people at very high risk to a specialist. The facts meet AACE’s criteria; "
            "NOGG’s own are for the clinician to look up."
        ),
        when=marked_risk,
    ),
    Rule(
        id="commonly-stated.pregnancy-referral",
        kind="referral",
        text=N_(
            "Bone that is weak in pregnancy or while breast-feeding is a specialist’s matter; DXA "
            "is put off until after, and its reference data are not made for pregnancy."
        ),
        when=lambda facts: fact("pregnant", facts.pregnant, bool),
    ),
    Rule(
        id="commonly-stated.bone-tumour",
        kind="referral",
        text=N_(
            "With a tumour or metastases of bone, now or before, treatment of bone is commonly "
            "decided together with oncology."
        ),
        when=lambda facts: fact("bone_cancer", facts.bone_cancer, bool),
    ),
    Rule(
        id="commonly-stated.young",
        kind="referral",
        text=N_(
            "Before menopause and in men under 50, referral to a specialist is commonly advised."
        ),
        when=_young,
    ),
    Rule(
        id="commonly-stated.fracture-on-therapy",
        kind="referral",
        text=N_("After a fracture on treatment, referral to a specialist is commonly advised."),
        when=fracture_on_therapy,
    ),
    Rule(
        id="commonly-stated.kidney",
        kind="referral",
        text=N_(
            "With a GFR below 35 mL/min or on dialysis, referral to a specialist is commonly "
            "advised."
        ),
        when=lambda facts: some(
            fact("egfr", facts.egfr, lambda v: v < 35), fact("dialysis", facts.dialysis, bool)
        ),
    ),
    Rule(
        id="commonly-stated.z-score",
        kind="referral",
        text=N_(
            "With a Z-score of −2.0 or lower that nothing explains, referral to a specialist is "
            "commonly advised."
        ),
        when=lambda facts: lowest_z(facts, lambda z: z <= BELOW_FOR_AGE),
    ),
    Rule(
        id="commonly-stated.bone-loss",
        kind="referral",
        text=N_(
            "When bone is lost on treatment beyond the least significant change, referral to a "
            "specialist is commonly advised."
        ),
        when=lambda facts: every(takes(facts, EVERY), fact("bone_loss", facts.bone_loss, bool)),
    ),
    Rule(
        id="commonly-stated.malignancy",
        kind="referral",
        text=N_("When malignancy is suspected, prompt referral is commonly advised."),
        when=lambda facts: fact("suspected_malignancy", facts.suspected_malignancy, bool),
    ),
)
