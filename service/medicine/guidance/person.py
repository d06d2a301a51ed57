"""Readings of the facts about a person that many rules share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from service.medicine.densitometry import Score, applies, assumed_menopause
from service.medicine.guidance.facts import Earlier, Facts, Symptom
from service.medicine.guidance.logic import NO, Because, Finding, every, fact, neither, some

EARLY_MENOPAUSE: Final = 45
"""Age in years before which menopause is called early."""

LONG_TERM_MG: Final = 2.5
"""Of prednisolone a day; with :data:`LONG_TERM_MONTHS` whom ACR's guideline of 2022 is for."""

LONG_TERM_MONTHS: Final = 3


def female(facts: Facts) -> Finding:
    return fact("sex", facts.sex, lambda sex: sex == "female")


def male(facts: Facts) -> Finding:
    return fact("sex", facts.sex, lambda sex: sex == "male")


def aged(facts: Facts, least: int, most: int = 200) -> Finding:
    return fact("age", facts.age, lambda age: least <= age <= most)


def _menopause(facts: Facts, state: str) -> Finding:
    """As it was entered, told by the age at which it came, or assumed from the present age."""
    if facts.menopause is None and facts.menopause_age is not None:
        found = state == "postmenopausal"
        return Finding(found, (Because("menopause_age", facts.menopause_age),) if found else ())
    if facts.menopause is None:
        assumed = assumed_menopause(facts.age)
        if assumed is None:
            return Finding(None, missing=("menopause",))
        found = assumed == state
        return Finding(found, (Because("menopause", assumed, assumed=True),) if found else ())
    return fact("menopause", facts.menopause, lambda it: it == state)


def postmenopausal(facts: Facts) -> Finding:
    return every(female(facts), _menopause(facts, "postmenopausal"))


def premenopausal(facts: Facts) -> Finding:
    return every(female(facts), _menopause(facts, "premenopausal"))


def early_menopause(facts: Facts) -> Finding:
    """Before :data:`EARLY_MENOPAUSE`, told by the age at which it came or by the present one."""
    if facts.menopause_age is None and facts.menopause == "postmenopausal":
        young = facts.age is not None and facts.age < EARLY_MENOPAUSE
        return every(female(facts), aged(facts, 0, EARLY_MENOPAUSE - 1)) if young else NO
    if facts.menopause_age is None:
        return NO
    return fact("menopause_age", facts.menopause_age, lambda age: age < EARLY_MENOPAUSE)


def t_scores_apply(facts: Facts) -> Finding:
    """Post-menopausal women and men of 50 and over (ISCD)."""
    return _read(facts, "t")


def z_scores_apply(facts: Facts) -> Finding:
    """Pre-menopausal women and men under 50 (ISCD)."""
    return _read(facts, "z")


def _read(facts: Facts, score: Score) -> Finding:
    known = facts.menopause or ("postmenopausal" if facts.menopause_age is not None else None)
    found = applies(facts.sex, facts.age, known)
    if found.score is None:
        return Finding(None, missing=found.missing)
    if found.score != score:
        return NO
    if facts.sex == "male":
        return Finding(True, (*male(facts).because, Because("age", facts.age or 0)))
    reasons = _menopause(facts, "postmenopausal" if score == "t" else "premenopausal").because
    return Finding(True, (*(female(facts).because if facts.sex else ()), *reasons))


def takes(facts: Facts, drugs: Collection[str]) -> Finding:
    return fact("drug", facts.drug, lambda drug: drug in drugs)


def takes_for(facts: Facts, drugs: Collection[str], least: int, below: int = 10_000) -> Finding:
    """One of ``drugs``, for ``least`` months or more and less than ``below``."""
    months = fact("drug_months", facts.drug_months, lambda n: least <= n < below)
    return every(takes(facts, drugs), months)


def took(
    facts: Facts, drugs: Collection[str], holds: Callable[[Earlier], Finding] | None = None
) -> Finding:
    """One of ``drugs`` was taken before and stopped, and that course ``holds``."""
    if facts.earlier_drugs is None:
        return Finding(None, missing=("earlier_drugs",))
    found = [one for one in facts.earlier_drugs if one.drug in drugs]
    return some(
        *(
            every(
                Finding(True, (Because("earlier_drugs.drug", one.drug),)),
                *(() if holds is None else (holds(one),)),
            )
            for one in found
        )
    )


def stopped(facts: Facts, drugs: Collection[str], least: int, below: int = 10_000) -> Finding:
    """One of ``drugs``, its last dose ``least`` months ago or more and less than ``below``."""
    return took(
        facts,
        drugs,
        lambda one: fact("earlier_drugs.months_ago", one.months_ago, lambda n: least <= n < below),
    )


def months_in_all(facts: Facts, drugs: Collection[str]) -> int:
    """Return for how long ``drugs`` are known to have been taken, now and before together."""
    before = sum(one.months or 0 for one in facts.earlier_drugs or () if one.drug in drugs)
    return before + ((facts.drug_months or 0) if facts.drug in drugs else 0)


def since_last_dose(
    facts: Facts, drugs: Collection[str], least: int, below: int = 10_000
) -> Finding:
    """One of ``drugs`` is taken, the last dose ``least`` weeks ago or more, less than ``below``."""
    weeks = fact("last_dose_weeks_ago", facts.last_dose_weeks_ago, lambda n: least <= n < below)
    return every(takes(facts, drugs), weeks)


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


def vascular_event_on(facts: Facts, drug: str) -> Finding:
    """An event while ``drug`` is taken. One of which it is not known when counts: the careful side.

    So does one within a year before the drug was begun.
    """
    ago = facts.mi_or_stroke_months_ago
    during = ago is None or ago <= max(12, facts.drug_months or 0)
    return every(takes(facts, (drug,)), vascular_event(facts), Finding(during))


def primary(facts: Facts) -> Finding:
    """Not known to be caused by glucocorticoids."""
    return neither(Finding(long_term_glucocorticoids(facts).truth is True))


def long_term_glucocorticoids(facts: Facts) -> Finding:
    """Said to be taken for long, or a dose of 2.5 mg and more for three months and more."""
    if facts.glucocorticoid_mg is None and facts.glucocorticoid_months is None:
        return fact("glucocorticoids", facts.glucocorticoids, bool)
    by_dose = glucocorticoid_dose(facts, LONG_TERM_MG, LONG_TERM_MONTHS)
    if facts.glucocorticoids is None:
        return by_dose
    return some(fact("glucocorticoids", facts.glucocorticoids, bool), by_dose)


def glucocorticoid_dose(facts: Facts, milligrams: float, months: int = 0) -> Finding:
    """``milligrams`` of prednisolone a day or more, for ``months`` or more."""
    dose = fact("glucocorticoid_mg", facts.glucocorticoid_mg, lambda mg: mg >= milligrams)
    time = fact("glucocorticoid_months", facts.glucocorticoid_months, lambda n: n >= months)
    return every(dose, time) if months else dose
