"""Readings of the facts about a person that many rules share."""

from __future__ import annotations

from typing import Final

from service.medicine.densitometry import MEN_FROM
from service.medicine.guidance.facts import Drug, Facts, Symptom
from service.medicine.guidance.logic import Because, Finding, every, fact, neither, some

ORAL_WITH_CAUTION: Final[frozenset[Drug]] = frozenset({"alendronate", "risedronate"})
BISPHOSPHONATES: Final[frozenset[Drug]] = frozenset(
    {"alendronate", "risedronate", "ibandronate", "zoledronate"}
)
ANTIRESORPTIVES: Final[frozenset[Drug]] = BISPHOSPHONATES | {"denosumab", "raloxifene"}
EVERY_DRUG: Final[frozenset[Drug]] = ANTIRESORPTIVES | {
    "teriparatide", "abaloparatide", "romosozumab",
}  # fmt: skip


def female(facts: Facts) -> Finding:
    return fact("sex", facts.sex, lambda sex: sex == "female")


def male(facts: Facts) -> Finding:
    return fact("sex", facts.sex, lambda sex: sex == "male")


def aged(facts: Facts, least: int, most: int = 200) -> Finding:
    return fact("age", facts.age, lambda age: least <= age <= most)


def postmenopausal(facts: Facts) -> Finding:
    return every(
        female(facts), fact("menopause", facts.menopause, lambda it: it == "postmenopausal")
    )


def premenopausal(facts: Facts) -> Finding:
    return every(
        female(facts), fact("menopause", facts.menopause, lambda it: it == "premenopausal")
    )


def t_scores_apply(facts: Facts) -> Finding:
    """Post-menopausal women and men of 50 and over (ISCD)."""
    return some(postmenopausal(facts), every(male(facts), aged(facts, MEN_FROM)))


def z_scores_apply(facts: Facts) -> Finding:
    """Pre-menopausal women, men under 50, children (ISCD)."""
    young_man = every(male(facts), aged(facts, 0, MEN_FROM - 1))
    return some(premenopausal(facts), young_man, aged(facts, 0, 17))


def takes(facts: Facts, drugs: frozenset[Drug]) -> Finding:
    return fact("drug", facts.drug, lambda drug: drug in drugs)


def takes_for(facts: Facts, drugs: frozenset[Drug], least: int, below: int = 10_000) -> Finding:
    """One of ``drugs``, for ``least`` months or more and less than ``below``."""
    months = fact("drug_months", facts.drug_months, lambda n: least <= n < below)
    return every(takes(facts, drugs), months)


def untreated(facts: Facts) -> Finding:
    return fact("drug", facts.drug, lambda drug: drug == "none")


def not_on_a_drug(facts: Facts) -> Finding:
    """Not known to take one: what to begin with is shown unless something has been begun."""
    return Finding(facts.drug in (None, "none"))


def has(facts: Facts, symptom: Symptom) -> Finding:
    if facts.symptoms is None:
        return Finding(None, missing=("symptoms",))
    found = symptom in facts.symptoms
    return Finding(found, (Because("symptoms", symptom),) if found else ())


def vascular_event_within_a_year(facts: Facts) -> Finding:
    """Infarction or stroke. Twelve whole months count as within the year: the careful side."""
    if facts.mi_or_stroke is False:
        return Finding(False)
    return fact("mi_or_stroke_months_ago", facts.mi_or_stroke_months_ago, lambda n: n <= 12)


def vascular_event(facts: Facts) -> Finding:
    known = None if facts.mi_or_stroke_months_ago is None else True
    return fact("mi_or_stroke", known or facts.mi_or_stroke, bool)


def primary(facts: Facts) -> Finding:
    """Not known to be caused by glucocorticoids."""
    return neither(Finding(facts.glucocorticoids is True))
