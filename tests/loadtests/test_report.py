from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from lxml import html

from loadtests import mix
from loadtests.answers import Verdict
from loadtests.report import Report
from loadtests.tally import Tally
from tests.loadtests.counts import STEADY, fill, good

BEGUN = datetime(2026, 2, 3, 9, 41, tzinfo=UTC)


def failed() -> Report:
    tally = good()
    fill(tally, 1, "predict", [Verdict("served")] * 30, seconds=3.0)
    return Report.of(STEADY, tally, BEGUN, own=True)


def test_a_terminal_reads_every_endpoint_and_the_verdict() -> None:
    lines = Report.of(STEADY, good(), BEGUN, own=True).lines()
    assert [line.split()[0] for line in lines[1:-1]] == [ask.slo for ask in mix.MIX]
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
    assert Tally.of(document["counts"]) == report.tally


def test_kept_as_a_page_with_every_endpoint(tmp_path: Path) -> None:
    failed().write(tmp_path)
    page = html.parse(tmp_path / "report.html")
    assert page.findtext(".//h1") == "Failed: steady"
    rows = [row.text_content() for row in page.findall(".//table[1]//tr")]
    for ask in mix.MIX:
        assert any(f"{ask.slo} (" in row for row in rows)
    (against,) = page.findall(".//li")
    assert against.text_content().startswith("predict (POST /api/v1/predictions)")


def test_the_warm_up_is_not_in_the_figures() -> None:
    tally = good()
    fill(tally, 0, "predict", [Verdict("served")] * 30, seconds=3.0)
    document = Report.of(STEADY, tally, BEGUN, own=True).document()
    assert document["endpoints"]["predict"]["requests"] == 60
