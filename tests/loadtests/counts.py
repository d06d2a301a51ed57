"""Tallies as a run would count them."""

from __future__ import annotations

from collections.abc import Iterable

from loadtests.answers import Verdict
from loadtests.plan import Plan
from loadtests.shapes import Rule
from loadtests.tally import Tally

STEADY = Plan(shape="steady", rate=10)


def good(plan: Plan = STEADY, each: int = 60) -> Tally:
    """Every endpoint answered ``each`` times in every counted stage, at once."""
    tally = Tally()
    for number, stage in enumerate(plan.stages):
        if stage.rule is not Rule.WARM_UP:
            for ask in plan.asks:
                fill(tally, number, ask.slo, [Verdict("served")] * each)
    return tally


def fill(
    tally: Tally,
    stage: int,
    name: str,
    verdicts: Iterable[Verdict],
    seconds: float = 0.05,
    late: float = 0.001,
) -> None:
    for verdict in verdicts:
        tally.count(stage, name).add(verdict, seconds, seconds <= 0.25, late)
