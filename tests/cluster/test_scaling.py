"""The slowest runner grows under load and shrinks after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.clients import load
from tests.cluster.kubectl import KubectlError, eventually
from tests.cluster.release import Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster

SLOWEST = "resnet"
"""Takes the most CPU an image: its network, and then its forest."""

SCALED = {
    f"runners.{SLOWEST}.autoscaling": {
        "kind": "hpa", "minReplicas": 1, "maxReplicas": 2, "cpuUtilization": 80,
        "scaleDownSeconds": 30,
    }
}  # fmt: skip


@contextmanager
def watched(release: Release) -> Iterator[list[tuple[int, int, int]]]:
    """Yield what fills with (second, pods wanted, pods ready), whenever it changes."""
    seen: list[tuple[int, int, int]] = []
    done = threading.Event()
    start = time.monotonic()

    def watch() -> None:
        while not done.wait(2):
            try:
                now = release.replicas(SLOWEST)
            except KubectlError:
                continue
            if not seen or seen[-1][1:] != now:
                seen.append((round(time.monotonic() - start), *now))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def test_the_slowest_runner_scales_out_and_back(release: Release, scenario: Scenario) -> None:
    release.upgrade(SCALED)
    release.wait_until_whole()
    with watched(release) as seen:
        with load(release, "busy", workers=6) as answers:
            out = eventually(
                f"{SLOWEST} has two pods", lambda: release.replicas(SLOWEST) == (2, 2), 600, 2
            )
        back = eventually(
            f"{SLOWEST} has one pod", lambda: release.replicas(SLOWEST) == (1, 1), 600, 2
        )
    scenario.facts |= {
        **answers.facts(),
        "seconds until two were ready": out,
        "seconds back to one": back,
        "wanted/ready over time": [f"{at} s: {wanted}/{ready}" for at, wanted, ready in seen],
    }
    assert answers.failed == []
    assert seen[0][1:] == (1, 1)
    release.wait_until_whole()
