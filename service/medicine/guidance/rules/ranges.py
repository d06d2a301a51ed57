"""In which range a bone density lies, and whom the ranges are made for (WHO, ISCD)."""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.densitometry import BELOW_FOR_AGE, LEAST_VERTEBRAE, OSTEOPOROSIS
from service.medicine.guidance.bone import (
    fracture,
    low_mass_range,
    lowest_t,
    lowest_z,
    normal_range,
    osteoporosis_range,
)
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every, fact, some
from service.medicine.guidance.person import t_scores_apply, z_scores_apply
from service.medicine.guidance.rule import Rule


def _below_for_age(facts: Facts) -> Finding:
    return every(z_scores_apply(facts), lowest_z(facts, lambda z: z <= BELOW_FOR_AGE))


def _not_by_density(facts: Facts) -> Finding:
    scored = some(lowest_t(facts, lambda _t: True), lowest_z(facts, lambda _z: True))
    return every(z_scores_apply(facts), scored)


def _not_known(facts: Facts) -> Finding:
    """A score was given, and it is not known whose."""
    applies = t_scores_apply(facts)
    if applies.truth is not None:
        return Finding(False)
    scored = some(lowest_t(facts, lambda _t: True), lowest_z(facts, lambda _z: True))
    return Finding(True, scored.because, applies.missing) if scored.truth else scored


def _too_few_vertebrae(facts: Facts) -> Finding:
    return fact("evaluable_vertebrae", facts.evaluable_vertebrae, lambda n: n < LEAST_VERTEBRAE)


def _persists(facts: Facts) -> Finding:
    improved = lowest_t(facts, lambda t: t > OSTEOPOROSIS)
    diagnosed = fact("diagnosed_before", facts.diagnosed_before, bool)
    return every(diagnosed, t_scores_apply(facts), improved)


RULES: Final = (
    Rule(
        id="who-classes.osteoporosis",
        kind="range",
        text=N_(
            "The lowest T-score lies in the range of osteoporosis: −2.5 or lower. Whether it is "
            "osteoporosis, and why, a clinician decides."
        ),
        when=osteoporosis_range,
    ),
    Rule(
        id="who-classes.severe",
        kind="range",
        text=N_(
            "A T-score of −2.5 or lower together with a fragility fracture is called severe "
            "osteoporosis."
        ),
        when=lambda facts: every(osteoporosis_range(facts), fracture(facts)),
    ),
    Rule(
        id="esceo-2019.low-mass",
        kind="range",
        text=N_(
            "The lowest T-score lies between −2.5 and −1.0: low bone mass, also called osteopenia. "
            "It describes a range and is not a disease."
        ),
        when=low_mass_range,
    ),
    Rule(
        id="who-classes.normal",
        kind="range",
        text=N_(
            "The lowest T-score given lies in the normal range, −1.0 or higher. That does not rule "
            "osteoporosis out: a fragility fracture counts at any bone density, and degeneration "
            "can raise the figure."
        ),
        when=normal_range,
    ),
    Rule(
        id="iscd-2005.z-score",
        kind="range",
        text=N_(
            "Before menopause and in men under 50 the Z-score is used, and no class by T-score. "
            "Osteoporosis is not diagnosed from bone density alone."
        ),
        when=_not_by_density,
    ),
    Rule(
        id="iscd-2005.whose-score",
        kind="range",
        text=N_(
            "Classes by T-score are for women after menopause and men of 50 and over; in others "
            "the Z-score is used. Which holds is not known here, so no class is named: enter sex, "
            "age and menopause."
        ),
        when=_not_known,
    ),
    Rule(
        id="iscd-2005.below-for-age",
        kind="range",
        text=N_("A Z-score of −2.0 or lower is below the expected range for age."),
        when=_below_for_age,
    ),
    Rule(
        id="iscd-2024.vertebrae",
        kind="range",
        text=N_(
            "With fewer than two vertebrae that can be evaluated, the spine is used neither for "
            "diagnosis nor for monitoring: its T-score is left out here. Another site is needed."
        ),
        when=_too_few_vertebrae,
    ),
    Rule(
        id="aace-2020.persists",
        kind="range",
        text=N_(
            "A diagnosis of osteoporosis persists when bone density has improved on treatment."
        ),
        when=_persists,
    ),
)
