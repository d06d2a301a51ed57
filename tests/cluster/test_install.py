"""One command, and everything is there."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.cluster.clients import key_of, sent
from tests.cluster.kubectl import KubectlError, Namespace
from tests.cluster.release import COMPONENTS, Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster

MB = 1_000_000
LARGEST = {name: (400 if name == "front" else 1200) * MB for name in COMPONENTS}

# The root's own file system alone: volumes, /proc and what the kubelet mounts are others.
LOOK = """
import importlib.util, json, os, sys
size, device = 0, os.lstat("/").st_dev
for folder, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if os.lstat(os.path.join(folder, f)).st_dev == device]
    for file in files:
        found = os.lstat(os.path.join(folder, file))
        size += found.st_size if found.st_dev == device else 0
try:
    open("/srv/osteoserve/written", "w")
    written = True
except OSError:
    written = False
bill = json.load(open("/usr/share/sbom/osteoserve.cdx.json"))
print(json.dumps({
    "size": size, "user": os.getuid(), "written": written,
    "tensorflow": importlib.util.find_spec("tensorflow") is not None,
    "pip": importlib.util.find_spec("pip") is not None,
    "format": bill["bomFormat"], "components": [one["name"] for one in bill["components"]],
}))
"""


def test_every_pod_becomes_ready(release: Release, scenario: Scenario) -> None:
    release.wait_until_whole()
    for component in COMPONENTS:
        for name in release.pods(component):
            (status,) = release.namespace.get("pod", name)["status"]["containerStatuses"]
            assert status["ready"]
            assert status["restartCount"] == 0
    scenario.facts["pods"] = {one: len(release.pods(one)) for one in COMPONENTS}


@pytest.mark.parametrize("component", COMPONENTS)
def test_an_image_is_small_closed_and_says_what_is_in_it(
    release: Release, scenario: Scenario, component: str
) -> None:
    (pod, *_) = release.pods(component)
    found: dict[str, Any] = json.loads(release.namespace.python(pod, LOOK))
    scenario.facts["unpacked MB"] = found["size"] / MB
    scenario.facts["packages in its bill of materials"] = len(found["components"])
    assert found["size"] < LARGEST[component]
    assert found["user"] != 0
    assert not found["written"]
    assert not found["tensorflow"]
    assert found["format"] == "CycloneDX"
    assert {"front": "fastapi"}.get(component, "bentoml") in found["components"]
    assert release.namespace.get("pod", pod)["spec"]["automountServiceAccountToken"] is False


def test_a_scan_is_judged_through_a_port_forward(
    release: Release, png: bytes, scenario: Scenario
) -> None:
    with (
        release.namespace.forwarded(f"service/{release.object('front')}", 80) as url,
        httpx.Client(
            base_url=url,
            timeout=60,
            trust_env=False,
            headers={"Authorization": f"Bearer {key_of(release)}"},
        ) as client,
    ):
        response = client.post("/api/v1/predictions", files={"file": ("scan", png)})
        assert response.status_code == 201, response.text
        answer = response.json()
        assert client.get(response.headers["location"]).json() == answer
        assert client.get("/", headers={"accept": "text/html"}).status_code == 200
        # What is told of the models needs no weights.
        told = client.get("/api/v1/models").json()
    assert answer["missing"] == []
    assert not answer["degraded"]
    assert {n: told["models"][n]["version"] for n in answer["models"]} == {
        n: one["version"] for n, one in answer["models"].items()
    }
    scenario.facts |= {key: answer[key] for key in ("outcome", "probability", "timings_ms")}


def test_each_of_three_fronts_serves_its_share(release: Release, scenario: Scenario) -> None:
    count = 60
    before = _predictions(release)
    load = sent(release, "shares", count)
    shares = {pod: made - before[pod] for pod, made in _predictions(release).items()}
    scenario.facts |= {**load.facts(), "answers of each front": sorted(shares.values())}
    assert load.failed == []
    assert sum(shares.values()) == len(load.requests) == count
    assert len(shares) == 3
    # By chance alone a front gets fewer than this once in some ten thousand runs.
    assert min(shares.values()) >= count / 3 / 3


def test_helm_test_passes(release: Release, scenario: Scenario) -> None:
    said = release.test()
    assert "Phase:          Succeeded" in said
    assert "the release answers" in said
    assert release.namespace.all("pods", release.selector("test")) == []
    scenario.facts["says"] = "the release answers"


def test_the_namespace_takes_what_is_restricted_alone(
    release: Release, space: Namespace, scenario: Scenario
) -> None:
    labels = space.get("namespace", space.name)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    loose = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "loose"},
        "spec": {"containers": [{"name": "loose", "image": release.images.of("front")}]},
    }  # fmt: skip
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        space.accepts(loose)
    scenario.facts["accepted"] = len(space.pods(release.selector()))


def _predictions(release: Release) -> dict[str, int]:
    """How many predictions each front has stored."""
    code = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000/metrics').read().decode())"
    found = {}
    for pod in release.pods("front"):
        text = release.namespace.python(pod, code)
        made = re.findall(r"^osteoserve_predictions_total\{.*\} ([0-9.e+]+)$", text, re.M)
        found[pod] = round(sum(map(float, made)))
    return found
