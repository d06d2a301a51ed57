"""Which drug a guideline begins with, where one of its kind would treat and none is taken yet."""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.guidance.bone import osteoporosis_range, treatment_threshold, very_high_risk
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every
from service.medicine.guidance.person import female, male, not_on_a_drug, postmenopausal, primary
from service.medicine.guidance.rule import Rule


def _women_to_begin(facts: Facts) -> Finding:
    return every(not_on_a_drug(facts), postmenopausal(facts), treatment_threshold(facts))


def _acp(facts: Facts) -> Finding:
    return every(not_on_a_drug(facts), primary(facts), osteoporosis_range(facts))


def _very_high(facts: Facts) -> Finding:
    return every(not_on_a_drug(facts), very_high_risk(facts))


RULES: Final = (
    Rule(
        id="acp-2023.first-women",
        kind="choice",
        text=N_("ACP begins with a bisphosphonate in women."),
        when=lambda facts: every(female(facts), _acp(facts)),
        strength=N_("strong recommendation"),
    ),
    Rule(
        id="acp-2023.first-men",
        kind="choice",
        text=N_("ACP begins with a bisphosphonate in men."),
        when=lambda facts: every(male(facts), _acp(facts)),
        strength=N_("conditional recommendation"),
    ),
    Rule(
        id="acp-2023.second",
        kind="choice",
        text=N_("ACP names denosumab as the second choice, where bisphosphonates do not serve."),
        when=_acp,
    ),
    Rule(
        id="acp-2023.very-high",
        kind="choice",
        text=N_(
            "For women at very high risk ACP names romosozumab or teriparatide, followed by a "
            "bisphosphonate. The facts meet AACE’s criteria; whether they meet ACP’s is for the "
            "clinician to judge."
        ),
        when=lambda facts: every(primary(facts), _very_high(facts)),
    ),
    Rule(
        id="aace-2020.very-high",
        kind="choice",
        text=N_(
            "At very high risk AACE names abaloparatide, denosumab, romosozumab, teriparatide or "
            "zoledronate."
        ),
        when=_very_high,
    ),
    Rule(
        id="acog-2022.first",
        kind="choice",
        text=N_("ACOG begins with a bisphosphonate in most post-menopausal women."),
        when=_women_to_begin,
    ),
    Rule(
        id="endocrine-2020.first",
        kind="choice",
        text=N_(
            "The Endocrine Society begins with a bisphosphonate; denosumab is its alternative."
        ),
        when=_women_to_begin,
    ),
    Rule(
        id="endocrine-2020.very-high",
        kind="choice",
        text=N_(
            "At very high risk the Endocrine Society considers an anabolic drug. The facts meet "
            "AACE’s criteria; its own are for the clinician to look up."
        ),
        when=_very_high,
    ),
)
