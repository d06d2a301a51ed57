"""What stands in the objects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8s.dashboards.files import BOARDS
from service.http.hosts import Hosts
from service.settings import check, load
from tests.chart.conftest import OIDC, SCENARIOS, Object, kinds, rendered, scenario


def pod_specs(objects: tuple[Object, ...]) -> dict[str, Any]:
    found = {}
    for one in objects:
        if one["kind"] == "Pod":
            found[one["metadata"]["name"]] = one["spec"]
        elif one["kind"] in ("Deployment", "Job"):
            found[one["metadata"]["name"]] = one["spec"]["template"]["spec"]
        elif one["kind"] == "CronJob":
            job = one["spec"]["jobTemplate"]["spec"]
            found[one["metadata"]["name"]] = job["template"]["spec"]
    return found


def deployment(objects: tuple[Object, ...], name: str) -> Any:
    (found,) = (
        one for key, one in kinds(objects, "Deployment").items() if key.endswith(f"-{name}")
    )
    return found["spec"]


def container(objects: tuple[Object, ...], name: str) -> Any:
    return deployment(objects, name)["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_pod_fits_the_restricted_standard(name: str) -> None:
    for spec in pod_specs(scenario(name)).values():
        assert spec["automountServiceAccountToken"] is False
        # OSTEOSERVE_PORT=tcp://… from a Service's name would be read as a setting.
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for one in spec["containers"]:
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in one["resources"]["limits"]
            assert "cpu" in one["resources"]["requests"]


def test_ids_that_the_platform_gives_are_left_out() -> None:
    spec = pod_specs(scenario("openshift"))["rel-osteoserve-front"]
    assert set(spec["securityContext"]) == {
        "runAsNonRoot", "fsGroupChangePolicy", "seccompProfile",
    }  # fmt: skip


def test_probes_ask_different_things_of_the_front() -> None:
    front = container(scenario("defaults"), "front")
    paths = {
        key: front[f"{key}Probe"]["httpGet"]["path"] for key in ("startup", "readiness", "liveness")
    }
    assert paths == {
        "startup": "/health/startup", "readiness": "/health/ready", "liveness": "/health/live",
    }  # fmt: skip


def test_a_runner_has_as_long_to_start_as_the_values_say() -> None:
    probe = container(scenario("everything"), "cnn")["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] >= 61


def test_the_grace_covers_the_pause() -> None:
    spec = deployment(scenario("everything"), "front")["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] == 40
    assert spec["containers"][0]["lifecycle"]["preStop"] == {"sleep": {"seconds": 7}}


def test_a_rollout_loses_no_pod_and_sqlite_never_has_two_fronts() -> None:
    assert deployment(scenario("hospital"), "front")["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }
    assert deployment(scenario("defaults"), "front")["strategy"] == {"type": "Recreate"}


def test_replicas_are_left_to_an_autoscaler() -> None:
    assert "replicas" not in deployment(scenario("everything"), "cnn")
    assert deployment(scenario("everything"), "stack")["replicas"] == 0
    assert deployment(scenario("hospital"), "cnn")["replicas"] == 2


def test_a_number_among_settings_stays_one() -> None:
    data = kinds(scenario("everything"), "ConfigMap")["second-look-front"]["data"]
    assert data == {
        "OSTEOSERVE_MAX_UPLOAD_BYTES": "33554432",
        "OSTEOSERVE_DEADLINE_SECONDS": "6.5",
        "OSTEOSERVE_LOG_FORMAT": "json",
        "OSTEOSERVE_TRACING_ENDPOINT": "http://10.1.2.4:4319",
    }


def test_a_changed_setting_restarts_its_component_alone() -> None:
    changed = rendered("front.settings.OSTEOSERVE_LOG_FORMAT=" + json.dumps("json"))

    def checksum(objects: tuple[Object, ...], name: str) -> Any:
        return deployment(objects, name)["template"]["metadata"]["annotations"]["checksum/config"]

    default = scenario("defaults")
    assert checksum(changed, "front") != checksum(default, "front")
    assert checksum(changed, "cnn") == checksum(default, "cnn")


def test_the_front_is_told_where_runners_and_database_are() -> None:
    env = {one["name"]: one for one in container(scenario("hospital"), "front")["env"]}
    assert env["OSTEOSERVE_VGG16_URL"]["value"] == "http://rel-osteoserve-vgg16:8000"
    assert "rel-osteoserve-vgg16" in kinds(scenario("hospital"), "Service")
    assert env["OSTEOSERVE_DATABASE_URL"]["valueFrom"]["secretKeyRef"] == {
        "name": "osteoserve-database", "key": "url",
    }  # fmt: skip
    default = {one["name"] for one in container(scenario("defaults"), "front")["env"]}
    assert "OSTEOSERVE_DATABASE_URL" not in default


def test_images_come_from_the_registry_by_digest_or_tag() -> None:
    objects = scenario("everything")
    assert container(objects, "front")["image"].startswith(
        "registry.example/team/front@sha256:0123"
    )
    assert container(objects, "cnn")["image"] == "registry.example/osteoserve/cnn:v9"
    assert container(scenario("defaults"), "cnn")["image"] == "osteoserve/cnn:0.1.0"


def test_a_gpu_is_a_limit_of_its_runner_alone() -> None:
    objects = scenario("hospital")
    assert container(objects, "vgg16")["resources"]["limits"] == {
        "memory": "4Gi", "nvidia.com/mig-1g.10gb": 1,
    }  # fmt: skip
    assert deployment(objects, "vgg16")["template"]["spec"]["runtimeClassName"] == "nvidia"
    assert "nvidia" not in json.dumps(container(objects, "cnn"))


def test_pods_spread_by_the_values() -> None:
    spec = deployment(scenario("everything"), "cnn")["template"]["spec"]
    assert {
        one["topologyKey"]: one["whenUnsatisfiable"] for one in spec["topologySpreadConstraints"]
    } == {
        "kubernetes.io/hostname": "DoNotSchedule",
        "topology.kubernetes.io/zone": "ScheduleAnyway",
    }
    assert (
        "topologySpreadConstraints" not in deployment(scenario("bare"), "cnn")["template"]["spec"]
    )


def test_priority_is_the_component_s_own_before_the_chart_s() -> None:
    objects = scenario("everything")
    assert deployment(objects, "cnn")["template"]["spec"]["priorityClassName"] == "low"
    assert deployment(objects, "stack")["template"]["spec"]["priorityClassName"] == "ns.second-look"


def test_autoscalers_look_at_what_the_values_name() -> None:
    objects = scenario("everything")
    (cpu, pods) = kinds(objects, "HorizontalPodAutoscaler")["second-look-cnn"]["spec"]["metrics"]
    assert cpu["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
    assert pods["pods"]["metric"] == {"name": "osteoserve_runner_images_in_flight"}
    assert pods["pods"]["target"]["averageValue"] == "4.5"
    (trigger,) = kinds(objects, "ScaledObject")["second-look-resnet"]["spec"]["triggers"]
    assert trigger["metadata"] == {
        "serverAddress": "http://prometheus.monitoring:9090",
        "query": 'sum(osteoserve_runner_images_in_flight{namespace="ns",'
        'service="second-look-resnet"})',
        "threshold": "4.5",
    }


def test_runners_may_send_nowhere_and_hear_the_front_alone() -> None:
    for policy in kinds(scenario("hospital"), "NetworkPolicy").values():
        spec = policy["spec"]
        component = spec["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
        if component not in ("cnn", "vgg16", "resnet", "vertebrae", "stack"):
            continue
        assert spec["policyTypes"] == ["Ingress"]
        (rule,) = spec["ingress"]
        (peer,) = rule["from"]
        labels = peer["podSelector"]["matchLabels"]
        assert labels["app.kubernetes.io/component"] == "front"
        assert rule["ports"] == [{"port": 8000}]


def test_spans_may_leave_those_that_make_some_for_the_collector_alone() -> None:
    policy = kinds(scenario("everything"), "NetworkPolicy")["second-look-all-to-collector"]["spec"]
    assert policy["podSelector"]["matchExpressions"] == [
        {"key": "app.kubernetes.io/component", "operator": "In", "values": ["front", "cnn"]}
    ]
    assert policy["policyTypes"] == ["Egress"]
    dns, collector = policy["egress"]
    assert {one["port"] for one in dns["ports"]} == {53, 5353}
    assert collector == {
        "to": [{"ipBlock": {"cidr": "10.1.2.4/32"}}], "ports": [{"port": 4319}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "sets",
    [
        (),
        # Peers alone open nothing: there are no spans.
        ('networkPolicy.tracing=[{"ipBlock":{"cidr":"10.1.2.4/32"}}]',),
        ('front.settings.OSTEOSERVE_TRACING_ENDPOINT=""',),
        (
            "networkPolicy.enabled=false",
            'front.settings.OSTEOSERVE_TRACING_ENDPOINT="http://c:4318"',
        ),
    ],
    ids=["as it comes", "peers alone", "an empty address", "no policies"],
)
def test_without_tracing_nothing_opens_for_spans(sets: tuple[str, ...]) -> None:
    assert not [
        name for name in kinds(rendered(*sets), "NetworkPolicy") if name.endswith("-to-collector")
    ]


def test_the_front_is_told_of_the_identity_provider_and_reaches_it_alone() -> None:
    """Of a group that is named twice both roles count; the secret comes from a Secret."""
    objects = rendered(
        *OIDC,
        'auth.oidc.existingSecret="idp"',
        'auth.oidc.groups={"dxa-readers":["viewer","north:clinician"],"it":["auditor"]}',
        'auth.oidc.administrators=["it","CN=Admins,OU=DXA"]',
        "networkPolicy.identityProviderPort=8443",
    )
    env = {one["name"]: one for one in container(objects, "front")["env"]}
    assert env["OSTEOSERVE_OIDC_ISSUER"]["value"] == "https://idp.example/realms/clinic"
    assert env["OSTEOSERVE_OIDC_CLIENT_ID"]["value"] == "osteoserve"
    assert json.loads(env["OSTEOSERVE_OIDC_ROLES"]["value"]) == {
        "dxa-readers": ["viewer", "north:clinician"],
        "it": ["auditor", "administrator"],
        "CN=Admins,OU=DXA": ["administrator"],
    }
    assert env["OSTEOSERVE_OIDC_CLIENT_SECRET"]["valueFrom"]["secretKeyRef"] == {
        "name": "idp", "key": "client-secret",
    }  # fmt: skip
    # As the front itself reads it.
    check(
        load(
            oidc_issuer=env["OSTEOSERVE_OIDC_ISSUER"]["value"],
            oidc_client_id=env["OSTEOSERVE_OIDC_CLIENT_ID"]["value"],
            oidc_roles=env["OSTEOSERVE_OIDC_ROLES"]["value"],
            public_url="https://dxa.example",
        )
    )
    (policy,) = (
        one["spec"]
        for name, one in kinds(objects, "NetworkPolicy").items()
        if name.endswith("-to-identity-provider")
    )
    assert policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "front"
    assert policy["egress"] == [
        {"to": [{"ipBlock": {"cidr": "10.1.2.5/32"}}], "ports": [{"port": 8443}]}
    ]


def test_without_an_identity_provider_nothing_is_said_of_one() -> None:
    for objects in (rendered(), rendered('networkPolicy.identityProvider=[{"ipBlock":{}}]')):
        assert "OIDC" not in json.dumps(objects)
        assert not [
            name for name in kinds(objects, "NetworkPolicy") if name.endswith("-identity-provider")
        ]


def test_everything_is_denied_first() -> None:
    policy = kinds(scenario("defaults"), "NetworkPolicy")["rel-osteoserve-default-deny"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    assert "egress" not in policy
    wanted = policy["podSelector"]["matchLabels"].items()
    for one in kinds(scenario("defaults"), "Deployment").values():
        assert wanted <= one["spec"]["template"]["metadata"]["labels"].items()


def test_the_test_pod_carries_the_client_label() -> None:
    (pod,) = kinds(scenario("defaults"), "Pod").values()
    assert pod["metadata"]["labels"]["osteoserve/client"] == "rel"
    compile(pod["spec"]["containers"][0]["args"][0], "release_test.py", "exec")


def test_hooks_leave_nothing_behind() -> None:
    hooks = [
        one["metadata"]["annotations"]
        for one in scenario("everything")
        if "helm.sh/hook" in one["metadata"].get("annotations", {})
    ]
    # The migration's Job, account and policy, and the test's pod.
    assert len(hooks) == 4
    for hook in hooks:
        assert hook["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"


def test_rules_and_dashboards_are_the_releases_own() -> None:
    """Which metrics they name, and whether they work: tests/operations and tests/e2e."""
    objects = scenario("everything")
    rules = json.dumps(kinds(objects, "PrometheusRule")["second-look"]["spec"])
    assert "@" not in rules
    assert 'namespace=\\"ns\\"' in rules
    prefix = "second-look-dashboard-"
    boards = {
        name.removeprefix(prefix): one["data"]
        for name, one in kinds(objects, "ConfigMap").items()
        if name.startswith(prefix)
    }
    assert set(boards) == set(BOARDS)


def hosts(objects: tuple[Object, ...]) -> list[str]:
    values = {one["name"]: one.get("value") for one in container(objects, "front")["env"]}
    return str(values["OSTEOSERVE_HOSTS"]).split(",")


def test_names_that_requests_come_by_are_known_to_the_front() -> None:
    inside = ["rel-osteoserve-front", "rel-osteoserve-front.ns", "rel-osteoserve-front.ns.svc"]
    objects = rendered(
        'ingress={"enabled": true, "host": "dxa.example"}',
        'httpRoute={"enabled": true, "hostnames": ["*.wards.example"],'
        ' "parentRefs": [{"name": "gateway"}]}',
        'networkPolicy={"enabled": false}',
        'front.settings={"OSTEOSERVE_HOSTS": "dxa, dxa.lan"}',
    )
    found = hosts(objects)
    assert set(inside) <= set(found)
    assert found[4:] == ["dxa.example", "*.wards.example", "dxa", "dxa.lan"]
    Hosts.of(",".join(found))


def test_without_a_way_in_only_the_service_is_known() -> None:
    assert len(hosts(scenario("bare"))) == 4


def test_a_front_that_knows_no_accounts_is_asked_no_more() -> None:
    """A rolling upgrade finds fronts of the version before: none of them serves from then on."""
    for name in ("defaults", "everything"):
        fronts = {
            one["metadata"]["name"]: one
            for one in kinds(scenario(name), "Service").values()
            if one["metadata"]["name"].endswith("-front")
        }
        (service,) = fronts.values()
        deployment = kinds(scenario(name), "Deployment")[service["metadata"]["name"]]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        selector = service["spec"]["selector"]
        assert selector["osteoserve/accounts"] == "true"
        assert selector.items() <= labels.items()
        # It is no part of what a Deployment goes by, which may not be changed.
        assert "osteoserve/accounts" not in deployment["spec"]["selector"]["matchLabels"]


def test_secrets_of_sign_in_come_from_a_secret() -> None:
    (front,) = (
        one
        for name, one in kinds(scenario("everything"), "Deployment").items()
        if name.endswith("-front")
    )
    env = {one["name"]: one for one in front["spec"]["template"]["spec"]["containers"][0]["env"]}
    found = {
        name: env[f"OSTEOSERVE_{name}"]["valueFrom"]["secretKeyRef"]
        for name in ("AUDIT_KEY", "FIRST_ADMINISTRATOR")
    }
    assert found == {
        "AUDIT_KEY": {"name": "doors", "key": "seal"},
        "FIRST_ADMINISTRATOR": {"name": "doors", "key": "first"},
    }
    assert env["OSTEOSERVE_PUBLIC_URL"]["value"] == "https://bones.example"


def test_whatever_opens_the_database_has_the_keys_of_its_columns() -> None:
    found = pod_specs(scenario("everything"))
    holders = {f"second-look-{name}" for name in ("front", "gateway", "migrate", "retention")}
    for name, spec in found.items():
        (one,) = spec["containers"]
        told = {each["name"]: each.get("value") for each in one.get("env", ())}
        places = [
            each["mountPath"] for each in one["volumeMounts"] if each["name"] == "column-keys"
        ]
        if name not in holders:
            assert "OSTEOSERVE_COLUMN_KEYS" not in told
            assert places == []
            continue
        assert told["OSTEOSERVE_COLUMN_ENCRYPTION"] == "true"
        assert told["OSTEOSERVE_COLUMN_KEYS"] == f"{places[0]}/column-keys"
        (volume,) = (each for each in spec["volumes"] if each["name"] == "column-keys")
        assert volume["secret"] == {
            "secretName": "columns", "defaultMode": 0o440,
            "items": [{"key": "ring", "path": "column-keys"}],
        }  # fmt: skip
    assert holders <= set(found)
    bare = pod_specs(scenario("bare"))
    assert not any("column-keys" in json.dumps(spec) for spec in bare.values())
