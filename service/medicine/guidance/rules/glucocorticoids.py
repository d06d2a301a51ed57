"""Long-term glucocorticoids: an answer by dose, duration and age.

ACR's guideline of 2022 is for adults on 2.5 mg of prednisolone a day or more for three months and
more. Its categories of risk are quoted, not re-read.
"""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.densitometry import LOW_MASS
from service.medicine.drugs import ANABOLIC, BISPHOSPHONATES, PARATHYROID
from service.medicine.guidance.bone import any_t, fracture, lowest_z
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every, fact, some
from service.medicine.guidance.person import (
    aged,
    glucocorticoid_dose,
    long_term_glucocorticoids,
    not_on_a_drug,
    takes,
)
from service.medicine.guidance.rule import Rule


def _from_forty(facts: Facts) -> Finding:
    return every(long_term_glucocorticoids(facts), aged(facts, 40))


def _under_forty(facts: Facts) -> Finding:
    return every(long_term_glucocorticoids(facts), aged(facts, 18, 39))


def _very_high_dose(facts: Facts) -> Finding:
    return glucocorticoid_dose(facts, 30, 1)


def _at_risk(facts: Facts) -> Finding:
    """ACR's medium risk or more, from 40 on: by FRAX, T-score, fracture or dose."""
    frax = some(
        fact("frax_major", facts.frax_major, lambda percent: percent >= 10),
        fact("frax_hip", facts.frax_hip, lambda percent: percent >= 1),
    )
    low = any_t(facts, lambda t: t < LOW_MASS)
    return every(_from_forty(facts), some(frax, low, fracture(facts), _very_high_dose(facts)))


def _young_at_risk(facts: Facts) -> Finding:
    """ACR's medium risk or more, under 40: a fracture, or dose and time with weak bone."""
    weak = some(lowest_z(facts, lambda z: z < -3.0), fact("bone_loss", facts.bone_loss, bool))
    dosed = every(glucocorticoid_dose(facts, 7.5, 6), weak)
    return every(_under_forty(facts), some(fracture(facts), dosed, _very_high_dose(facts)))


def _to_treat(facts: Facts) -> Finding:
    return every(not_on_a_drug(facts), some(_at_risk(facts), _young_at_risk(facts)))


def _sequence(facts: Facts) -> Finding:
    """One of those drugs is taken, or may be begun."""
    taken = takes(facts, ("denosumab", *ANABOLIC))
    return every(long_term_glucocorticoids(facts), some(taken, _to_treat(facts)))


def _nogg(facts: Facts) -> Finding:
    return every(
        long_term_glucocorticoids(facts),
        some(aged(facts, 70), fracture(facts), glucocorticoid_dose(facts, 7.5, 3)),
    )


RULES: Final = (
    Rule(
        id="acr-2022.assess-from-40",
        kind="threshold",
        text=N_(
            "From 2.5 mg of prednisolone a day for more than three months ACR assesses the risk of "
            "fracture as soon as possible: by history, bone density with a look at the vertebrae "
            "(VFA or X-ray), and FRAX."
        ),
        when=_from_forty,
        strength=N_("strong recommendation"),
    ),
    Rule(
        id="acr-2022.assess-under-40",
        kind="threshold",
        text=N_(
            "From 2.5 mg of prednisolone a day for more than three months ACR assesses the risk of "
            "fracture as soon as possible, under 40 too: by history and bone density with a look "
            "at the vertebrae (VFA or X-ray). FRAX is not validated under 40."
        ),
        when=_under_forty,
        strength=N_("strong recommendation"),
    ),
    Rule(
        id="acr-2022.treat",
        kind="threshold",
        text=N_("At a medium, high or very high risk ACR recommends drug treatment."),
        when=lambda facts: some(_at_risk(facts), _young_at_risk(facts)),
        strength=N_("strong recommendation"),
        treats=True,
    ),
    Rule(
        id="acr-2022-quoted.categories",
        kind="threshold",
        text=N_(
            "From 40 on ACR calls the risk medium from a FRAX of 10 % (hip 1 %) or a T-score below "
            "−1.0; high from 20 % (3 %) or −2.5; very high after a fracture, from 30 % (4.5 %), at "
            "−3.5, or at 30 mg a day for more than a month."
        ),
        when=_from_forty,
    ),
    Rule(
        id="acr-2022-quoted.under-40",
        kind="threshold",
        text=N_(
            "Under 40 ACR calls the risk medium or higher after a fracture, at 30 mg a day for "
            "more than a month, or at 7.5 mg a day for six months and more together with a Z-score "
            "below −3.0 or fast loss of bone."
        ),
        when=_under_forty,
    ),
    Rule(
        id="acr-2022-quoted.frax-dose",
        kind="threshold",
        text=N_(
            "FRAX takes 2.5 to 7.5 mg a day for granted. Above that ACR multiplies its figure by "
            "1.15, and that for the hip by 1.2."
        ),
        when=lambda facts: every(
            _from_forty(facts),
            fact("glucocorticoid_mg", facts.glucocorticoid_mg, lambda mg: mg > 7.5),
        ),
    ),
    Rule(
        id="commonly-stated.nogg-glucocorticoids",
        kind="threshold",
        text=N_(
            "NOGG is commonly said to begin protecting bone together with the glucocorticoid, not "
            "waiting for bone density: from the age of 70, after a fragility fracture, or at 7.5 "
            "mg a day for three months."
        ),
        when=_nogg,
    ),
    Rule(
        id="dvo-2023-quoted.glucocorticoids",
        kind="threshold",
        text=N_(
            "DVO counts glucocorticoids from 2.5 mg a day among what raises the three-year risk, "
            "and measures bone density generously under them."
        ),
        when=long_term_glucocorticoids,
    ),
    Rule(
        id="acr-2022.first",
        kind="choice",
        text=N_(
            "Under glucocorticoids ACR recommends a bisphosphonate by mouth most strongly; the "
            "others are options, chosen together with the patient."
        ),
        when=_to_treat,
        drugs=(*BISPHOSPHONATES, "denosumab", *PARATHYROID),
    ),
    Rule(
        id="acr-2022.after-glucocorticoids",
        kind="follow_up",
        text=N_(
            "ACR gives another drug after denosumab, romosozumab, teriparatide or abaloparatide, "
            "since bone is lost and vertebrae may fracture when these simply end."
        ),
        when=_sequence,
    ),
    Rule(
        id="acr-2022-quoted.again",
        kind="follow_up",
        text=N_(
            "Under glucocorticoids bone density is measured within six months of their beginning "
            "and every one to two years after. The dose is the lowest that serves."
        ),
        when=long_term_glucocorticoids,
    ),
)
