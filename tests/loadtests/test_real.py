"""The real processes under real load: minutes, and a machine that has little else to do.

``pytest tests/loadtests -m load``. Rates are those of ``loadtests/measured.json``: measure first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtests.processes import ROOT
from loadtests.target import Target, local

pytestmark = pytest.mark.load


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with local(tmp_path_factory.mktemp("local")) as started:
        yield started


def load(front: Target, out: Path, *arguments: str) -> tuple[int, str, dict[str, Any]]:
    """Return exit status, output and report."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "loadtests", "run", "--url", front.url, "--out", str(out)),
            *arguments,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    (report,) = out.glob("*/report.json")
    return done.returncode, done.stdout, json.loads(report.read_text())


@contextmanager
def slowed(front: Target, name: str) -> Iterator[None]:
    """Let runner ``name`` work for a tenth of the time alone, as on a machine ten times as slow."""
    assert front.supervisor is not None
    (runner,) = (
        one for one in front.supervisor.children() if {"bentos", name} < set(one.cmdline())
    )
    over = threading.Event()

    def everyone() -> list[psutil.Process]:
        return [runner, *runner.children(recursive=True)]

    def work() -> None:
        while not over.is_set():
            for process in everyone():
                process.suspend()
            over.wait(0.9)
            for process in everyone():
                process.resume()
            over.wait(0.1)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for process in everyone():
            process.resume()


def test_steady_passes_its_own_gate_at_half_the_measured_capacity(
    front: Target, tmp_path: Path
) -> None:
    status, output, report = load(front, tmp_path, "--shape", "steady")

    assert status == 0, output
    assert report["passed"]
    assert report["generator"]["images_late"] == 0


def test_a_slow_runner_fails_the_gate_by_name(front: Target, tmp_path: Path) -> None:
    with slowed(front, "vgg16"):
        status, output, _ = load(front, tmp_path, "--shape", "smoke")

    assert status == 1
    assert "FAIL predict (POST /api/v1/predictions): " in output


def test_overload_turns_away_and_answers_nothing_wrong(front: Target, tmp_path: Path) -> None:
    status, output, report = load(front, tmp_path, "--shape", "overload")

    assert status == 0, output
    assert report["endpoints"]["predict"]["wrong"] == 0
