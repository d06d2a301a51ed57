"""Which drugs a guideline begins with, where one of its kind would treat and none is taken yet.

No text names a drug: those stand in ``drugs``, where each can be struck out.
"""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.drugs import ANTIRESORPTIVES, BISPHOSPHONATES
from service.medicine.guidance.bone import (
    fracture,
    osteoporosis_range,
    recent_fracture,
    treatment_threshold,
    very_high_risk,
)
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every, fact
from service.medicine.guidance.person import (
    aged,
    early_menopause,
    female,
    male,
    not_on_a_drug,
    postmenopausal,
    primary,
    t_scores_apply,
)
from service.medicine.guidance.rule import Rule


def _to_begin(facts: Facts) -> Finding:
    return every(not_on_a_drug(facts), treatment_threshold(facts))


def _women_to_begin(facts: Facts) -> Finding:
    return every(postmenopausal(facts), _to_begin(facts))


def _acp(facts: Facts) -> Finding:
    return every(not_on_a_drug(facts), primary(facts), osteoporosis_range(facts))


def _very_high(facts: Facts) -> Finding:
    return every(not_on_a_drug(facts), very_high_risk(facts))


def _dvo_anabolic(facts: Facts) -> Finding:
    risk = fact("dvo_risk", facts.dvo_risk, lambda percent: percent >= 10)
    return every(not_on_a_drug(facts), t_scores_apply(facts), risk)


def _dvo_begin(facts: Facts) -> Finding:
    risk = fact("dvo_risk", facts.dvo_risk, lambda percent: 5 <= percent < 10)
    return every(not_on_a_drug(facts), t_scores_apply(facts), risk)


def _dvo_imminent(facts: Facts) -> Finding:
    broken = fracture(facts, "hip", "vertebra")
    return every(not_on_a_drug(facts), osteoporosis_range(facts), broken)


def _nice_romosozumab(facts: Facts) -> Finding:
    """A major osteoporotic fracture within 24 months: spine, hip, forearm or humerus."""
    recent = recent_fracture(facts, 24, "vertebra", "hip", "forearm", "humerus")
    return every(not_on_a_drug(facts), postmenopausal(facts), osteoporosis_range(facts), recent)


def _early(facts: Facts) -> Finding:
    """Until about the age at which menopause is usual."""
    return every(not_on_a_drug(facts), early_menopause(facts), aged(facts, 18, 50))


RULES: Final = (
    Rule(
        id="dvo-2023.anabolic",
        kind="choice",
        text=N_(
            "From a three-year risk of 10 % on DVO gives an anabolic drug first, then an "
            "antiresorptive one."
        ),
        when=_dvo_anabolic,
        drugs=("teriparatide", "romosozumab"),
        then=ANTIRESORPTIVES,
    ),
    Rule(
        id="dvo-2023-quoted.imminent",
        kind="choice",
        text=N_(
            "After a fracture of vertebra or hip at a T-score in the range of osteoporosis DVO "
            "begins with an anabolic drug, then an antiresorptive one."
        ),
        when=_dvo_imminent,
        drugs=("teriparatide", "romosozumab"),
        then=ANTIRESORPTIVES,
    ),
    Rule(
        id="dvo-2023-quoted.antiresorptive",
        kind="choice",
        text=N_(
            "At a three-year risk from 5 % to below 10 % DVO usually begins with an antiresorptive "
            "drug."
        ),
        when=_dvo_begin,
        drugs=("alendronate", "risedronate", "zoledronate", "denosumab"),
    ),
    Rule(
        id="nice-ta464.options",
        kind="choice",
        text=N_(
            "NICE has these, by mouth or into a vein, as options for adults whose risk was "
            "assessed as higher, chosen together with the patient; the cheapest that suits first. "
            "The facts meet BHOF’s criteria; the risk by FRAX or QFracture is for the clinician to "
            "look up."
        ),
        when=_to_begin,
        drugs=BISPHOSPHONATES,
    ),
    Rule(
        id="nice-ta791.romosozumab",
        kind="choice",
        text=N_(
            "After menopause, with severe osteoporosis and a fracture of spine, hip, forearm or "
            "humerus within 24 months NICE has this as an option, then an antiresorptive drug."
        ),
        when=_nice_romosozumab,
        drugs=("romosozumab",),
        then=ANTIRESORPTIVES,
    ),
    Rule(
        id="acp-2023.first-women",
        kind="choice",
        text=N_("ACP begins with a bisphosphonate in women."),
        when=lambda facts: every(female(facts), _acp(facts)),
        strength=N_("strong recommendation"),
        drugs=BISPHOSPHONATES,
    ),
    Rule(
        id="acp-2023.first-men",
        kind="choice",
        text=N_("ACP begins with a bisphosphonate in men."),
        when=lambda facts: every(male(facts), _acp(facts)),
        strength=N_("conditional recommendation"),
        drugs=BISPHOSPHONATES,
    ),
    Rule(
        id="acp-2023.second",
        kind="choice",
        text=N_("ACP’s second choice, where bisphosphonates do not serve."),
        when=_acp,
        drugs=("denosumab",),
    ),
    Rule(
        id="acp-2023.very-high",
        kind="choice",
        text=N_(
            "For women at very high risk ACP names an anabolic drug, followed by a bisphosphonate. "
            "The facts meet AACE’s criteria; whether they meet ACP’s is for the clinician to judge."
        ),
        when=lambda facts: every(primary(facts), _very_high(facts)),
        drugs=("romosozumab", "teriparatide"),
        then=BISPHOSPHONATES,
    ),
    Rule(
        id="aace-2020.very-high",
        kind="choice",
        text=N_("At very high risk AACE names one of these."),
        when=_very_high,
        drugs=("abaloparatide", "denosumab", "romosozumab", "teriparatide", "zoledronate"),
    ),
    Rule(
        id="acog-2022.first",
        kind="choice",
        text=N_("ACOG begins with a bisphosphonate in most post-menopausal women."),
        when=_women_to_begin,
        drugs=BISPHOSPHONATES,
    ),
    Rule(
        id="endocrine-2020.first",
        kind="choice",
        text=N_("The Endocrine Society begins with a bisphosphonate."),
        when=_women_to_begin,
        drugs=BISPHOSPHONATES,
    ),
    Rule(
        id="endocrine-2020.alternative",
        kind="choice",
        text=N_("The Endocrine Society’s alternative to a bisphosphonate."),
        when=_women_to_begin,
        drugs=("denosumab",),
    ),
    Rule(
        id="endocrine-2020.very-high",
        kind="choice",
        text=N_(
            "At very high risk the Endocrine Society considers an anabolic drug. The facts meet "
            "AACE’s criteria; its own are for the clinician to look up."
        ),
        when=_very_high,
        drugs=("teriparatide", "abaloparatide", "romosozumab"),
        then=ANTIRESORPTIVES,
    ),
    Rule(
        id="commonly-stated.early-menopause-hormones",
        kind="choice",
        text=N_(
            "After a menopause before 45, hormones are commonly considered until the age at which "
            "menopause is usual, about 50."
        ),
        when=_early,
        drugs=("hormone_therapy",),
    ),
)
