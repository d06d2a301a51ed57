from __future__ import annotations

import json

import numpy as np
import pytest

from loadtests.answers import Verdict
from loadtests.stats import Durations, RunStats
from tests.loadtests.figures import fill


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99, 1.0])
def test_quantiles_are_right_to_a_bucket(share: float) -> None:
    seconds = np.random.default_rng(4).lognormal(-2, 1, 2000)
    durations = Durations()
    for one in seconds:
        durations.add(float(one))
    exact = np.quantile(seconds, share, method="inverted_cdf")
    assert durations.quantile(share) == pytest.approx(exact, rel=0.0201)
    assert (durations.quantile(share) or 0) >= exact


def test_of_nothing_there_is_no_quantile() -> None:
    assert Durations().quantile(0.5) is None


def test_only_what_was_served_has_a_duration() -> None:
    stats = RunStats()
    fill(stats, 1, "predict", [Verdict("failed", "timeout")], seconds=15)
    fill(stats, 1, "predict", [Verdict("served", degraded=True), Verdict("served")])
    count = stats.over([1], ["predict"])
    assert count.requests == 3
    assert count.counts == {"failed": 1, "served": 2, "degraded": 1, "fast": 2, "refused": 0}
    assert count.durations.total() == 2
    assert count.faults == {"failed: timeout": 1}


def test_merged_from_processes_as_counted_in_one() -> None:
    parts, whole = [RunStats(), RunStats()], RunStats()
    for number, kind in enumerate(("served", "shed", "failed", "wrong", "served")):
        verdict = Verdict(kind, fault="x" if kind != "served" else "")  # type: ignore[arg-type]
        for stats in (parts[number % 2], whole):
            fill(stats, number % 2, "predict", [verdict], seconds=0.1 * (number + 1))
            stats.images += 1
    together = RunStats()
    for part in parts:
        # As a worker sends it.
        together.merge(RunStats.of(json.loads(json.dumps(part.document()))))
    assert together == whole
