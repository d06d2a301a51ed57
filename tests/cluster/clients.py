"""Pods that speak to a release from inside the cluster, in the front's own image."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.kubectl import Namespace, Object, eventually
from tests.cluster.release import HERE, Release

SCANS = "scans"
CLIENT = "client"


@dataclass
class Load:
    """What became of the requests of one client."""

    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Whatever was not answered with a prediction that could be read again afterwards."""
        return [one for one in self.requests if one.get("status") != 201 or not one.get("stored")]

    @property
    def degraded(self) -> list[dict[str, Any]]:
        return [one for one in self.requests if one.get("degraded")]

    @property
    def whole(self) -> list[dict[str, Any]]:
        return [one for one in self.requests if one.get("degraded") is False]

    def missing(self) -> set[str]:
        return {name for one in self.degraded for name in one["missing"]}

    def facts(self) -> dict[str, Any]:
        """For the report."""
        seconds = sorted(one["seconds"] for one in self.requests)
        return {
            "requests": len(self.requests),
            "failed": len(self.failed),
            "degraded": len(self.degraded),
            "median seconds": seconds[len(seconds) // 2],
            "slowest seconds": seconds[-1],
        }


def pod(
    release: Release,
    name: str,
    arguments: list[str],
    labels: Mapping[str, str],
    wait: bool = False,
    key: str = "",
) -> Object:
    """A pod in the front's image that runs Python, restricted as the chart's own are.

    ``key``: what it shows the front.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name, **labels}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": name,
                    "image": release.images.of("front"),
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python", *arguments],
                    "env": [{"name": "OSTEOSERVE_KEY", "value": key}],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "64Mi"},
                        "limits": {"memory": "512Mi"},
                    },
                    "volumeMounts": [
                        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - its own volume
                        {"name": CLIENT, "mountPath": "/client"},
                        {"name": SCANS, "mountPath": "/scans"},
                    ],
                }
            ],
            "volumes": [
                {"name": "tmp", "emptyDir": {}},
                {"name": CLIENT, "configMap": {"name": CLIENT}},
                {"name": SCANS, "configMap": {"name": SCANS}},
            ],
        },
    }  # fmt: skip


def files(scans: Mapping[str, str]) -> tuple[Object, Object]:
    """What client pods read: their script, and ``scans``, file name → Base64."""
    script = (HERE / "client.py").read_text("utf-8")
    return (
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CLIENT},
         "data": {"client.py": script}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SCANS},
         "binaryData": dict(scans)},
    )  # fmt: skip


def sent(release: Release, name: str, count: int, workers: int = 2) -> Load:
    """Send ``count`` scans through the front's Service and wait for all answers."""
    with _running(release, name, workers, count) as load:
        eventually(f"{name} has sent {count}", lambda: _phase(release, name) == "Succeeded", 900)
        _read(release, name, load)
    return load


@contextmanager
def load(release: Release, name: str, workers: int = 2) -> Iterator[Load]:
    """Send scans through the front's Service until the block ends; then the load is known.

    The block begins when the first answers are there.
    """
    space = release.namespace
    with _running(release, name, workers, 0) as found:

        def answered() -> bool:
            _read(release, name, found)
            return len(found.requests) >= workers

        eventually(f"{name} has answers", answered, 300)
        yield found
        space.run("exec", name, "--", "python", "-c", "open('/tmp/stop', 'w')")
        eventually(f"{name} has stopped", lambda: _phase(release, name) == "Succeeded", 180)
        _read(release, name, found)


@contextmanager
def idle(
    release: Release,
    name: str,
    labels: Mapping[str, str],
    space: Namespace | None = None,
    code: str = "import time; time.sleep(3600)",
) -> Iterator[str]:
    """A pod in which code can be run, and ``code`` runs meanwhile."""
    space = space or release.namespace
    one = pod(release, name, ["-c", code], labels)
    # Without what only a load needs, so that any namespace will do.
    del one["spec"]["volumes"][1:]
    del one["spec"]["containers"][0]["volumeMounts"][1:]
    space.apply(one)
    try:
        space.run("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=120s")
        yield name
    finally:
        space.run("delete", "pod", name, "--wait=true")


def progress(release: Release, name: str) -> list[dict[str, Any]]:
    """What has been answered so far."""
    found = Load()
    _read(release, name, found)
    return found.requests


@contextmanager
def _running(release: Release, name: str, workers: int, count: int) -> Iterator[Load]:
    space = release.namespace
    url = f"http://{release.object('front')}"
    arguments = ["/client/client.py", url, "/scans", str(workers), str(count)]
    labels = {"osteoserve/client": release.name}
    space.apply(pod(release, name, arguments, labels, key=key_of(release)))
    try:
        yield Load()
    finally:
        space.run("delete", "pod", name, "--wait=true")


def key_of(release: Release) -> str:
    """Return a key that opens the release, made as its operator makes one."""
    command = ("python", "-m", "service", "keys", "add", "--name", "tests", "--role", "clinician")
    place = f"deployment/{release.object('front')}"
    return release.namespace.run("exec", place, "--", *command).splitlines()[-1]


def _phase(release: Release, name: str) -> str:
    phase: str = release.namespace.get("pod", name)["status"]["phase"]
    if phase == "Failed":
        raise AssertionError(f"{name}: {release.namespace.run('logs', name)}")
    return phase


def _read(release: Release, name: str, into: Load) -> None:
    if _phase(release, name) == "Pending":
        return
    lines = release.namespace.run("logs", name).splitlines()
    into.requests = [json.loads(line) for line in lines]
