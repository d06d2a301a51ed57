"""Locust, for real, against a real front whose runners are toys: short, and without networks.

What the real processes do under real load is asked by the tests marked ``load``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from loadtests.mix import MIX
from loadtests.processes import ROOT
from tests.service.kit.fronts import front
from tests.service.kit.runners import Broken, Runner, Slow, running

pytestmark = pytest.mark.anyio

SHORT = ["--shape", "smoke", "--scale", "0.375", "--rate", "10"]
PLANNED = 90
"""Three seconds of warm-up, nine of load."""


async def loaded(
    var: Path, runners: Sequence[Runner] = (), more: Sequence[str] = (), **settings: Any
) -> tuple[int, str, dict[str, Any]]:
    """Return exit status, output and report of a short load on a front with these runners.

    Few requests make rare ones frequent: the front takes more batches at a time than it would.
    """
    settings = {"bulk_batches": 20, **settings}
    async with running(*runners) as toys, front(var / "var", toys, **settings) as opened:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "loadtests", "run", *SHORT, *more),
            *("--url", str(opened.client.base_url), "--out", str(var / "load")),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), 180)
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
    reports = list((var / "load").glob("*/report.json"))
    assert len(reports) == 1, output.decode()
    folder = reports[0].parent
    assert (folder / "report.txt").exists()
    assert (folder / "locust.html").exists()
    return process.returncode or 0, output.decode(), json.loads(reports[0].read_text())


def rules(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["endpoint"].partition(" ")[0], one["rule"]) for one in report["failures"]}


def wrong(report: dict[str, Any]) -> dict[str, Any]:
    """Endpoints with answers that cannot be: what no machine is too busy for."""
    return {name: one["faults"] for name, one in report["endpoints"].items() if one["wrong"]}


async def test_every_endpoint_is_asked_answered_rightly_and_counted(tmp_path: Path) -> None:
    status, output, report = await loaded(tmp_path)

    assert wrong(report) == {}, output
    assert status == (0 if report["passed"] else 1)
    assert set(report["endpoints"]) == {kind.slo for kind in MIX}
    for name, one in report["endpoints"].items():
        # What looks at results waits until there are any.
        assert one["requests"] >= (0 if "{id}" in one["slo"]["route"] else 2), name
    assert report["endpoints"]["predict"]["served"] > 0
    assert report["generator"]["images_late"] == 0
    # The warm-up is made and not counted.
    warm_up, counted = report["stages"]
    assert warm_up["requests"] == 0
    assert counted["requests"] == pytest.approx(PLANNED, rel=0.3)


async def test_two_processes_share_the_load(tmp_path: Path) -> None:
    _, output, report = await loaded(tmp_path, more=["--workers", "2"])

    assert wrong(report) == {}, output
    assert report["plan"]["workers"] == 2
    assert len(list((tmp_path / "load").glob("*/worker-*.txt"))) == 2
    assert report["stages"][1]["requests"] == pytest.approx(PLANNED, rel=0.3)


async def test_a_spike_comes_and_goes_as_planned(tmp_path: Path) -> None:
    spike = ["--shape", "spike", "--scale", "0.1", "--rate", "10"]
    _, output, report = await loaded(tmp_path, more=spike)

    assert [one["planned_per_second"] for one in report["stages"]] == [5, 5, 40, 5, 5]
    before, spike_, after = (report["stages"][number]["requests"] for number in (1, 2, 4))
    assert spike_ == pytest.approx(80, rel=0.4), output
    assert before == pytest.approx(20, rel=0.6)
    assert after == pytest.approx(20, rel=0.6)


async def test_a_slow_runner_fails_the_gate_by_name(tmp_path: Path) -> None:
    slow = Slow("vgg16", seconds=2.0)
    status, output, report = await loaded(tmp_path, [slow])

    assert status == 1
    assert not report["passed"]
    assert "FAIL predict (POST /api/v1/predictions): " in output
    # Late, without the slow one, or turned away at the door because it would have been late.
    assert rules(report) & {("predict", rule) for rule in ("latency", "degraded", "availability")}


async def test_no_runner_at_all_is_shed_and_fails_a_steady_load(tmp_path: Path) -> None:
    broken = [Broken(name) for name in ("cnn", "vgg16", "resnet", "vertebrae")]
    status, output, report = await loaded(tmp_path, broken)

    assert status == 1
    assert ("predict", "availability") in rules(report)
    predict = report["endpoints"]["predict"]
    # A refused image needs no runner; everything else is turned away, and says until when.
    assert predict["shed"] > 0
    assert predict["wrong"] == 0
    assert "shed: 503 runners_unavailable" in output


async def test_nobody_there_is_a_failure_of_every_endpoint(tmp_path: Path) -> None:
    async with running() as toys, front(tmp_path / "var", toys) as opened:
        url = str(opened.client.base_url)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtests", "run", *SHORT),
        *("--url", url, "--out", str(tmp_path / "load")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 180)

    assert process.returncode == 1
    assert b"FAIL front-page (GET /): 0 % of" in output
    # Nothing is known that could be looked at, and that is not left out in silence.
    assert b"FAIL report (GET /results/{id}/report.pdf): not measured: no request" in output
