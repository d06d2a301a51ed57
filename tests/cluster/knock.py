"""Who reaches whom, tried from inside pods."""

from __future__ import annotations

import json

from service.types import RUNNERS
from tests.cluster.kubectl import Namespace, eventually
from tests.cluster.release import Release

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
