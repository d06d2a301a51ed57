"""The chart on the cluster that KUBECONFIG names: ``pytest tests/cluster -m cluster``.

Left out unless the marker is named. Everything happens in namespaces of its own, which are deleted
at the end (OSTEOSERVE_CLUSTER_KEEP=1 leaves them to be looked at). The images have to be there:
REGISTRY and TAG say where, as for ``k8s/images/build``. The modules run in the order of their names
and share one release; each test leaves it whole.
"""

from __future__ import annotations

import base64
import io
import json
import os
import secrets
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from k8s import helm
from models import phantom
from models.phantom import Artefact
from tests.cluster import knock
from tests.cluster.clients import files
from tests.cluster.kubectl import Namespace, Object
from tests.cluster.release import Images, Release
from tests.cluster.report import FILE, Report, Scenario

PREFIX = "osteoserve-test"
REPORT = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cluster: installs the chart on a real cluster; opt in")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "cluster" in (config.option.markexpr or ""):
        return
    left = [item for item in items if item.get_closest_marker("cluster")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not item.get_closest_marker("cluster")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    made = yield
    if item.get_closest_marker("cluster") and REPORT in item.config.stash:
        one = item.config.stash[REPORT].scenario(item.nodeid, _title(item))
        one.seconds += made.duration
        if made.when == "call" or made.outcome != "passed":
            one.outcome = made.outcome
        if made.failed:
            one.why = "\n".join(str(made.longrepr).splitlines()[-12:])
        # Even a run that is cut short leaves what it found.
        item.config.stash[REPORT].write()
    return made


def _title(item: pytest.Item) -> str:
    return item.name.removeprefix("test_").replace("_", " ")


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Iterator[Report]:
    found = pytestconfig.stash.setdefault(REPORT, Report())
    yield found
    found.write()
    print(f"\nreport: {FILE}")


@pytest.fixture
def scenario(request: pytest.FixtureRequest, report: Report) -> Scenario:
    """Where a test puts what it measured."""
    return report.scenario(request.node.nodeid, _title(request.node))


@pytest.fixture(scope="session")
def images() -> Images:
    return Images(os.environ.get("REGISTRY", "localhost/osteoserve"), os.environ.get("TAG", "dev"))


@pytest.fixture(scope="session")
def cluster(report: Report, images: Images) -> None:
    """The cluster answers, and it is one that somebody meant."""
    if not os.environ.get("KUBECONFIG"):
        pytest.fail("KUBECONFIG names no cluster: set it to one that these tests may use")
    kubectl = Namespace("default")
    version = json.loads(kubectl.run("version", "--output", "json"))
    report.cluster["Kubernetes"] = version["serverVersion"]["gitVersion"]
    report.cluster["Helm"] = helm.run("version", "--short").strip()
    nodes = json.loads(kubectl.run("get", "nodes", "--output", "json"))["items"]
    report.cluster["nodes"] = [
        f"{one['metadata']['name']} ({one['status']['allocatable']['cpu']} CPUs, "
        f"{one['status']['nodeInfo']['containerRuntimeVersion']})"
        for one in nodes
    ]
    report.cluster["images"] = images.of("…")


def namespace(labels: dict[str, str]) -> Iterator[Namespace]:
    space = Namespace(f"{PREFIX}-{secrets.token_hex(3)}")
    space.apply(
        {"apiVersion": "v1", "kind": "Namespace",
         "metadata": {"name": space.name, "labels": labels}}
    )  # fmt: skip
    try:
        yield space
    finally:
        if os.environ.get("OSTEOSERVE_CLUSTER_KEEP") != "1":
            space.run(
                "delete", "namespace", space.name, "--wait=true", "--timeout=300s", seconds=330
            )


RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}


@pytest.fixture(scope="session")
def space(cluster: None) -> Iterator[Namespace]:
    """A restricted namespace, to which no pod comes that may do more than it has to."""
    yield from namespace(RESTRICTED)


@pytest.fixture(scope="session")
def elsewhere(cluster: None) -> Iterator[Namespace]:
    """Somebody else's namespace."""
    yield from namespace(RESTRICTED)


@pytest.fixture(scope="session")
def png() -> bytes:
    return _phantoms(1)[0]


@pytest.fixture(scope="session")
def database(space: Namespace, images: Images) -> str:
    """PostgreSQL in a pod, for as long as the namespace is there; return its Secret's name."""
    password = secrets.token_hex(16)
    url = f"postgresql://osteoserve:{password}@database:5432/postgres"
    space.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database"},
         "stringData": {"password": password, "url": url}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "auth"},
         "stringData": {"audit-key": secrets.token_hex(32)}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "database"},
         "spec": {"selector": {"app": "database"}, "ports": [{"port": 5432}]}},
        postgres(images),
    )  # fmt: skip
    space.run("rollout", "status", "deployment/database", "--timeout=300s")
    return "database"


@pytest.fixture(scope="session")
def before(space: Namespace, database: str) -> set[str]:
    """What was in the namespace before the release."""
    space.apply(*files({f"{i}.png": base64.b64encode(data).decode()
                        for i, data in enumerate(_phantoms(4))}))  # fmt: skip
    return everything(space)


@pytest.fixture(scope="session")
def release(space: Namespace, images: Images, before: set[str], report: Report) -> Release:
    """The release that all tests share, installed by the first that asks for it."""
    one = Release("osteoserve", space, images)
    one.upgrade()
    return one


@pytest.fixture(scope="module")
def places(release: Release, space: Namespace) -> dict[str, knock.Place]:
    """Where to knock. For a module's time: pods come and go."""
    return knock.places(release, space)


def everything(space: Namespace) -> set[str]:
    """Names of all objects in the namespace, but for what the cluster itself keeps of the past."""
    kinds = space.run("api-resources", "--namespaced", "--verbs=list", "--output=name").split()
    kinds = [kind for kind in kinds if kind.split(".")[0] not in ("events", "leases")]
    # Metrics of pods, and the endpoints that the database's Service has, come and go by themselves.
    kinds = [kind for kind in kinds if "metrics.k8s.io" not in kind and "endpoint" not in kind]
    return set(space.run("get", ",".join(kinds), "--output=name").split())


def _phantoms(count: int) -> list[bytes]:
    found = []
    for seed in range(21, 21 + count):
        drawn = phantom.draw(np.random.default_rng(seed), "osteoporosis", artefact=Artefact.NONE)
        buffer = io.BytesIO()
        Image.fromarray(drawn.image).save(buffer, "PNG")
        found.append(buffer.getvalue())
    return found


def postgres(images: Images) -> Object:
    """Return a PostgreSQL whose password is in the Secret ``database``."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "database"},
        "spec": {
            "selector": {"matchLabels": {"app": "database"}},
            "template": {
                "metadata": {"labels": {"app": "database"}},
                "spec": {
                    "automountServiceAccountToken": False,
                    "securityContext": {
                        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001,
                        "fsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [{
                        "name": "postgres",
                        "image": images.of("postgres"),
                        "imagePullPolicy": "IfNotPresent",
                        "ports": [{"containerPort": 5432}],
                        "readinessProbe": {
                            "exec": {"command": ["pg_isready", "--host=127.0.0.1"]},
                            "periodSeconds": 2,
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
                        "volumeMounts": [
                            {"name": "data", "mountPath": "/tmp"},  # noqa: S108 - its own volume
                            {"name": "password", "mountPath": "/run/secrets/database"},
                        ],
                    }],
                    "volumes": [
                        {"name": "data", "emptyDir": {}},
                        {"name": "password", "secret": {"secretName": "database"}},
                    ],
                },
            },
        },
    }  # fmt: skip
