"""Pairs: it fails when, it does not fail when."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from loadtests import gate
from loadtests.answers import Verdict
from loadtests.plan import Plan
from loadtests.stats import RunStats
from tests.loadtests.figures import STEADY, fill, good

OVERLOAD = Plan(shape="overload", rate=5)
SERVED = Verdict("served")


def told(plan: Plan, stats: RunStats) -> list[str]:
    return [str(failure) for failure in gate.judge(plan, stats)]


@pytest.mark.parametrize("shape", ["smoke", "steady", "ramp", "spike", "soak", "overload"])
def test_passes_when_everything_is_well(shape: str) -> None:
    plan = Plan(shape=shape, rate=4)
    assert told(plan, good(plan, each=500)) == []


def test_an_endpoint_without_a_request_is_not_measured() -> None:
    stats = good()
    del stats.stats[1, "report"]
    assert told(STEADY, stats) == [
        "report (GET /results/{id}/report.pdf): not measured: no request"
    ]


def test_one_request_is_too_few_to_judge_and_two_are_enough() -> None:
    for count, failures in ((1, 1), (2, 0)):
        stats = good()
        del stats.stats[1, "report"]
        fill(stats, 1, "report", [SERVED] * count)
        assert len(told(STEADY, stats)) == failures


def test_slow_answers_fail_with_the_endpoint_s_name() -> None:
    stats = good()
    fill(stats, 1, "predict", [SERVED] * 20, seconds=3.0)
    assert told(STEADY, stats) == [
        "predict (POST /api/v1/predictions): 75 % of 80 answers within 1 s, promised are 99 %"
    ]


def test_one_slow_answer_proves_nothing() -> None:
    stats = good()
    fill(stats, 1, "predict", [SERVED], seconds=3.0)
    assert told(STEADY, stats) == []


def test_failures_fail_with_what_they_were() -> None:
    stats = good()
    fill(stats, 1, "history-page", [Verdict("failed", "503 storage_unavailable")] * 4)
    assert told(STEADY, stats) == [
        "history-page (GET /history): 93.7 % of 64 requests answered, promised are 99.9 % "
        "(4 failed: 503 storage_unavailable)"
    ]


def test_turning_away_fails_a_steady_load_and_not_an_overload() -> None:
    shed = [Verdict("shed", "503 overloaded")] * 20
    for plan, failures in ((STEADY, 1), (OVERLOAD, 0)):
        stats = good(plan, each=100)
        fill(stats, 1, "predict", shed)
        assert len(told(plan, stats)) == failures


def test_turning_away_without_retry_after_fails_an_overload() -> None:
    stats = good(OVERLOAD, each=100)
    fill(stats, 1, "predict", [Verdict("failed", "503 overloaded without Retry-After")] * 9)
    assert told(OVERLOAD, stats) == [
        "predict (POST /api/v1/predictions): 9 of 109 requests neither answered nor turned away "
        "properly (9 failed: 503 overloaded without Retry-After)"
    ]


def test_turning_everybody_away_fails_an_overload() -> None:
    stats = good(OVERLOAD, each=10)
    for kind in OVERLOAD.kinds:
        fill(stats, 1, kind.slo, [Verdict("shed", "503 overloaded")] * 90)
    assert told(OVERLOAD, stats) == [
        "all endpoints: 10 % of 1700 requests served under overload, at least 30 % must be"
    ]


def test_a_single_wrong_answer_fails_everywhere() -> None:
    for shape, stage in (("steady", 1), ("overload", 1), ("spike", 3)):
        plan = Plan(shape=shape, rate=2)
        stats = good(plan, each=5000)
        fill(stats, stage, "predict", [Verdict("wrong", "threshold against outcome")])
        (failure,) = told(plan, stats)
        assert failure.startswith("predict (POST /api/v1/predictions): 1 wrong of ")
        assert failure.endswith("(1 wrong: threshold against outcome)")


def test_degraded_answers_fail_a_steady_load_and_not_an_overload() -> None:
    for plan, failures in ((STEADY, 1), (OVERLOAD, 0)):
        stats = good(plan, each=100)
        fill(stats, 1, "predict", [Verdict("served", degraded=True)] * 10)
        assert len(told(plan, stats)) == failures


def test_a_warm_up_counts_for_nothing() -> None:
    stats = good()
    fill(stats, 0, "predict", [Verdict("wrong", "x")] * 10, seconds=9)
    assert told(STEADY, stats) == []


def test_recovering_may_be_slow_but_not_wrong() -> None:
    plan = Plan(shape="spike", rate=2)
    stats = good(plan)
    fill(stats, 3, "predict", [SERVED, Verdict("failed", "timeout")] * 50, seconds=9)
    assert told(plan, stats) == []


def test_a_generator_that_cannot_keep_up_fails() -> None:
    (failure,) = told(STEADY, good(each=40))
    assert failure.startswith("load generator: 680 requests sent of 1000 planned")


def test_a_generator_that_is_late_fails_where_latency_is_judged() -> None:
    for plan, failures in ((STEADY, 1), (OVERLOAD, 0)):
        stats = good(plan, each=100)
        fill(stats, 1, "faq-page", [SERVED] * 40, seconds=0.2, late=0.39)
        found = [one for one in told(plan, stats) if one.startswith("load generator")]
        assert len(found) == failures
        assert all("s or more after its time" in one for one in found)


def test_the_binomial_test_is_the_textbook_s() -> None:
    rng = np.random.default_rng(8)
    for _ in range(200):
        count = int(rng.integers(1, 3000))
        share = float(rng.choice([0.001, 0.005, 0.01, 0.05, 0.7]))
        bad = int(rng.binomial(count, min(1.0, share * rng.choice([0.5, 1, 2, 4]))))
        expected = stats.binom.sf(bad - 1, count, share)
        assert gate._at_least(bad, count, share) == pytest.approx(expected, abs=1e-9)
