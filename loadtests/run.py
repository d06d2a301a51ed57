"""Locust as processes: one that sends, or a master and workers; and the statistics of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from loadtests import processes
from loadtests.plan import DRAIN_SECONDS, TIMEOUT_SECONDS, Plan
from loadtests.processes import ROOT
from loadtests.stats import RunStats

LOCUSTFILE: Final = Path(__file__).parent / "locustfile.py"
STATS: Final = "OSTEOSERVE_LOAD_STATS"
"""Names the file that the statistics are written to when all is over."""
IMAGE_SECONDS: Final = 0.1
"""Longest that making one image ahead may take, on a machine that is busy with other things."""
SETTLE_SECONDS: Final = 120.0
"""For starting, drawing phantoms, connecting workers and writing reports."""


class RunError(RuntimeError):
    """Locust ended without statistics; the message ends with what it said."""


def load(plan: Plan, url: str, folder: Path, *, elsewhere: str | None = None) -> RunStats:
    """Put the planned load on ``url`` and return what was counted.

    Its output and its own HTML page come to ``folder``. With ``elsewhere``, an address of this
    machine, the master waits there for workers and starts none. Raises :class:`RunError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stats, said = folder / "stats.json", folder / "locust.txt"
    stats.unlink(missing_ok=True)
    arguments = ["--html", str(folder / "locust.html")]
    limit = plan.images / plan.workers * IMAGE_SECONDS + SETTLE_SECONDS
    (port,) = processes.free_ports(["master"]).values()
    bind = elsewhere or "127.0.0.1"
    alone = plan.workers == 1 and elsewhere is None
    if not alone:
        arguments += ["--master", "--master-bind-host", bind, "--master-bind-port", str(port)]
        arguments += ["--expect-workers", str(plan.workers)]
        arguments += ["--expect-workers-max-wait", f"{limit:.0f}"]
    if elsewhere:
        print(f"waiting for {plan.workers} workers at {bind}:{port}", flush=True)
    started = [_locust(plan, url, arguments, said, {STATS: str(stats)})]
    try:
        if not alone and elsewhere is None:
            started += [
                _locust(plan, url, _worker(bind, port), folder / f"worker-{number}.txt")
                for number in range(plan.workers)
            ]
        started[0].wait(limit + plan.seconds + DRAIN_SECONDS + SETTLE_SECONDS)
    except subprocess.TimeoutExpired:
        raise RunError(f"Locust did not end in time{processes.last_words(said)}") from None
    finally:
        processes.stop(started)
    if not stats.exists():
        raise RunError(f"Locust ended without statistics{processes.last_words(said)}")
    return RunStats.of(json.loads(stats.read_text("utf-8")))


def worker(plan: Plan, url: str, host: str, port: int) -> int:
    """Send on behalf of a master elsewhere until it is over; return Locust's exit status."""
    process = _locust(plan, url, _worker(host, port))
    try:
        return process.wait()
    finally:
        processes.stop([process])


def _worker(host: str, port: int) -> list[str]:
    return ["--worker", "--master-host", host, "--master-port", str(port)]


def _locust(
    plan: Plan,
    url: str,
    arguments: list[str],
    output: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--host", url]
    # When there are to be fewer users, those that wait for an answer are let finish.
    command += ["--stop-timeout", f"{TIMEOUT_SECONDS + 1:.0f}", *arguments]
    given = {"PYTHONPATH": str(ROOT), **plan.environment(), **(environment or {})}
    return processes.start(command, output, given)
