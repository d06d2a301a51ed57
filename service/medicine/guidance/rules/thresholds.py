"""When a guideline would treat. Each guideline speaks for itself, also where two agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.language.locale import N_
from service.medicine.densitometry import LOW_MASS, OSTEOPOROSIS
from service.medicine.guidance.bone import (
    CENTRAL,
    any_t,
    fracture,
    frax,
    osteoporosis_range,
    thresholds,
    untested,
)
from service.medicine.guidance.bone import very_high_risk as at_very_high_risk
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every, fact, some
from service.medicine.guidance.person import (
    aged,
    early_menopause,
    female,
    long_term_glucocorticoids,
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
    return every(
        long_term_glucocorticoids(facts), any_t(facts, lambda t: t <= OSTEOPOROSIS, CENTRAL)
    )


def _dvo(least: float, below: float = 101) -> Callable[[Facts], Finding]:
    """DVO's guideline is for women after menopause and men of 50 and over."""
    return lambda facts: every(
        t_scores_apply(facts),
        fact("dvo_risk", facts.dvo_risk, lambda percent: least <= percent < below),
    )


def _at_some_risk(facts: Facts) -> Finding:
    """A woman after menopause or a man of 50 and over, and something that raises the risk."""
    reason = some(
        any_t(facts, lambda t: t < LOW_MASS),
        fracture(facts),
        long_term_glucocorticoids(facts),
        _risk_factor(facts),
    )
    return every(t_scores_apply(facts), reason)


def _dvo_asked(facts: Facts) -> Finding:
    return every(_at_some_risk(facts), Finding(facts.dvo_risk is None))


def _risk_factor(facts: Facts) -> Finding:
    return some(fact("risk_factor", facts.risk_factor, bool), early_menopause(facts))


def _nogg(facts: Facts) -> Finding:
    known = frax(facts, lambda _percent: True, lambda _percent: True)
    return every(t_scores_apply(facts), fact("age", facts.age, lambda _age: True), known)


RULES: Final = (
    Rule(
        id="dvo-2023-quoted.ten",
        kind="threshold",
        text=N_("From a three-year risk of 10 % on DVO would treat, without fail."),
        when=_dvo(10),
        treats=True,
    ),
    Rule(
        id="dvo-2023-quoted.five",
        kind="threshold",
        text=N_("At a three-year risk from 5 % to below 10 % DVO recommends drug treatment."),
        when=_dvo(5, 10),
        treats=True,
    ),
    Rule(
        id="dvo-2023-quoted.three",
        kind="threshold",
        text=N_(
            "At a three-year risk from 3 % to below 5 % DVO recommends its basic measures; drug "
            "treatment may be considered where the risk is likely to rise."
        ),
        when=_dvo(3, 5),
    ),
    Rule(
        id="dvo-2023-quoted.below-three",
        kind="threshold",
        text=N_("Below a three-year risk of 3 % DVO gives its general advice, and no drug."),
        when=_dvo(0, 3),
    ),
    Rule(
        id="dvo-2023.risk",
        kind="threshold",
        text=N_(
            "DVO decides by the risk of a fracture of vertebra or hip within three years, from its "
            "own calculator, which is not held here. Its thresholds are 3, 5 and 10 %: enter the "
            "figure."
        ),
        when=_dvo_asked,
    ),
    Rule(
        id="dvo-2023-quoted.fracture",
        kind="threshold",
        text=N_("DVO would treat early after a fracture of vertebra or hip."),
        when=lambda facts: every(t_scores_apply(facts), fracture(facts, "hip", "vertebra")),
        treats=True,
    ),
    Rule(
        id="dvo-2023.women-70",
        kind="threshold",
        text=N_(
            "DVO holds a measurement of bone density indicated in women from 70 on, where it would "
            "change the treatment."
        ),
        when=lambda facts: every(untested(facts), female(facts), aged(facts, 70)),
    ),
    Rule(
        id="dvo-2023.risk-factor",
        kind="threshold",
        text=N_(
            "DVO advises a measurement of bone density in women after menopause and men of 50 and "
            "over with a risk factor."
        ),
        when=lambda facts: every(untested(facts), t_scores_apply(facts), _risk_factor(facts)),
    ),
    Rule(
        id="nice-ta464.risk",
        kind="threshold",
        text=N_(
            "NICE assesses the risk of fracture first, by FRAX or QFracture, and not by the "
            "T-score alone; whom to treat then follows NOGG’s thresholds."
        ),
        when=_at_some_risk,
    ),
    Rule(
        id="commonly-stated.fracture",
        kind="threshold",
        text=N_(
            "After a fragility fracture bone density, its causes and the risk of the next one are "
            "commonly looked into, at any age and whatever is not known of the rest."
        ),
        when=fracture,
    ),
    Rule(
        id="commonly-stated.early-menopause",
        kind="threshold",
        text=N_(
            "A menopause before 45 is commonly counted among the risk factors for osteoporosis; "
            "bone density is measured, and another cause looked for."
        ),
        when=early_menopause,
    ),
    Rule(
        id="bhof-2022.fracture",
        kind="threshold",
        text=N_("BHOF would treat after a hip or vertebral fracture, whatever the bone density."),
        when=_bhof(0),
        treats=True,
    ),
    Rule(
        id="bhof-2022.t-score",
        kind="threshold",
        text=N_(
            "BHOF would treat at a T-score of −2.5 or lower at spine, femoral neck or total hip."
        ),
        when=_bhof(1),
        treats=True,
    ),
    Rule(
        id="bhof-2022.frax",
        kind="threshold",
        text=N_(
            "BHOF would treat low bone mass when FRAX gives 20 % or more for a major osteoporotic "
            "fracture, or 3 % or more for the hip."
        ),
        when=_bhof(2),
        treats=True,
    ),
    Rule(
        id="bhof-2022.low-mass-fracture",
        kind="threshold",
        text=N_("BHOF would treat low bone mass after a fracture of humerus, pelvis or forearm."),
        when=_bhof(3),
        treats=True,
    ),
    Rule(
        id="aace-2020.fracture",
        kind="threshold",
        text=N_("AACE would treat after a hip or vertebral fracture, whatever the bone density."),
        when=_aace(0),
        treats=True,
    ),
    Rule(
        id="aace-2020.t-score",
        kind="threshold",
        text=N_(
            "AACE would treat at a T-score of −2.5 or lower at spine, femoral neck or total hip."
        ),
        when=_aace(1),
        treats=True,
    ),
    Rule(
        id="aace-2020.frax",
        kind="threshold",
        text=N_(
            "AACE would treat low bone mass when FRAX gives 20 % or more for a major osteoporotic "
            "fracture, or 3 % or more for the hip."
        ),
        when=_aace(2),
        treats=True,
    ),
    Rule(
        id="aace-2020.low-mass-fracture",
        kind="threshold",
        text=N_("AACE would treat low bone mass after a fracture of humerus, pelvis or forearm."),
        when=_aace(3),
        treats=True,
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
        treats=True,
    ),
    Rule(
        id="acp-2023.men",
        kind="threshold",
        text=N_("ACP suggests drug treatment for men with primary osteoporosis."),
        when=_acp(male),
        strength=N_("conditional recommendation"),
        treats=True,
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
            _risk_factor(facts),
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
