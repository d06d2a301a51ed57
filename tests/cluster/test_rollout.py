"""Another version, and back, while people go on working."""

from __future__ import annotations

import json

import pytest

from tests.cluster.clients import load
from tests.cluster.release import COMPONENTS, Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster

CHANGED = {
    "common.podAnnotations": {"osteoserve/test": "another version"},
    "front.settings.OSTEOSERVE_LOG_LEVEL": "warning",
}


def pods(release: Release) -> dict[str, set[str]]:
    return {component: set(release.pods(component)) for component in COMPONENTS}


def log_level(release: Release) -> str | None:
    """What a front's own process has been told."""
    (pod, *_) = release.pods("front")
    code = "import json, os; print(json.dumps(os.environ.get('OSTEOSERVE_LOG_LEVEL')))"
    level: str | None = json.loads(release.namespace.python(pod, code))
    return level


def test_a_rolling_upgrade_loses_nothing(release: Release, scenario: Scenario) -> None:
    before = pods(release)
    assert log_level(release) is None
    with load(release, "upgrade") as answers:
        release.upgrade(CHANGED)
        release.wait_until_whole()
    after = pods(release)
    scenario.facts |= answers.facts()
    for component in COMPONENTS:
        assert len(after[component]) == len(before[component])
        assert not after[component] & before[component], f"{component} was not replaced"
    assert log_level(release) == "warning"
    assert answers.failed == []


def test_a_rollback_loses_nothing_either(release: Release, scenario: Scenario) -> None:
    before = pods(release)
    (first, *_) = release.revisions()
    with load(release, "rollback") as answers:
        release.rollback(first)
        release.wait_until_whole()
    after = pods(release)
    scenario.facts |= {**answers.facts(), "back to revision": first}
    for component in COMPONENTS:
        assert not after[component] & before[component], f"{component} was not replaced"
    assert log_level(release) is None
    assert answers.failed == []


def test_a_changed_setting_restarts_who_reads_it_alone(
    release: Release, scenario: Scenario
) -> None:
    before = pods(release)
    release.upgrade({"runners.stack.settings.OSTEOSERVE_MAX_BATCH_SIZE": 4})
    release.wait_until_whole()
    after = pods(release)
    restarted = {name for name in COMPONENTS if after[name] != before[name]}
    scenario.facts["restarted"] = sorted(restarted)
    assert restarted == {"stack"}
