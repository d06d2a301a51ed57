"""Complaints that are looked at the same day, whatever the bone density."""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every, some
from service.medicine.guidance.person import ANTIRESORPTIVES, has, takes
from service.medicine.guidance.rule import Rule


def _vascular(facts: Facts) -> Finding:
    return some(has(facts, "chest_pain"), has(facts, "neurological_deficit"))


RULES: Final = (
    Rule(
        id="romosozumab-label.symptoms",
        kind="red_flag",
        text=N_(
            "Chest pain or a neurological deficit on romosozumab: its boxed warning is of "
            "myocardial infarction, stroke and cardiovascular death. Same-day assessment."
        ),
        when=lambda facts: every(takes(facts, frozenset({"romosozumab"})), _vascular(facts)),
        strength=N_("boxed warning"),
    ),
    Rule(
        id="commonly-stated.back-pain",
        kind="red_flag",
        text=N_(
            "New severe back pain may be a vertebral fracture or worse: same-day assessment is "
            "commonly advised."
        ),
        when=lambda facts: has(facts, "back_pain"),
    ),
    Rule(
        id="commonly-stated.neurological-deficit",
        kind="red_flag",
        text=N_("A new neurological deficit: same-day assessment is commonly advised."),
        when=lambda facts: has(facts, "neurological_deficit"),
    ),
    Rule(
        id="commonly-stated.thigh-pain",
        kind="red_flag",
        text=N_(
            "Thigh or groin pain on an antiresorptive drug may announce an atypical femoral "
            "fracture: same-day assessment, of both sides, is commonly advised."
        ),
        when=lambda facts: every(takes(facts, ANTIRESORPTIVES), has(facts, "thigh_or_groin_pain")),
    ),
)
