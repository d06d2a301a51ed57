"""Who reaches whom: everything is denied but for one policy an edge."""

from __future__ import annotations

import json

import pytest

from service.types import RUNNERS
from tests.cluster.clients import idle
from tests.cluster.kubectl import Namespace, eventually
from tests.cluster.release import Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster

Place = tuple[str, int]

# All at once: what is dropped in silence is only seen by waiting.
KNOCK = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def knock(place):
    try:
        socket.create_connection(place, timeout=4).close()
        return True
    except OSError:
        return False
places = json.loads(sys.argv[1])
print(json.dumps(list(ThreadPoolExecutor(len(places)).map(knock, map(tuple, places)))))
"""


@pytest.fixture(scope="module")
def places(release: Release, space: Namespace) -> dict[str, Place]:
    """Addresses, since who may not ask DNS cannot use names: Services, and one pod of each."""
    found: dict[str, Place] = {}
    for component in ("front", *RUNNERS):
        service = space.get("service", release.object(component))["spec"]
        found[component] = (service["clusterIP"], service["ports"][0]["port"])
        (pod, *_) = release.pods(component)
        found[f"{component}'s pod"] = (space.get("pod", pod)["status"]["podIP"], 8000)
    found["database"] = (space.get("service", "database")["spec"]["clusterIP"], 5432)
    # What is on a pod's own node no policy can close to it: https://kubernetes.io/docs/concepts/
    # services-networking/network-policies/#what-you-can-t-do-with-network-policies-at-least-not-yet
    if not on_own_node(release, space):
        api = Namespace("default").get("service", "kubernetes")["spec"]["clusterIP"]
        found["Kubernetes"] = (api, 443)
    dns = Namespace("kube-system").all("services", "k8s-app=kube-dns")
    found["DNS"] = (dns[0]["spec"]["clusterIP"], 53)
    return found


def on_own_node(release: Release, space: Namespace) -> bool:
    """Whether the API server answers on a node that has pods of the release."""
    (slice_,) = Namespace("default").all("endpointslices", "kubernetes.io/service-name=kubernetes")
    servers = {address for one in slice_["endpoints"] for address in one["addresses"]}
    hosts = {one["status"]["hostIP"] for one in space.pods(release.selector())}
    return bool(servers & hosts)


def reached(space: Namespace, pod: str, places: dict[str, Place]) -> set[str]:
    answers = json.loads(space.python(pod, KNOCK, json.dumps(list(places.values()))))
    return {name for name, open_ in zip(places, answers, strict=True) if open_}


def settled(space: Namespace, pod: str, places: dict[str, Place], wanted: set[str]) -> set[str]:
    """What ``pod`` reaches, once its policies are in force: a new pod's may take a moment."""
    eventually(
        f"{pod} reaches {', '.join(sorted(wanted))}",
        lambda: wanted <= reached(space, pod, places), 30,
    )  # fmt: skip
    return reached(space, pod, places)


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
