"""Every pod that the chart makes is given whatever a cluster may ask of a pod."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.chart.conftest import GATEWAY, LOADED, SCENARIOS, Object, rendered, scenario

POSTGRES = ('database.existingSecret="pg"', 'auth.existingSecret="doors"')
ALL = (*POSTGRES, *LOADED, *GATEWAY, 'retention.policy={"*":{"images":1}}')
PODS = {
    "front", "gateway", "cnn", "vgg16", "resnet", "vertebrae", "stack", "migrate", "test", "load",
    "retention",
}  # fmt: skip


def templates(one: Any) -> Iterator[Object]:
    """Yield each pod, or template of one, anywhere within an object of whatever kind."""
    if isinstance(one, dict):
        if isinstance(one.get("spec"), dict) and "containers" in one["spec"]:
            yield one
        for value in one.values():
            yield from templates(value)
    elif isinstance(one, list):
        for value in one:
            yield from templates(value)


def pods(*sets: str) -> dict[str, Object]:
    """Every pod of a release with PostgreSQL, a load test and ``sets``, by its component."""
    found = list(templates(list(rendered(*ALL, *sets))))
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in found}


def common(**values: Any) -> dict[str, Object]:
    return pods(*(f"common.{key}={json.dumps(value)}" for key, value in values.items()))


GIVEN = {
    "nodeSelector": {"pool": "clinical"},
    "tolerations": [{"key": "clinical", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "priorityClassName": "high",
    "runtimeClassName": "gvisor",
    "hostAliases": [{"ip": "fd00::7", "hostnames": ["pg.example"]}],
    "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
}
"""What goes into a pod's spec as it is."""


@cache
def given() -> dict[str, Object]:
    return pods(
        *(f"common.{key}={json.dumps(value)}" for key, value in GIVEN.items()),
        'common.topologySpread={"host":"DoNotSchedule","zone":"ScheduleAnyway"}',
        'common.podLabels={"team":"imaging"}',
        'common.podAnnotations={"note":"seen"}',
        'common.extraEnv=[{"name":"HTTPS_PROXY","value":"http://proxy:1"}]',
        'common.extraEnvFrom=[{"configMapRef":{"name":"site"}}]',
        'common.extraVolumes=[{"name":"site","secret":{"secretName":"site"}}]',
        'common.extraVolumeMounts=[{"name":"site","mountPath":"/etc/site"}]',
        'common.certificateAuthority={"configMap":"site-ca","key":"bundle.pem"}',
        'common.resources={"limits":{"cpu":"2","ephemeral-storage":"4Gi"},'
        '"requests":{"ephemeral-storage":"1Gi"}}',
        'common.scratch="123Mi"',
        'common.image.registry="registry.example"',
        'imagePullSecrets=[{"name":"pull"}]',
        'global={"imagePullSecrets":[{"name":"theirs"}]}',
    )


def test_every_pod_is_known_here() -> None:
    assert set(given()) == PODS


@pytest.mark.parametrize("pod", sorted(PODS))
def test_a_pod_goes_where_the_values_say(pod: str) -> None:
    spec = given()[pod]["spec"]
    assert {key: spec.get(key) for key in GIVEN} == GIVEN
    assert spec["imagePullSecrets"] == [{"name": "pull"}, {"name": "theirs"}]
    assert {
        one["topologyKey"]: one["whenUnsatisfiable"] for one in spec["topologySpreadConstraints"]
    } == {
        "kubernetes.io/hostname": "DoNotSchedule",
        "topology.kubernetes.io/zone": "ScheduleAnyway",
    }


@pytest.mark.parametrize("pod", sorted(PODS))
def test_a_pod_is_labelled_and_has_an_account_without_a_token(pod: str) -> None:
    one = given()[pod]
    labels, spec = one["metadata"]["labels"], one["spec"]
    assert labels["team"] == "imaging"
    assert labels["app.kubernetes.io/instance"] == "rel"
    assert one["metadata"]["annotations"]["note"] == "seen"
    assert spec["automountServiceAccountToken"] is False
    assert spec["serviceAccountName"] == f"rel-osteoserve-{pod}"
    (account,) = (
        one
        for one in rendered(*ALL)
        if one["kind"] == "ServiceAccount" and one["metadata"]["name"] == f"rel-osteoserve-{pod}"
    )
    assert account["automountServiceAccountToken"] is False
    # What a hook's pod needs is there before the hook.
    hook = "helm.sh/hook" in account["metadata"].get("annotations", {})
    assert hook == (pod == "migrate")


