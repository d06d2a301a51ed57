"""What comes after: looking again, what must not simply end, and what to look for in the blood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.language.locale import N_
from service.medicine.densitometry import BELOW_FOR_AGE
from service.medicine.drugs import ANTIRESORPTIVES, BISPHOSPHONATES, EVERY
from service.medicine.guidance.bone import (
    HIP,
    fracture,
    height_lost,
    lowest_t,
    lowest_z,
    osteoporosis_range,
)
from service.medicine.guidance.facts import Facts, Scores
from service.medicine.guidance.logic import NO, Finding, every, fact, neither, some
from service.medicine.guidance.person import (
    aged,
    female,
    glucocorticoid_dose,
    male,
    postmenopausal,
    t_scores_apply,
    takes,
    takes_for,
    untreated,
)
from service.medicine.guidance.rule import Rule

ATTENUATION: Final = 110
"""Hounsfield units at which L1 was more than 90 % specific (domain.md §7.2)."""
_OTHER_BISPHOSPHONATES: Final = tuple(it for it in BISPHOSPHONATES if it != "zoledronate")


def _women_on(facts: Facts, found: Finding) -> Finding:
    return every(postmenopausal(facts), found)


def _again(least: float, below: float) -> Callable[[Facts], Finding]:
    """The study's women: 67 and over, untreated, neither hip nor vertebral fracture, hip T-scores.

    Its groups are closed at both ends (−1.49 to −1.01 and so on); scores have one decimal here.
    """
    return lambda facts: every(
        postmenopausal(facts),
        aged(facts, 67),
        untreated(facts),
        neither(fracture(facts, "hip", "vertebra")),
        lowest_t(facts, lambda t: least <= t < below, HIP),
    )


def _without_dxa(facts: Facts, found: Finding) -> Finding:
    """``found`` of somebody of whom no T-score was entered: DXA has the word where there is one."""
    return every(found, Finding(facts.t_scores == Scores()))


def _ct(facts: Facts) -> Finding:
    # Not given it is no gap: nobody is asked to have a CT made.
    if facts.ct_hu is None:
        return NO
    return _without_dxa(facts, fact("ct_hu", facts.ct_hu, lambda hu: hu <= ATTENUATION))


def _heel(facts: Facts) -> Finding:
    if facts.heel_ultrasound is None:
        return NO
    found = fact("heel_ultrasound", facts.heel_ultrasound, lambda reads: reads == "low")
    return _without_dxa(facts, found)


def _vfa(facts: Facts) -> Finding:
    """A T-score below −1.0, and age, height lost, a fracture told of, or glucocorticoids."""
    if facts.glucocorticoids is False and facts.glucocorticoid_mg is None:
        glucocorticoids = NO
    else:
        glucocorticoids = glucocorticoid_dose(facts, 5, 3)
    return every(
        t_scores_apply(facts),
        lowest_t(facts, lambda t: t < -1.0),
        some(
            every(female(facts), aged(facts, 70)),
            every(male(facts), aged(facts, 80)),
            height_lost(facts, 4, more=True),
            fact("reported_vertebral_fracture", facts.reported_vertebral_fracture, bool),
            glucocorticoids,
        ),
    )


def _secondary(facts: Facts) -> Finding:
    return some(
        osteoporosis_range(facts), fracture(facts), lowest_z(facts, lambda z: z <= BELOW_FOR_AGE)
    )


RULES: Final = (
    Rule(
        id="pickhardt-2013.ct",
        kind="follow_up",
        text=N_(
            "Attenuation of L1 is 110 HU or less, which spoke for osteoporosis by DXA at one "
            "American centre (specificity more than 90 %). No class and no treatment follows from "
            "it: DXA of spine and hip measures what thresholds are of."
        ),
        when=_ct,
    ),
    Rule(
        id="heel-agreement.ultrasound",
        kind="follow_up",
        text=N_(
            "Ultrasound of the heel agreed with DXA’s classes hardly more often than by chance (κ "
            "0.09 in women, 0.12 in men). No class and no treatment follows from a low one: DXA of "
            "spine and hip measures what thresholds are of."
        ),
        when=_heel,
    ),
    Rule(
        id="endocrine-2020.denosumab",
        kind="follow_up",
        text=N_(
            "The Endocrine Society: denosumab is not stopped, and no dose put off, without another "
            "drug to follow."
        ),
        when=lambda facts: _women_on(facts, takes(facts, ("denosumab",))),
    ),
    Rule(
        id="romosozumab-label.after",
        kind="follow_up",
        text=N_("Romosozumab is followed by an antiresorptive drug."),
        when=lambda facts: takes(facts, ("romosozumab",)),
        then=ANTIRESORPTIVES,
    ),
    Rule(
        id="acp-2023.after",
        kind="follow_up",
        text=N_("ACP follows romosozumab or teriparatide with a bisphosphonate."),
        when=lambda facts: _women_on(facts, takes(facts, ("romosozumab", "teriparatide"))),
        then=BISPHOSPHONATES,
    ),
    Rule(
        id="endocrine-2020.reassess",
        kind="follow_up",
        text=N_(
            "The Endocrine Society looks at the risk anew after 3 to 5 years of a bisphosphonate; "
            "at low to moderate risk a pause of up to 5 years may be considered."
        ),
        when=lambda facts: _women_on(facts, takes_for(facts, _OTHER_BISPHOSPHONATES, 36)),
    ),
    Rule(
        id="endocrine-2020.reassess-zoledronate",
        kind="follow_up",
        text=N_(
            "The Endocrine Society looks at the risk anew after 3 years of zoledronate; at low to "
            "moderate risk a pause of up to 5 years may be considered."
        ),
        when=lambda facts: _women_on(facts, takes_for(facts, ("zoledronate",), 36)),
    ),
    Rule(
        id="acog-2022.dxa",
        kind="follow_up",
        text=N_("ACOG repeats DXA every 1 to 3 years on treatment until it is stable."),
        when=lambda facts: _women_on(facts, takes(facts, EVERY)),
    ),
    Rule(
        id="endocrine-2020.dxa",
        kind="follow_up",
        text=N_("The Endocrine Society repeats DXA every 1 to 3 years on treatment."),
        when=lambda facts: _women_on(facts, takes(facts, EVERY)),
    ),
    Rule(
        id="interval-2012.normal",
        kind="follow_up",
        text=N_(
            "Of untreated women with a hip T-score of −1.0 or higher, one in ten had osteoporosis "
            "after about 16.8 years."
        ),
        when=_again(-1.0, 99),
    ),
    Rule(
        id="interval-2012.mild",
        kind="follow_up",
        text=N_(
            "Of untreated women with a hip T-score from −1.4 to −1.1, one in ten had osteoporosis "
            "after about 17.3 years."
        ),
        when=_again(-1.4, -1.0),
    ),
    Rule(
        id="interval-2012.moderate",
        kind="follow_up",
        text=N_(
            "Of untreated women with a hip T-score from −1.9 to −1.5, one in ten had osteoporosis "
            "after about 4.7 years."
        ),
        when=_again(-1.9, -1.4),
    ),
    Rule(
        id="interval-2012.advanced",
        kind="follow_up",
        text=N_(
            "Of untreated women with a hip T-score from −2.4 to −2.0, one in ten had osteoporosis "
            "after about 1.1 years."
        ),
        when=_again(-2.4, -1.9),
    ),
    Rule(
        id="commonly-stated.long-bisphosphonate",
        kind="follow_up",
        text=N_(
            "After five years of a bisphosphonate by mouth, or three of an infusion, in women and "
            "men alike: whether it is still needed is commonly looked at anew, and after ten years "
            "it is commonly paused or exchanged unless the risk is very high."
        ),
        when=lambda facts: some(
            takes_for(facts, _OTHER_BISPHOSPHONATES, 60), takes_for(facts, ("zoledronate",), 36)
        ),
    ),
    Rule(
        id="iscd-vfa.indicated",
        kind="follow_up",
        text=N_(
            "ISCD: a lateral image of the spine, by VFA or X-ray, is indicated at a T-score below "
            "−1.0 with one of these: a woman of 70 or a man of 80 years or more, more than 4 cm of "
            "height lost, a vertebral fracture told of and not documented, 5 mg of prednisolone a "
            "day or more for three months or more."
        ),
        when=_vfa,
        strength=N_("fair evidence, B"),
    ),
    Rule(
        id="commonly-stated.height-loss",
        kind="follow_up",
        text=N_(
            "Four centimetres of height or more have been lost: a lateral image of the spine, by "
            "VFA or X-ray, is commonly advised to look for vertebral fractures."
        ),
        when=lambda facts: height_lost(facts, 4),
    ),
    Rule(
        id="secondary-causes.tests",
        kind="follow_up",
        text=N_(
            "Secondary causes are commonly looked for: blood count, calcium with albumin, "
            "phosphate, creatinine, alkaline phosphatase, liver tests, 25-OH vitamin D, TSH; by "
            "suspicion PTH, protein electrophoresis, coeliac antibodies, testosterone in men, "
            "calcium in 24-hour urine, cortisol, tryptase. About a third of women and two thirds "
            "of men have a finding."
        ),
        when=_secondary,
    ),
    Rule(
        id="bhof-2022.vitamin-d",
        kind="follow_up",
        text=N_("BHOF aims at 30 to 50 ng/mL of 25-OH vitamin D; the figure given is lower."),
        when=lambda facts: fact("vitamin_d", facts.vitamin_d, lambda level: level < 30),
    ),
)
