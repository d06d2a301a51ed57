"""Two releases of names that no Service may have, in a namespace under a quota, on tainted nodes.

Every pod has to put up with the taint and to say what it may take: hooks and tests as well. One
keeps its results in a PostgreSQL that only a site's own authority vouches for, one in SQLite.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.chart.authority import OPENSSL, certified
from tests.cluster.clients import key_of, pod
from tests.cluster.conftest import RESTRICTED, everything, namespace, postgres
from tests.cluster.knock import Place, reached
from tests.cluster.kubectl import KubectlError, Namespace, Object, eventually
from tests.cluster.release import COMPONENTS, HERE, Images, Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster

TAINT = "osteoserve-test"
TOLERATIONS = [{"key": TAINT, "operator": "Exists", "effect": "NoSchedule"}]
PORT = 6432

WITH_POSTGRESQL = "osteo.prod"
WITH_SQLITE = f"2nd.dxa-{'x' * 45}"
"""As long as Helm lets a release's name be."""

COMMON: dict[str, object] = {
    "common.tolerations": TOLERATIONS,
    "common.resources": {"limits": {"cpu": 2}},
    "front.replicas": 1,
    "priorityClass.create": True,
    "networkPolicy.databasePort": PORT,
}
OWN: dict[str, dict[str, object]] = {
    WITH_POSTGRESQL: {
        "common.certificateAuthority": {"configMap": "site", "key": "site.pem"},
    },
    WITH_SQLITE: {
        "database.existingSecret": "",
        "database.sqlite.persistence.enabled": False,
        "auth.existingSecret": "",
    },
}


@pytest.fixture(scope="module")
def tainted(cluster: None) -> Iterator[None]:
    """No node takes a pod that does not put up with the taint."""
    kubectl = Namespace("default")
    kubectl.run("taint", "nodes", "--all", "--overwrite", f"{TAINT}=clinical:NoSchedule")
    try:
        yield
    finally:
        kubectl.run("taint", "nodes", "--all", f"{TAINT}-")


@pytest.fixture(scope="module")
def narrow(tainted: None) -> Iterator[Namespace]:
    """A namespace that counts what its pods may take, and refuses those that do not say."""
    for space in namespace(RESTRICTED):
        amounts = {"cpu": "64", "memory": "48Gi"}
        space.apply(
            {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "narrow"},
             "spec": {"hard": {
                 "pods": "40",
                 **{f"{kind}.{key}": value for kind in ("requests", "limits")
                    for key, value in amounts.items()},
             }}},
            # Of pods, since one of containers would fill in what they do not say.
            {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "narrow"},
             "spec": {"limits": [{"type": "Pod", "max": {"cpu": "4", "memory": "4Gi"}}]}},
        )  # fmt: skip
        yield space


@pytest.fixture(scope="module")
def site(narrow: Namespace, images: Images, tmp_path_factory: pytest.TempPathFactory) -> None:
    """PostgreSQL behind TLS, and a ConfigMap with the authority that vouches for it."""
    if OPENSSL is None:
        pytest.fail("no openssl here, which makes the site's own authority")
    made = certified(tmp_path_factory.mktemp("site"), "database")
    password = secrets.token_hex(16)
    url = f"postgresql://osteoserve:{password}@database:{PORT}/postgres?sslmode=verify-full"
    narrow.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "site"},
         "data": {"site.pem": made.authority.read_text()}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "terminator"},
         "data": {"terminator.py": (HERE / "terminator.py").read_text("utf-8")}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls"},
         "data": {name: _encoded(path)
                  for name, path in (("tls.crt", made.certificate), ("tls.key", made.key))}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database"},
         "stringData": {"password": password, "url": url}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "auth"},
         "stringData": {"audit-key": secrets.token_hex(32)}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "database"},
         "spec": {"selector": {"app": "database"}, "ports": [{"port": PORT}]}},
        _behind_tls(postgres(images)),
    )  # fmt: skip
    narrow.run("rollout", "status", "deployment/database", "--timeout=300s")


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _behind_tls(database: Object) -> Object:
    """Return the same with what ends TLS beside it, tolerant and bounded as this namespace asks."""
    spec = database["spec"]["template"]["spec"]
    (server,) = spec["containers"]
    terminator = {
        **{key: server[key] for key in ("image", "imagePullPolicy", "securityContext")},
        "name": "terminator",
        "command": [
            "python",
            "/terminator/terminator.py",
            str(PORT),
            "/tls/tls.crt",
            "/tls/tls.key",
        ],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 2},
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}},
        "volumeMounts": [
            {"name": "terminator", "mountPath": "/terminator"},
            {"name": "tls", "mountPath": "/tls"},
        ],
    }
    spec["containers"] = [server, terminator]
    for one in spec["containers"]:
        one["resources"]["limits"] = {"cpu": "1", "memory": "256Mi"}
    spec["volumes"] += [
        {"name": "terminator", "configMap": {"name": "terminator"}},
        {"name": "tls", "secret": {"secretName": "tls"}},
    ]
    spec["tolerations"] = TOLERATIONS
    return database