@pytest.mark.parametrize("pod", sorted(PODS))
def test_a_container_is_restricted_and_bounded(pod: str) -> None:
    spec = given()[pod]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["image"].startswith("registry.example/")
    resources = container["resources"]
    # Its own beside those of all: what a quota counts is said by every pod.
    assert set(resources["limits"]) == {"memory", "cpu", "ephemeral-storage"}
    assert set(resources["requests"]) == {"memory", "cpu", "ephemeral-storage"}
    assert resources["limits"]["cpu"] == "2"
    assert {"name": "scratch", "mountPath": "/tmp"} in container["volumeMounts"]  # noqa: S108 - a volume of the pod


@pytest.mark.parametrize("pod", sorted(PODS))
def test_a_container_has_what_the_values_add(pod: str) -> None:
    spec = given()[pod]["spec"]
    (container,) = spec["containers"]
    assert {"name": "HTTPS_PROXY", "value": "http://proxy:1"} in container["env"]
    # Of two sources the later wins: the chart's settings.
    assert container["envFrom"][0] == {"configMapRef": {"name": "site"}}
    assert {"name": "site", "mountPath": "/etc/site"} in container["volumeMounts"]
    assert {"name": "site", "secret": {"secretName": "site"}} in spec["volumes"]


@pytest.mark.parametrize("pod", sorted(PODS))
@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("configMap", {"configMap": {"name": "site-ca"}}),
        ("secret", {"secret": {"secretName": "site-ca"}}),
    ],
)
def test_a_pod_trusts_the_site_s_own_authority(
    pod: str, kind: str, source: dict[str, dict[str, Any]]
) -> None:
    found = common(certificateAuthority={kind: "site-ca", "key": "bundle.pem"})[pod]["spec"]
    (container,) = found["containers"]
    env = {one["name"]: one.get("value") for one in container["env"]}
    (key,) = source
    wanted = {
        "name": "trust",
        key: {**source[key], "items": [{"key": "bundle.pem", "path": "ca.crt"}]},
    }
    assert wanted in found["volumes"]
    (mount,) = (one for one in container["volumeMounts"] if one["name"] == "trust")
    for name in ("SSL_CERT_FILE", "PGSSLROOTCERT", "REQUESTS_CA_BUNDLE"):
        assert env[name] == f"{mount['mountPath']}/ca.crt"


def test_without_an_authority_nothing_is_said_of_one() -> None:
    text = json.dumps(rendered(*ALL))
    assert "SSL_CERT_FILE" not in text
    assert '"trust"' not in text


def test_what_runs_in_the_front_s_image_goes_where_the_front_goes() -> None:
    found = pods('front.tolerations=[{"key":"front","operator":"Exists"}]')
    for pod in PODS:
        has = "tolerations" in found[pod]["spec"]
        assert has == (pod in ("front", "migrate", "test", "retention")), pod
    # But it is not as large, and is told so by itself.
    for pod in ("migrate", "test", "retention"):
        own = found[pod]["spec"]["containers"][0]["resources"]
        assert own != found["front"]["spec"]["containers"][0]["resources"]


@pytest.mark.parametrize(
    ("path", "pod"),
    [("database.migration", "migrate"), ("test", "test"), ("retention", "retention"),
     ("loadTest", "load"), ("front", "front"), ("runners.cnn", "cnn"), ("gateway", "gateway")],
)  # fmt: skip
def test_a_pod_s_own_values_win(path: str, pod: str) -> None:
    found = pods(
        'common.tolerations=[{"key":"all","operator":"Exists"}]',
        'common.podLabels={"team":"all"}',
        f'{path}.tolerations=[{{"key":"own","operator":"Exists"}}]',
        f'{path}.podLabels={{"team":"own"}}',
        f'{path}.resources.limits.cpu="3"',
        f'{path}.extraEnv=[{{"name":"OWN","value":"x"}}]',
    )[pod]
    assert found["spec"]["tolerations"][0]["key"] == "own"
    assert found["metadata"]["labels"]["team"] == "own"
    assert found["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "3"
    assert {"name": "OWN", "value": "x"} in found["spec"]["containers"][0]["env"]


def test_the_migration_needs_nothing_that_comes_after_it() -> None:
    found = pods("priorityClass.create=true")
    assert "priorityClassName" not in found["migrate"]["spec"]
    assert all("priorityClassName" in found[pod]["spec"] for pod in PODS - {"migrate"})
    names = {
        one["metadata"]["name"]
        for one in rendered(*ALL)
        if "helm.sh/hook" not in one["metadata"].get("annotations", {})
    }
    spec = json.dumps(found["migrate"]["spec"])
    assert not [name for name in names if f'"{name}"' in spec]


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_variable_volume_or_place_is_given_twice(name: str) -> None:
    for pod in templates(list(scenario(name))):
        (container,) = pod["spec"]["containers"]
        for given_ in (
            [one["name"] for one in container.get("env", [])],
            [one["name"] for one in pod["spec"]["volumes"]],
            [one["mountPath"] for one in container["volumeMounts"]],
        ):
            assert len(given_) == len(set(given_))
