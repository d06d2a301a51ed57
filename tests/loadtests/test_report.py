from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from loadtests import mix
from loadtests.answers import Verdict
from loadtests.report import Report
from loadtests.stats import RunStats
from tests.loadtests.figures import STEADY, fill, good

BEGUN = datetime(2026, 2, 3, 9, 41, tzinfo=UTC)


def failed() -> Report:
    stats = good()
    fill(stats, 1, "predict", [Verdict("served")] * 30, seconds=3.0)
    return Report.of(STEADY, stats, BEGUN, local=True)


def test_a_terminal_reads_every_endpoint_and_the_verdict() -> None:
    lines = Report.of(STEADY, good(), BEGUN, local=True).lines()
    assert [line.split()[0] for line in lines[1 : len(mix.MIX) + 1]] == [
        kind.slo for kind in mix.MIX
    ]
    assert [line.split()[0] for line in lines[-4:-1]] == ["stage", "warm-up,", "objectives,"]
    assert lines[-1] == "passed: steady at 10 requests a second"


def test_a_failure_is_named_in_table_and_list() -> None:
    lines = failed().lines()
    (row,) = (line for line in lines if line.startswith("predict "))
    assert row.endswith("FAIL")
    assert any(line.startswith("FAIL predict (POST /api/v1/predictions): ") for line in lines)
    assert lines[-1].startswith("failed")


def test_kept_as_json_from_which_counts_come_back(tmp_path: Path) -> None:
    report = failed()
    report.write(tmp_path)
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["passed"] is False
    assert document["failures"][0]["rule"] == "latency"
    assert document["endpoints"]["predict"]["slo"]["latency_seconds"] == 1.0
    assert RunStats.of(document["stats"]) == report.stats


def test_kept_as_the_terminal_shows_it(tmp_path: Path) -> None:
    failed().write(tmp_path)
    assert (tmp_path / "report.txt").read_text().splitlines() == failed().lines()


def test_the_warm_up_is_not_in_the_figures() -> None:
    stats = good()
    fill(stats, 0, "predict", [Verdict("served")] * 30, seconds=3.0)
    document = Report.of(STEADY, stats, BEGUN, local=True).document()
    assert document["endpoints"]["predict"]["requests"] == 60
