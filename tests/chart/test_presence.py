"""What is there, and when."""

from __future__ import annotations

import tomllib
from collections import Counter

import pytest
import yaml

from k8s.helm import ROOT
from service.app import VERSION
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


def test_project_front_and_chart_are_of_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((ROOT / "helm/osteoserve/Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"], VERSION) == (project,) * 3
