"""Pods that go: answers say so, and none is lost."""

from __future__ import annotations

import time

import pytest

from tests.cluster.clients import load, progress, sent
from tests.cluster.kubectl import eventually
from tests.cluster.release import Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster


def test_a_killed_runner_degrades_answers_until_it_is_back(
    release: Release, scenario: Scenario
) -> None:
    (victim,) = release.pods("cnn")
    with load(release, "killed") as answers:

        def noticed() -> bool:
            # No grace: what it was computing is lost, as when a node dies. Its successors fare no
            # better until an answer has had to do without.
            for pod in release.pods("cnn"):
                release.namespace.run("delete", "pod", pod, "--grace-period=0", "--force")
            return any("cnn" in one.get("missing", ()) for one in progress(release, "killed"))

        eventually("an answer has had to do without", noticed, 120, 3)
        back = release.wait_until_whole()
        since = time.time()
        eventually(
            "answers are whole again",
            lambda: [
                "cnn" in one.get("missing", ())
                for one in progress(release, "killed")
                if one["at"] > since
            ][-5:] == [False] * 5,
            120,
        )  # fmt: skip
    scenario.facts |= {**answers.facts(), "seconds until its successor was ready": back}
    assert victim not in release.pods("cnn")
    assert answers.failed == []
    assert "cnn" in answers.missing()


def test_a_runner_scaled_to_zero_is_missing_from_answers(
    release: Release, scenario: Scenario
) -> None:
    deployment = f"deployment/{release.object('resnet')}"
    release.namespace.run("scale", deployment, "--replicas=0")
    try:
        eventually("its pod is gone", lambda: release.namespace.all(
            "pods", release.selector("resnet")) == [], 120)  # fmt: skip
        without = sent(release, "without", 6)
        _, fronts = release.replicas("front")
    finally:
        release.namespace.run("scale", deployment, "--replicas=1")
    release.wait_until_whole()
    again = sent(release, "again", 6)
    scenario.facts |= {
        "without it": without.facts(), "with it again": again.facts(), "ready fronts": fronts,
    }  # fmt: skip
    assert without.failed == again.failed == []
    assert all("resnet" in one["missing"] for one in without.requests)
    assert "resnet" not in again.missing()
    # A front without a runner is no worse than its neighbours, and stays where it is.
    assert fronts == 3


def test_a_drained_front_loses_nothing(release: Release, scenario: Scenario) -> None:
    (victim, *_) = release.pods("front")
    with load(release, "drained", workers=3) as answers:
        release.namespace.evict(victim)
        eventually(
            f"{victim} is gone",
            lambda: victim not in [
                one["metadata"]["name"]
                for one in release.namespace.all("pods", release.selector("front"))
            ],
            180,
        )  # fmt: skip
        release.wait_until_whole()
    scenario.facts |= answers.facts()
    assert victim not in release.pods("front")
    assert answers.failed == []
