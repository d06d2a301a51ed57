"""Tallies as a run would count them."""

from __future__ import annotations

from collections.abc import Iterable

from loadtests.answers import Verdict
from loadtests.plan import Plan
from loadtests.shapes import Rule
from loadtests.stats import RunStats

STEADY = Plan(shape="steady", rate=10)


def good(plan: Plan = STEADY, each: int = 60) -> RunStats:
    """Every endpoint answered ``each`` times in every counted stage, at once."""
    stats = RunStats()
    for number, stage in enumerate(plan.stages):
        if stage.rule is not Rule.WARM_UP:
            for kind in plan.kinds:
                fill(stats, number, kind.slo, [Verdict("served")] * each)
    return stats


def fill(
    stats: RunStats,
    stage: int,
    name: str,
    verdicts: Iterable[Verdict],
    seconds: float = 0.05,
    late: float = 0.001,
) -> None:
    for verdict in verdicts:
        stats.at(stage, name).add(verdict, seconds, seconds <= 0.25, late)
