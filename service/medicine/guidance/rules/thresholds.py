"""When a guideline would treat. Each guideline speaks for itself, also where two agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.language.locale import N_
from service.medicine.densitometry import OSTEOPOROSIS
from service.medicine.guidance.bone import (
    CENTRAL,
    any_t,
    frax,
    osteoporosis_range,
    thresholds,
    untested,
)
from service.medicine.guidance.bone import very_high_risk as at_very_high_risk
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every, fact
from service.medicine.guidance.person import (
    aged,
    female,
    male,
    postmenopausal,
    primary,
    t_scores_apply,
)
from service.medicine.guidance.rule import Rule


def _bhof(which: int) -> Callable[[Facts], Finding]:
    return lambda facts: thresholds(facts)[which]


def _aace(which: int) -> Callable[[Facts], Finding]:
    """AACE's guideline is for post-menopausal women."""
    return lambda facts: every(postmenopausal(facts), thresholds(facts)[which])


def _acp(person: Callable[[Facts], Finding]) -> Callable[[Facts], Finding]:
    return lambda facts: every(primary(facts), person(facts), osteoporosis_range(facts))


def _glucocorticoids(facts: Facts) -> Finding:
    taken = fact("glucocorticoids", facts.glucocorticoids, bool)
    return every(taken, any_t(facts, lambda t: t <= OSTEOPOROSIS, CENTRAL))


def _nogg(facts: Facts) -> Finding:
    known = frax(facts, lambda _percent: True, lambda _percent: True)
    return every(t_scores_apply(facts), fact("age", facts.age, lambda _age: True), known)


RULES: Final = (
    Rule(
        id="bhof-2022.fracture",
        kind="threshold",
        text=N_("BHOF would treat after a hip or vertebral fracture, whatever the bone density."),
        when=_bhof(0),
    ),
    Rule(
        id="bhof-2022.t-score",
        kind="threshold",
        text=N_(
            "BHOF would treat at a T-score of −2.5 or lower at spine, femoral neck or total hip."
        ),
        when=_bhof(1),
    ),
    Rule(
        id="bhof-2022.frax",
        kind="threshold",
        text=N_(
            "BHOF would treat low bone mass when FRAX gives 20 % or more for a major osteoporotic "
            "fracture, or 3 % or more for the hip."
        ),
        when=_bhof(2),
    ),
    Rule(
        id="bhof-2022.low-mass-fracture",
        kind="threshold",
        text=N_("BHOF would treat low bone mass after a fracture of humerus, pelvis or forearm."),
        when=_bhof(3),
    ),
    Rule(
        id="aace-2020.fracture",
        kind="threshold",
        text=N_("AACE would treat after a hip or vertebral fracture, whatever the bone density."),
        when=_aace(0),
    ),
    Rule(
        id="aace-2020.t-score",
        kind="threshold",
        text=N_(
            "AACE would treat at a T-score of −2.5 or lower at spine, femoral neck or total hip."
        ),
        when=_aace(1),
    ),
    Rule(
        id="aace-2020.frax",
        kind="threshold",
        text=N_(
            "AACE would treat low bone mass when FRAX gives 20 % or more for a major osteoporotic "
            "fracture, or 3 % or more for the hip."
        ),
        when=_aace(2),
    ),
    Rule(
        id="aace-2020.low-mass-fracture",
        kind="threshold",
        text=N_("AACE would treat low bone mass after a fracture of humerus, pelvis or forearm."),
        when=_aace(3),
    ),
    Rule(
        id="aace-2020.very-high-risk",
        kind="threshold",
        text=N_(
            "AACE speaks of very high risk: a fracture within twelve months, on treatment, or "
            "more than one; a T-score below −3.0; a high risk of falls; or FRAX above 30 % "
            "for a major osteoporotic fracture or above 4.5 % for the hip."
        ),
        when=at_very_high_risk,
    ),
    Rule(
        id="acp-2023.women",
        kind="threshold",
        text=N_("ACP recommends drug treatment for women with primary osteoporosis."),
        when=_acp(postmenopausal),
        strength=N_("strong recommendation"),
    ),
    Rule(
        id="acp-2023.men",
        kind="threshold",
        text=N_("ACP suggests drug treatment for men with primary osteoporosis."),
        when=_acp(male),
        strength=N_("conditional recommendation"),
    ),
    Rule(
        id="acp-2023.not-secondary",
        kind="threshold",
        text=N_(
            "ACP’s recommendations are for primary osteoporosis. With long-term glucocorticoids "
            "they do not apply as they stand, and are not shown here."
        ),
        when=_glucocorticoids,
    ),
    Rule(
        id="nogg-2024.frax",
        kind="threshold",
        text=N_(
            "NOGG sets the FRAX figure against thresholds that depend on age and are not held "
            "here. Low risk: lifestyle, and another look within five years. Intermediate: measure "
            "bone density. High: treat. Very high: specialist, perhaps treatment by injection."
        ),
        when=_nogg,
    ),
    Rule(
        id="uspstf-2025.women-65",
        kind="threshold",
        text=N_("USPSTF recommends screening for osteoporosis in women of 65 and over."),
        when=lambda facts: every(untested(facts), female(facts), aged(facts, 65)),
        strength=N_("grade B"),
    ),
    Rule(
        id="uspstf-2025.women-younger",
        kind="threshold",
        text=N_(
            "USPSTF recommends screening in post-menopausal women under 65 with at least one risk "
            "factor."
        ),
        when=lambda facts: every(
            untested(facts),
            postmenopausal(facts),
            aged(facts, 18, 64),
            fact("risk_factor", facts.risk_factor, bool),
        ),
        strength=N_("grade B"),
    ),
    Rule(
        id="uspstf-2025.men",
        kind="threshold",
        text=N_("USPSTF finds the evidence for screening men insufficient."),
        when=lambda facts: every(untested(facts), male(facts), aged(facts, 18)),
        strength=N_("grade I"),
    ),
)
