"""What forbids a drug. Each names its ``drugs``, so that it stands with every choice of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.language.locale import N_
from service.medicine.drugs import (
    EVERY,
    PARATHYROID,
    Drug,
)
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Because, Finding, fact, some
from service.medicine.guidance.person import (
    male,
    months_in_all,
    premenopausal,
    vascular_event,
    vascular_event_within_a_year,
)
from service.medicine.guidance.rule import Rule

SEVERE_KIDNEY: Final = 30.0
"""mL/min, below which kidney disease is called severe (FDA's letter on denosumab has the same)."""


def kidney(holds: Callable[[float], bool]) -> Callable[[Facts], Finding]:
    """Dialysis, or a GFR that ``holds``. Where a GFR is given, dialysis is not asked for."""

    def when(facts: Facts) -> Finding:
        low = fact("egfr", facts.egfr, holds)
        if facts.dialysis or facts.egfr is None:
            return some(fact("dialysis", facts.dialysis, bool), low)
        return low

    return when


def calcium(level: str) -> Callable[[Facts], Finding]:
    return lambda facts: fact("calcium", facts.calcium, lambda found: found == level)


def _said(name: str) -> Callable[[Facts], Finding]:
    return lambda facts: fact(name, getattr(facts, name), bool)


def _two_years(facts: Facts) -> Finding:
    """Of both analogues of parathyroid hormone together, as far as times are known."""
    months = months_in_all(facts, PARATHYROID)
    if months < 24:
        return Finding(False)
    now = (Because("drug_months", facts.drug_months),) if facts.drug_months else ()
    before = tuple(
        Because("earlier_drugs.months", one.months)
        for one in facts.earlier_drugs or ()
        if one.drug in PARATHYROID and one.months
    )
    return Finding(True, (*(now if facts.drug in PARATHYROID else ()), *before))


def _not_after_menopause(facts: Facts) -> Finding:
    return some(male(facts), premenopausal(facts))


def _oesophagus(facts: Facts) -> Finding:
    return some(_said("oesophageal_disease")(facts), _said("upright_impossible")(facts))


_LABELLED: Final[tuple[Drug, ...]] = ("alendronate", "risedronate")

RULES: Final = (
    Rule(
        id="romosozumab-label.vascular-event",
        kind="contraindication",
        text=N_(
            "Romosozumab is not to be started within a year of a myocardial infarction or stroke."
        ),
        when=vascular_event_within_a_year,
        strength=N_("boxed warning"),
        drugs=("romosozumab",),
    ),
    Rule(
        id="tga-romosozumab.vascular-history",
        kind="contraindication",
        text=N_(
            "Romosozumab is contraindicated after a myocardial infarction or stroke at any time; "
            "the United States’ label says within a year. Look up the one in force where you are."
        ),
        when=vascular_event,
        strength=N_("contraindication"),
        drugs=("romosozumab",),
    ),
    Rule(
        id="romosozumab-label.hypocalcaemia",
        kind="contraindication",
        text=N_("Romosozumab is contraindicated in hypocalcaemia, until it is corrected."),
        when=calcium("low"),
        strength=N_("contraindication"),
        drugs=("romosozumab",),
    ),
    Rule(
        id="denosumab-label.hypocalcaemia",
        kind="contraindication",
        text=N_("Denosumab is contraindicated in hypocalcaemia, until it is corrected."),
        when=calcium("low"),
        strength=N_("contraindication"),
        drugs=("denosumab",),
    ),
    Rule(
        id="bisphosphonate-labels.hypocalcaemia",
        kind="contraindication",
        text=N_(
            "Alendronate and risedronate are contraindicated in hypocalcaemia, until it is "
            "corrected."
        ),
        when=calcium("low"),
        strength=N_("contraindication"),
        drugs=_LABELLED,
    ),
    Rule(
        id="commonly-stated.hypocalcaemia",
        kind="contraindication",
        text=N_(
            "Ibandronate and zoledronate are commonly said to be contraindicated in "
            "hypocalcaemia, until it is corrected and vitamin D is replaced."
        ),
        when=calcium("low"),
        drugs=("ibandronate", "ibandronate_iv", "zoledronate"),
    ),
    # Approved for a GFR *above* the limit: the limit itself is not above it.
    Rule(
        id="drug-table.kidney-35",
        kind="contraindication",
        text=N_("Alendronate and zoledronate are approved for a GFR above 35 mL/min only."),
        when=kidney(lambda rate: rate <= 35),
        drugs=("alendronate", "zoledronate"),
    ),
    Rule(
        id="drug-table.kidney-30",
        kind="contraindication",
        text=N_("Risedronate and ibandronate are approved for a GFR above 30 mL/min only."),
        when=kidney(lambda rate: rate <= 30),
        drugs=("risedronate", "ibandronate", "ibandronate_iv"),
    ),
    Rule(
        id="eu-parathyroid.kidney",
        kind="contraindication",
        text=N_(
            "Teriparatide and abaloparatide are contraindicated in severe kidney disease "
            "(European product information)."
        ),
        when=kidney(lambda rate: rate < SEVERE_KIDNEY),
        strength=N_("contraindication"),
        drugs=PARATHYROID,
    ),
    Rule(
        id="commonly-stated.raloxifene-kidney",
        kind="contraindication",
        text=N_("Raloxifene is commonly said to be contraindicated in severe kidney disease."),
        when=kidney(lambda rate: rate < SEVERE_KIDNEY),
        drugs=("raloxifene",),
    ),
    Rule(
        id="bisphosphonate-labels.oesophagus",
        kind="contraindication",
        text=N_(
            "Alendronate and risedronate by mouth are contraindicated where the oesophagus empties "
            "late, as with a stricture or achalasia, and where somebody cannot stay upright for "
            "half an hour; with other oesophageal disease they are avoided or given with great "
            "care. That holds for solutions and effervescent tablets too."
        ),
        when=_oesophagus,
        strength=N_("contraindication"),
        drugs=_LABELLED,
    ),
    Rule(
        id="commonly-stated.oesophagus",
        kind="contraindication",
        text=N_(
            "Ibandronate by mouth is commonly said to be contraindicated in oesophageal disease "
            "and where somebody cannot stay upright for an hour."
        ),
        when=_oesophagus,
        drugs=("ibandronate",),
    ),
    Rule(
        id="eu-parathyroid.hypercalcaemia",
        kind="contraindication",
        text=N_(
            "Teriparatide and abaloparatide are contraindicated in hypercalcaemia (European "
            "product information)."
        ),
        when=calcium("high"),
        strength=N_("contraindication"),
        drugs=PARATHYROID,
    ),
    Rule(
        id="eu-parathyroid.bone-cancer",
        kind="contraindication",
        text=N_(
            "Teriparatide and abaloparatide are contraindicated with a tumour of bone or "
            "metastases in it, now or before (European product information)."
        ),
        when=_said("bone_cancer"),
        strength=N_("contraindication"),
        drugs=PARATHYROID,
    ),
    Rule(
        id="eu-parathyroid.radiotherapy",
        kind="contraindication",
        text=N_(
            "Teriparatide and abaloparatide are contraindicated after radiation of the skeleton "
            "(European product information)."
        ),
        when=_said("skeletal_radiotherapy"),
        strength=N_("contraindication"),
        drugs=PARATHYROID,
    ),
    Rule(
        id="eu-parathyroid.paget",
        kind="contraindication",
        text=N_(
            "Teriparatide is contraindicated in Paget’s disease, and both teriparatide and "
            "abaloparatide where alkaline phosphatase is raised without explanation (European "
            "product information)."
        ),
        when=_said("paget"),
        strength=N_("contraindication"),
        drugs=PARATHYROID,
    ),
    Rule(
        id="drug-table.two-years",
        kind="contraindication",
        text=N_(
            "Teriparatide and abaloparatide are given for two years at most, all courses together."
        ),
        when=_two_years,
        drugs=PARATHYROID,
    ),
    Rule(
        id="raloxifene-label.thrombosis",
        kind="contraindication",
        text=N_(
            "Raloxifene is contraindicated during and after venous thrombosis: deep vein "
            "thrombosis, pulmonary embolism, retinal vein thrombosis."
        ),
        when=_said("thrombosis"),
        strength=N_("boxed warning"),
        drugs=("raloxifene",),
    ),
    Rule(
        id="hormone-therapy.thrombosis",
        kind="contraindication",
        text=N_("Hormone therapy is contraindicated during and after venous thrombosis."),
        when=_said("thrombosis"),
        strength=N_("contraindication"),
        drugs=("hormone_therapy",),
    ),
    Rule(
        id="hormone-therapy.vascular-event",
        kind="contraindication",
        text=N_("Hormone therapy is contraindicated after a myocardial infarction or stroke."),
        when=vascular_event,
        strength=N_("contraindication"),
        drugs=("hormone_therapy",),
    ),
    Rule(
        id="hormone-therapy.breast-cancer",
        kind="contraindication",
        text=N_(
            "Hormone therapy is contraindicated with known, suspected or past breast cancer and "
            "other tumours that depend on oestrogen."
        ),
        when=_said("breast_cancer"),
        strength=N_("contraindication"),
        drugs=("hormone_therapy",),
    ),
    Rule(
        id="raloxifene-label.women",
        kind="contraindication",
        text=N_("Raloxifene is approved for women after menopause only."),
        when=_not_after_menopause,
        drugs=("raloxifene",),
    ),
    Rule(
        id="romosozumab-label.women",
        kind="contraindication",
        text=N_("Romosozumab is approved for women after menopause only (United States’ label)."),
        when=_not_after_menopause,
        drugs=("romosozumab",),
    ),
    Rule(
        id="eu-parathyroid.women",
        kind="contraindication",
        text=N_(
            "Abaloparatide is approved in Europe for women after menopause only, and "
            "contraindicated in women who may become pregnant."
        ),
        when=_not_after_menopause,
        drugs=("abaloparatide",),
    ),
    Rule(
        id="hormone-therapy.men",
        kind="contraindication",
        text=N_("Hormone therapy is meant here for women."),
        when=male,
        drugs=("hormone_therapy",),
    ),
    Rule(
        id="denosumab-label.pregnancy",
        kind="contraindication",
        text=N_("Denosumab is contraindicated in pregnancy."),
        when=_said("pregnant"),
        strength=N_("contraindication"),
        drugs=("denosumab",),
    ),
    Rule(
        id="eu-parathyroid.pregnancy",
        kind="contraindication",
        text=N_(
            "Teriparatide and abaloparatide are contraindicated in pregnancy and breast-feeding "
            "(European product information)."
        ),
        when=_said("pregnant"),
        strength=N_("contraindication"),
        drugs=PARATHYROID,
    ),
    Rule(
        id="commonly-stated.pregnancy",
        kind="contraindication",
        text=N_(
            "In pregnancy, while breast-feeding and before a planned pregnancy none of these drugs "
            "is commonly begun; bisphosphonates stay in bone for years. What is taken already is "
            "for a specialist to decide."
        ),
        when=_said("pregnant"),
        drugs=EVERY,
    ),
)
