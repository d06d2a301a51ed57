from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from loadtests import baseline
from loadtests.baseline import BaselineError
from loadtests.plan import Plan
from loadtests.report import Report
from loadtests.stats import RunStats
from tests.loadtests.figures import STEADY, good


def report(minute: int, plan: Plan = STEADY, stats: RunStats | None = None) -> dict[str, Any]:
    begun = datetime(2026, 2, 3, 9, minute, tzinfo=UTC)
    return Report.of(plan, stats or good(), begun, local=True).document()


def slower(one: dict[str, Any], name: str, figure: str, value: float) -> dict[str, Any]:
    changed = copy.deepcopy(one)
    changed["endpoints"][name][figure] = value
    return changed


def test_the_same_again_is_no_worse() -> None:
    summary = baseline.summary([report(minute) for minute in range(3)])
    assert baseline.compare(summary, summary) == []


def test_a_median_that_grew_is_worse_and_named() -> None:
    runs = [report(minute) for minute in range(3)]
    before = baseline.summary(runs)
    after = baseline.summary([slower(one, "predict", "p95", 0.2) for one in runs])
    (found,) = baseline.compare(before, after)
    was = before["endpoints"]["predict"]["p95"]
    assert str(found) == f"predict: p95 is 0.2 s, was {was:.4g} s (+{0.2 / was * 100 - 100:.0f} %)"


def test_one_bad_run_of_three_is_none() -> None:
    runs = [report(minute) for minute in range(3)]
    one = [slower(runs[0], "predict", "p95", 5.0), *runs[1:]]
    assert baseline.compare(baseline.summary(runs), baseline.summary(one)) == []


def test_a_change_that_nobody_notices_is_none() -> None:
    runs = [slower(report(minute), "faq-page", "p50", 0.004) for minute in range(3)]
    grown = [slower(one, "faq-page", "p50", 0.009) for one in runs]
    assert baseline.compare(baseline.summary(runs), baseline.summary(grown)) == []


def test_fewer_served_is_worse() -> None:
    runs = [report(minute) for minute in range(3)]
    fewer = [slower(one, "batch", "served", 50) for one in runs]
    (found,) = baseline.compare(baseline.summary(runs), baseline.summary(fewer))
    assert (found.endpoint, found.figure) == ("batch", "served")


def test_two_runs_are_too_few() -> None:
    with pytest.raises(BaselineError, match="there are 2 runs to take medians of; 3 are needed"):
        baseline.summary([report(0), report(1)])


def test_runs_of_another_rate_or_machine_are_not_compared() -> None:
    other = Plan(shape="steady", rate=11)
    with pytest.raises(BaselineError, match="runs differ in rate: 10 and 11"):
        baseline.summary([report(0), report(1), report(2, other)])
    moved = copy.deepcopy(report(2))
    moved["machine"]["processor"] = "another"
    with pytest.raises(BaselineError, match="different machines"):
        baseline.summary([report(0), report(1), moved])


def test_runs_are_found_by_shape_the_oldest_first(tmp_path: Path) -> None:
    for minute, shape in ((5, "steady"), (1, "steady"), (3, "spike")):
        folder = tmp_path / f"{shape}-{minute}"
        folder.mkdir()
        plan = Plan(shape=shape, rate=10)
        document = report(minute, plan, good(plan))
        (folder / "report.json").write_text(json.dumps(document))
    found = baseline.runs(tmp_path, "steady")
    assert [one["begun"][14:16] for one in found] == ["01", "05"]
