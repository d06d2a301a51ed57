"""What speaks against a drug, or asks for care with it. Shown whether or not it is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.language.locale import N_
from service.medicine.guidance.facts import Drug, Facts
from service.medicine.guidance.logic import Because, Finding, every, fact, neither, some
from service.medicine.guidance.person import (
    BISPHOSPHONATES,
    ORAL_WITH_CAUTION,
    takes,
    takes_for,
    vascular_event,
    vascular_event_within_a_year,
)
from service.medicine.guidance.rule import Rule

_ANABOLIC: Final[frozenset[Drug]] = frozenset({"teriparatide", "abaloparatide"})


def _with_drug(found: Finding, facts: Facts, *drugs: Drug) -> Finding:
    """Add to the reasons that one of ``drugs`` is being taken, if so."""
    if found.truth and facts.drug in drugs:
        return Finding(True, (*found.because, Because("drug", facts.drug)))
    return found


def _kidney(holds: Callable[[float], bool], *drugs: Drug) -> Callable[[Facts], Finding]:
    """Dialysis, or a GFR that ``holds``. Where a GFR is given, dialysis is not asked for."""

    def when(facts: Facts) -> Finding:
        low = fact("egfr", facts.egfr, holds)
        if facts.dialysis or facts.egfr is None:
            low = some(fact("dialysis", facts.dialysis, bool), low)
        return _with_drug(low, facts, *drugs)

    return when


def _recent_event(facts: Facts) -> Finding:
    return _with_drug(vascular_event_within_a_year(facts), facts, "romosozumab")


def _earlier_event(facts: Facts) -> Finding:
    earlier = every(vascular_event(facts), neither(vascular_event_within_a_year(facts)))
    return _with_drug(earlier, facts, "romosozumab")


def _calcium(level: str, *drugs: Drug) -> Callable[[Facts], Finding]:
    return lambda facts: _with_drug(
        fact("calcium", facts.calcium, lambda found: found == level), facts, *drugs
    )


def _oesophagus(facts: Facts) -> Finding:
    diseased = fact("oesophageal_disease", facts.oesophageal_disease, bool)
    return _with_drug(diseased, facts, *ORAL_WITH_CAUTION)


def _stroke_on_raloxifene(facts: Facts) -> Finding:
    return every(takes(facts, frozenset({"raloxifene"})), vascular_event(facts))


RULES: Final = (
    Rule(
        id="romosozumab-label.vascular-event",
        kind="contraindication",
        text=N_(
            "Romosozumab is not to be started within a year of a myocardial infarction or stroke."
        ),
        when=_recent_event,
        strength=N_("boxed warning"),
    ),
    Rule(
        id="romosozumab-label.hypocalcaemia",
        kind="contraindication",
        text=N_("Romosozumab is contraindicated in hypocalcaemia."),
        when=_calcium("low", "romosozumab"),
        strength=N_("contraindication"),
    ),
    # Approved for a GFR *above* the limit: the limit itself is not above it.
    Rule(
        id="drug-table.kidney-35",
        kind="contraindication",
        text=N_("Alendronate and zoledronate are approved for a GFR above 35 mL/min only."),
        when=_kidney(lambda rate: rate <= 35, "alendronate", "zoledronate"),
    ),
    Rule(
        id="drug-table.kidney-30",
        kind="contraindication",
        text=N_("Risedronate and ibandronate are approved for a GFR above 30 mL/min only."),
        when=_kidney(lambda rate: rate <= 30, "risedronate", "ibandronate"),
    ),
    Rule(
        id="fda-denosumab.kidney",
        kind="caution",
        text=N_(
            "Denosumab can cause severe hypocalcaemia in advanced kidney disease, above all on "
            "dialysis."
        ),
        # The FDA calls a GFR below 30, dialysis included, advanced kidney disease.
        when=_kidney(lambda rate: rate < 30, "denosumab"),
        strength=N_("boxed warning"),
    ),
    Rule(
        id="romosozumab-label.earlier-event",
        kind="caution",
        text=N_(
            "Romosozumab carries a warning of myocardial infarction, stroke and cardiovascular "
            "death: an earlier event is weighed before it is considered."
        ),
        when=_earlier_event,
        strength=N_("boxed warning"),
    ),
    Rule(
        id="commonly-stated.oesophagus",
        kind="caution",
        text=N_(
            "Alendronate and risedronate by mouth are commonly avoided in oesophageal disease and "
            "where somebody cannot stay upright for half an hour."
        ),
        when=_oesophagus,
    ),
    Rule(
        id="commonly-stated.hypocalcaemia",
        kind="caution",
        text=N_(
            "Hypocalcaemia is commonly corrected, and vitamin D replaced, before a bisphosphonate "
            "or denosumab."
        ),
        when=_calcium("low", *BISPHOSPHONATES, "denosumab"),
    ),
    Rule(
        id="commonly-stated.hypercalcaemia",
        kind="caution",
        text=N_("Teriparatide and abaloparatide are commonly avoided in hypercalcaemia."),
        when=_calcium("high", *_ANABOLIC),
    ),
    Rule(
        id="commonly-stated.raloxifene",
        kind="caution",
        text=N_("Raloxifene after a stroke: the risk of another is commonly weighed."),
        when=_stroke_on_raloxifene,
    ),
    Rule(
        id="drug-table.two-years",
        kind="caution",
        text=N_("Teriparatide and abaloparatide are given for two years at most."),
        when=lambda facts: takes_for(facts, _ANABOLIC, 24),
    ),
    Rule(
        id="drug-table.twelve-months",
        kind="caution",
        text=N_("A course of romosozumab is twelve months."),
        when=lambda facts: takes_for(facts, frozenset({"romosozumab"}), 12),
    ),
    Rule(
        id="aff-rates.3-5",
        kind="caution",
        text=N_(
            "After 3 to 5 years of a bisphosphonate, 2.5 atypical femoral fractures were seen in "
            "10,000 person-years; below three months, fewer than 0.1."
        ),
        when=lambda facts: takes_for(facts, BISPHOSPHONATES, 36, 60),
    ),
    Rule(
        id="aff-rates.5-8",
        kind="caution",
        text=N_(
            "After 5 to 8 years of a bisphosphonate, 6.0 atypical femoral fractures were seen in "
            "10,000 person-years; four years after stopping, 0.5."
        ),
        when=lambda facts: takes_for(facts, BISPHOSPHONATES, 60, 96),
    ),
    Rule(
        id="aff-rates.8",
        kind="caution",
        text=N_(
            "After 8 years or more of a bisphosphonate, 13.1 atypical femoral fractures were seen "
            "in 10,000 person-years; four years after stopping, 0.5."
        ),
        when=lambda facts: takes_for(facts, BISPHOSPHONATES, 96),
    ),
)
