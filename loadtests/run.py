"""Locust as processes: one that asks, or a master and workers; and what they counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from loadtests.front import ROOT, die_with_parent, free_port
from loadtests.plan import DRAIN_SECONDS, TIMEOUT_SECONDS, Plan
from loadtests.tally import Tally

LOCUSTFILE: Final = Path(__file__).parent / "locustfile.py"
COUNTS: Final = "OSTEOSERVE_LOAD_COUNTS"
"""Names the file that the counts are written to when all is over."""

IMAGE_SECONDS: Final = 0.1
"""Longest that making one image ahead may take, on a machine that is busy with other things."""

SETTLE_SECONDS: Final = 120.0
"""For starting, drawing phantoms, connecting workers and writing reports."""


class RunError(RuntimeError):
    """Locust ended without counts; the message ends with what it said."""


def load(plan: Plan, url: str, folder: Path, *, elsewhere: str | None = None) -> Tally:
    """Put the planned load on ``url`` and return what was counted.

    Its output and its own HTML page come to ``folder``. With ``elsewhere``, an address of this
    machine, the master listens there for workers of other machines (``python -m loadtests
    worker``) and starts none. Everything is killed when it takes longer than it can.
    Raises :class:`RunError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = folder / "counts.json"
    counts.unlink(missing_ok=True)
    page = ["--html", str(folder / "locust.html")]
    alone = plan.workers == 1 and elsewhere is None
    port = free_port()
    bind = elsewhere or "127.0.0.1"
    master = ["--master", "--master-bind-host", bind, "--master-bind-port", str(port)]
    waiting = ["--expect-workers", str(plan.workers), "--expect-workers-max-wait"]
    limit = plan.images / plan.workers * IMAGE_SECONDS + SETTLE_SECONDS
    if elsewhere:
        print(f"waiting for {plan.workers} workers at {bind}:{port}", flush=True)
    processes = [
        _locust(
            plan,
            url,
            [*page, *([] if alone else [*master, *waiting, f"{limit:.0f}"])],
            folder / "locust.txt",
            {COUNTS: str(counts)},
        )
    ]
    try:
        if not alone and elsewhere is None:
            processes += [
                _locust(
                    plan,
                    url,
                    ["--worker", "--master-host", bind, "--master-port", str(port)],
                    folder / f"worker-{number}.txt",
                )
                for number in range(plan.workers)
            ]
        processes[0].wait(limit + plan.seconds + DRAIN_SECONDS + SETTLE_SECONDS)
    except subprocess.TimeoutExpired:
        raise RunError(f"Locust did not end in time{_last_words(folder)}") from None
    finally:
        _end(processes)
    if not counts.exists():
        raise RunError(f"Locust ended without counts{_last_words(folder)}")
    return Tally.of(json.loads(counts.read_text("utf-8")))


def worker(plan: Plan, url: str, host: str, port: int) -> int:
    """Ask on behalf of a master elsewhere until it is over; return Locust's exit status."""
    arguments = ["--worker", "--master-host", host, "--master-port", str(port)]
    process = _locust(plan, url, arguments)
    try:
        return process.wait()
    finally:
        _end([process])


def _locust(
    plan: Plan,
    url: str,
    arguments: list[str],
    output: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--host", url]
    file = output.open("wb") if output else None
    try:
        return subprocess.Popen(  # noqa: S603 - Locust on our own file
            # When there are to be fewer callers, those that ask are let finish.
            [*command, "--stop-timeout", f"{TIMEOUT_SECONDS + 1:.0f}", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                **plan.environment(),
                **(environment or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT if file else None,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has no threads
        )
    finally:
        if file:
            file.close()


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_words(folder: Path) -> str:
    texts = (path.read_text(errors="replace") for path in sorted(folder.glob("*.txt")))
    return "; it said:\n" + "\n".join(text[-1500:] for text in texts)
