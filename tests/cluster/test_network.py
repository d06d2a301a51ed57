"""Who reaches whom: everything is denied but for one policy an edge."""

from __future__ import annotations

import pytest

from service.types import RUNNERS
from tests.cluster.clients import idle
from tests.cluster.knock import Place, reached, settled
from tests.cluster.kubectl import Namespace
from tests.cluster.release import Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster


def test_a_stranger_reaches_neither_front_nor_runner(
    release: Release, space: Namespace, places: dict[str, Place], scenario: Scenario
) -> None:
    with idle(release, "stranger", {}) as pod:
        # The database has no policy: the stranger's own network is in order.
        found = settled(space, pod, places, {"database", "DNS"})
    scenario.facts["reaches"] = sorted(found)
    assert found <= {"database", "DNS", "Kubernetes"}


def test_a_client_reaches_the_front_and_no_runner(
    release: Release, space: Namespace, places: dict[str, Place], scenario: Scenario
) -> None:
    with idle(release, "known", {"osteoserve/client": release.name}) as pod:
        found = settled(space, pod, places, {"database", "DNS", "front", "front's pod"})
    scenario.facts["reaches"] = sorted(found)
    assert found <= {"database", "DNS", "Kubernetes", "front", "front's pod"}


def test_the_label_counts_in_its_own_namespace_alone(
    release: Release, elsewhere: Namespace, places: dict[str, Place], scenario: Scenario
) -> None:
    labels = {"osteoserve/client": release.name}
    with idle(release, "neighbour", labels, elsewhere) as pod:
        found = settled(elsewhere, pod, places, {"database", "DNS"})
    scenario.facts["reaches"] = sorted(found)
    assert found <= {"database", "DNS", "Kubernetes"}


def test_prometheus_reaches_whatever_has_metrics(
    release: Release, space: Namespace, places: dict[str, Place], scenario: Scenario
) -> None:
    wanted = {"front", *RUNNERS}
    with idle(release, "prometheus", {}) as pod:
        found = settled(space, pod, places, wanted)
    scenario.facts["reaches"] = sorted(found)
    assert wanted <= found


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_runner_reaches_nothing(
    release: Release, space: Namespace, places: dict[str, Place], runner: str, scenario: Scenario
) -> None:
    (pod,) = release.pods(runner)
    own = {"itself": ("127.0.0.1", 8000)}
    found = reached(space, pod, {**places, **own})
    scenario.facts["reaches"] = sorted(found)
    # Nobody is kept from talking to themselves, nor could be: a runner's Service has one pod.
    assert found <= {"itself", runner, f"{runner}'s pod"}
    assert "itself" in found


def test_a_front_reaches_runners_database_and_dns(
    release: Release, space: Namespace, places: dict[str, Place], scenario: Scenario
) -> None:
    # The Service may lead the front to itself; another's pod is what it must not reach.
    (*_, pod) = release.pods("front")
    found = reached(space, pod, {name: one for name, one in places.items() if name != "front"})
    scenario.facts["reaches"] = sorted(found)
    runners = {*RUNNERS, *(f"{name}'s pod" for name in RUNNERS)}
    assert found == {"database", "DNS", *runners}