@pytest.fixture(scope="module")
def untouched(narrow: Namespace, site: None) -> set[str]:
    """What was in the namespace before the releases."""
    return everything(narrow)


@pytest.fixture(scope="module")
def releases(narrow: Namespace, images: Images, untouched: set[str]) -> dict[str, Release]:
    """Both, installed beside each other."""
    found = {}
    for name, own in OWN.items():
        one = Release(name, narrow, images)
        one.upgrade({**COMMON, **own})
        (front,) = narrow.all("deployments", one.selector("front"))
        prefix = front["metadata"]["name"].removesuffix("-front")
        found[name] = replace(one, prefix=prefix)
    return found


EACH = pytest.mark.parametrize("name", list(OWN), ids=["PostgreSQL", "SQLite"])


def test_the_namespace_is_as_narrow_as_it_should_be(
    narrow: Namespace, images: Images, scenario: Scenario
) -> None:
    bare = pod(Release("none", narrow, images), "bare", ["-c", "pass"], {})
    with pytest.raises(KubectlError, match=r"limits\.cpu|No limit is specified"):
        narrow.accepts(bare)
    scenario.facts["taint"] = TAINT


@EACH
def test_every_pod_becomes_ready(
    releases: dict[str, Release], name: str, scenario: Scenario
) -> None:
    one = releases[name]
    one.wait_until_whole()
    for component in COMPONENTS:
        (found,) = one.namespace.pods(one.selector(component))
        assert TOLERATIONS[0] in found["spec"]["tolerations"]
        assert found["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "2"
    scenario.facts["prefix"] = one.prefix


def test_neither_has_the_other_s_names(releases: dict[str, Release]) -> None:
    first, second = (one.prefix for one in releases.values())
    assert first != second


@EACH
def test_a_scan_is_judged(
    releases: dict[str, Release], name: str, png: bytes, scenario: Scenario
) -> None:
    one = releases[name]
    with (
        one.namespace.forwarded(f"service/{one.object('front')}", 80) as url,
        httpx.Client(
            base_url=url,
            timeout=60,
            trust_env=False,
            headers={"Authorization": f"Bearer {key_of(one)}"},
        ) as client,
    ):
        response = client.post("/api/v1/predictions", content=png)
        assert response.status_code == 201, response.text
        assert client.get(response.headers["location"]).json() == response.json()
        assert response.json()["missing"] == []
    scenario.facts["outcome"] = response.json()["outcome"]


@EACH
def test_helm_test_passes(releases: dict[str, Release], name: str) -> None:
    assert "the release answers" in releases[name].test()


def test_an_upgrade_migrates_again(releases: dict[str, Release]) -> None:
    """The hook's pod has to be let in each time."""
    one = releases[WITH_POSTGRESQL]
    before = one.revisions()
    one.upgrade({**COMMON, **OWN[WITH_POSTGRESQL]})
    one.wait_until_whole()
    assert len(one.revisions()) == len(before) + 1


def test_neither_reaches_the_other_s_runners(
    releases: dict[str, Release], narrow: Namespace, scenario: Scenario
) -> None:
    first, second = releases.values()
    places: dict[str, Place] = {}
    for whose, one in (("own", first), ("other", second)):
        for component in ("stack", "cnn"):
            service = narrow.get("service", one.object(component))["spec"]
            places[f"{whose} {component}"] = (service["clusterIP"], service["ports"][0]["port"])
    (front,) = first.pods("front")
    found = reached(narrow, front, places)
    scenario.facts["reaches"] = sorted(found)
    assert found == {"own stack", "own cnn"}


def test_nothing_is_left(
    releases: dict[str, Release], narrow: Namespace, untouched: set[str], scenario: Scenario
) -> None:
    for one in releases.values():
        one.uninstall()
    eventually(
        "all pods are gone",
        lambda: not any(narrow.all("pods", one.selector()) for one in releases.values()), 120,
    )  # fmt: skip
    left = everything(narrow) - untouched
    scenario.facts["left"] = sorted(left) or 0
    assert left == set()
    for one in releases.values():
        assert (
            narrow.run("get", "priorityclasses", "--selector", one.selector(), "-o", "name") == ""
        )
