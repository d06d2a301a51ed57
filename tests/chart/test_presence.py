"""What is there, and when."""

from __future__ import annotations

import tomllib
from collections import Counter

import pytest
import yaml

from k8s.helm import ROOT
from service.app import VERSION
from service.retention.settings import RetentionSettings
from tests.chart.conftest import SCENARIOS, kinds, rendered, scenario

COMPONENTS = ("front", "cnn", "vgg16", "resnet", "vertebrae", "stack")
ALL = {f"rel-osteoserve-{name}" for name in COMPONENTS}


@pytest.mark.parametrize("kind", ["Deployment", "Service", "ConfigMap", "PodDisruptionBudget"])
def test_every_component_has_one(kind: str) -> None:
    assert set(kinds(scenario("defaults"), kind)) == ALL


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_two_objects_share_a_name(name: str) -> None:
    found = Counter((one["kind"], one["metadata"]["name"]) for one in scenario(name))
    assert [key for key, count in found.items() if count > 1] == []


def test_the_defaults_make_nothing_that_not_every_cluster_has() -> None:
    assert {one["apiVersion"] for one in scenario("defaults")} == {
        "v1", "apps/v1", "policy/v1", "networking.k8s.io/v1",
    }  # fmt: skip


def test_everything_makes_every_kind() -> None:
    assert {one["kind"] for one in scenario("everything")} == {
        "Deployment", "Service", "ServiceAccount", "ConfigMap", "PodDisruptionBudget", "Job", "Pod",
        "CronJob",
        "NetworkPolicy", "HorizontalPodAutoscaler", "ScaledObject", "Ingress", "HTTPRoute",
        "ServiceMonitor", "PrometheusRule", "PriorityClass",
    }  # fmt: skip


def test_the_bare_one_has_no_policies_budgets_or_claims() -> None:
    assert {one["kind"] for one in scenario("bare")} == {
        "Deployment", "Service", "ServiceAccount", "ConfigMap", "Pod",
    }  # fmt: skip


def test_a_claim_is_made_for_sqlite_alone_and_not_where_one_exists() -> None:
    assert kinds(scenario("defaults"), "PersistentVolumeClaim")
    assert not kinds(scenario("hospital"), "PersistentVolumeClaim")
    sets = 'database.sqlite.persistence.existingClaim="mine"'
    objects = rendered(sets)
    assert not kinds(objects, "PersistentVolumeClaim")
    volumes = kinds(objects, "Deployment")["rel-osteoserve-front"]["spec"]["template"]["spec"]
    assert {"name": "state", "persistentVolumeClaim": {"claimName": "mine"}} in volumes["volumes"]


def test_the_migration_is_there_with_postgresql_alone() -> None:
    assert not kinds(scenario("defaults"), "Job")
    jobs = kinds(scenario("hospital"), "Job")
    assert set(jobs) == {"rel-osteoserve-migrate"}
    # Before any pod of the new version: what old fronts cannot do then, the changelog says.
    hook = jobs["rel-osteoserve-migrate"]["metadata"]["annotations"]["helm.sh/hook"]
    assert hook == "pre-install,pre-upgrade"
    assert not kinds(scenario("openshift"), "Job")


def test_retention_runs_by_the_clock_with_postgresql_and_by_the_front_without() -> None:
    table = 'retention.policy={"*":{"images":730},"north":{"results":365}}'
    pg = ('database.existingSecret="pg"', 'auth.existingSecret="doors"')
    assert not kinds(rendered(*pg), "CronJob")
    found = kinds(rendered(*pg, table), "CronJob")["rel-osteoserve-retention"]["spec"]
    (container,) = found["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["retention", "apply"]
    given = {one["name"]: one for one in container["env"]}
    assert RetentionSettings(retention=given["OSTEOSERVE_RETENTION"]["value"]).days("north") == {
        "images": 730, "results": 365,
    }  # fmt: skip
    for secret in ("OSTEOSERVE_DATABASE_URL", "OSTEOSERVE_AUDIT_KEY"):
        assert "secretKeyRef" in given[secret]["valueFrom"]
    alone = rendered(table)
    assert not kinds(alone, "CronJob")
    front = kinds(alone, "Deployment")["rel-osteoserve-front"]["spec"]["template"]["spec"]
    named = {one["name"]: one.get("value") for one in front["containers"][0]["env"]}
    assert named["OSTEOSERVE_RETENTION"] == given["OSTEOSERVE_RETENTION"]["value"]
    policies = kinds(rendered(*pg, table), "NetworkPolicy")
    assert "rel-osteoserve-retention-to-database" in policies


def test_the_provider_s_files_are_mounted_where_the_front_reads_them() -> None:
    oidc = (
        'auth.oidc.issuer="https://idp.example"', 'auth.oidc.clientId="osteoserve"',
        'auth.oidc.administrators=["admins"]', 'auth.oidc.existingSecret="oidc"',
        'front.settings.OSTEOSERVE_PUBLIC_URL="https://dxa.example"',
        "networkPolicy.enabled=false",
    )  # fmt: skip
    files = (
        "auth.oidc.secretAsFile=true", 'auth.oidc.certificateAuthority.configMap="idp-ca"',
    )  # fmt: skip
    for sets, is_file in ((oidc, False), ((*oidc, *files), True)):
        pod = kinds(rendered(*sets), "Deployment")["rel-osteoserve-front"]["spec"]["template"]
        (container,) = pod["spec"]["containers"]
        given = {one["name"]: one.get("value") for one in container["env"]}
        mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
        assert ("OSTEOSERVE_OIDC_CLIENT_SECRET" in given) is not is_file
        if is_file:
            for name, volume, file in (
                ("OSTEOSERVE_OIDC_CLIENT_SECRET_FILE", "oidc-secret", "client-secret"),
                ("OSTEOSERVE_OIDC_CA_FILE", "oidc-authority", "ca.crt"),
            ):
                assert given[name] == f"{mounts[volume]}/{file}"
                (source,) = [it for it in pod["spec"]["volumes"] if it["name"] == volume]
                (item,) = (source.get("secret") or source["configMap"])["items"]
                assert item["path"] == file


def test_audit_messages_leave_to_collectors_alone() -> None:
    sets = (
        'front.settings.OSTEOSERVE_ATNA_COLLECTORS="arr.example:6515"',
        'networkPolicy.auditCollectors=[{"ipBlock":{"cidr":"10.1.2.6/32"}}]',
        "networkPolicy.auditCollectorsPort=6515",
    )  # fmt: skip
    name = "rel-osteoserve-front-to-audit-collectors"
    assert name not in kinds(rendered(*sets[1:]), "NetworkPolicy")
    (rule,) = kinds(rendered(*sets), "NetworkPolicy")[name]["spec"]["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "10.1.2.6/32"}}]
    assert rule["ports"] == [{"port": 6515}]


def test_project_front_and_chart_are_of_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((ROOT / "helm/osteoserve/Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"], VERSION) == (project,) * 3
