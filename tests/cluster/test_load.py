"""The load test that the chart has: it runs to its end, and its Job ends as the gate judges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cluster.clients import key_of
from tests.cluster.knock import Place, settled
from tests.cluster.kubectl import Namespace, Object, eventually
from tests.cluster.release import Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster

LITTLE = {
    "loadTest.enabled": True,
    "loadTest.keySecret": "load",
    # Two a second for half a minute ask for everything often enough to be judged.
    "loadTest.shape": "smoke",
    "loadTest.rate": 2,
    "loadTest.resources.requests": {"cpu": "20m", "memory": "128Mi"},
}
SECONDS = 420
LATE = re.compile(r"^FAIL load generator: | answers within ")
VOTE = "answers lack a model's vote"


@dataclass(frozen=True)
class End:
    """How the Job and its container ended, and what the gate said."""

    job: str | None
    status: int
    fails: list[str]
    last: str


@pytest.fixture(scope="module")
def key(release: Release) -> Iterator[None]:
    """A key of the load's own, where the chart looks for it."""
    release.namespace.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "load"},
         "stringData": {"key": key_of(release)}},
    )  # fmt: skip
    yield
    release.namespace.run("delete", "secret", "load")


def job(release: Release) -> Object:
    (found,) = release.namespace.all("jobs", release.selector("load"))
    return found


def pod(release: Release) -> Object:
    (found,) = release.namespace.all("pods", release.selector("load"))
    return found


def ended(release: Release) -> str | None:
    """How the Job has ended: Complete or Failed; None as long as it runs."""
    conditions = job(release)["status"].get("conditions", [])
    ends = {one["type"]: one for one in conditions if one["status"] == "True"}
    return next((end for end in ("Complete", "Failed") if end in ends), None)


def outcome(release: Release, scenario: Scenario) -> End:
    eventually("the load has ended", lambda: ended(release) is not None, SECONDS)
    found = pod(release)
    (status,) = found["status"]["containerStatuses"]
    log = release.namespace.run("logs", found["metadata"]["name"]).splitlines()
    end = End(
        job=ended(release),
        status=status["state"]["terminated"]["exitCode"],
        fails=[line for line in log if line.startswith("FAIL ")],
        last=log[-1],
    )
    scenario.facts |= {"Job": end.job, "exit status": end.status, "gate": end.fails or end.last}
    print("\n".join(log))
    return end


@pytest.mark.usefixtures("key")
def test_a_load_test_ends_as_it_judges_and_reaches_the_front_alone(
    release: Release, space: Namespace, places: dict[str, Place], scenario: Scenario
) -> None:
    # That its pod comes at all shows it to be restricted enough.
    release.upgrade(LITTLE)
    try:
        eventually("the load's pod runs", lambda: pod(release)["status"]["phase"] == "Running", 180)
        name = pod(release)["metadata"]["name"]
        found = settled(space, name, places, {"front", "front's pod", "DNS"})
        end = outcome(release, scenario)
    finally:
        release.upgrade()
    scenario.facts["reaches"] = sorted(found)
    assert found == {"front", "front's pod", "DNS"}
    # Where two cores are others' as well, answers or the load itself may be late, and it says so.
    assert [line for line in end.fails if not LATE.search(line)] == []
    verdict = ("Failed", 1, "failed") if end.fails else ("Complete", 0, "passed")
    assert (end.job, end.status, end.last.partition(":")[0]) == verdict


@pytest.mark.usefixtures("key")
def test_a_load_test_fails_by_the_endpoint_s_name(release: Release, scenario: Scenario) -> None:
    release.upgrade({**LITTLE, "loadTest.run": "without a runner", "runners.resnet.replicas": 0})
    try:
        end = outcome(release, scenario)
        conditions = job(release)["status"]["conditions"]
    finally:
        release.upgrade()
        release.wait_until_whole()
    assert (end.job, end.status, end.last.partition(":")[0]) == ("Failed", 1, "failed")
    # Once, and no second try.
    assert {one["reason"] for one in conditions if one["type"] == "Failed"} == {
        "BackoffLimitExceeded"
    }
    (line,) = (
        line
        for line in end.fails
        if line.startswith("FAIL predict (POST /api/v1/predictions): ") and VOTE in line
    )
    scenario.facts["says"] = line


def test_a_load_test_that_is_switched_off_leaves_nothing(
    release: Release, space: Namespace
) -> None:
    assert space.all("jobs", release.selector("load")) == []
    eventually("its pods are gone", lambda: not space.all("pods", release.selector("load")), 60)
    policies = [one["metadata"]["name"] for one in space.all("networkpolicies")]
    assert f"{release.name}-load-to-front" not in policies
