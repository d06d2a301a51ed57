"""Argo CD and Flux: the same is rendered twice, and what they write onto objects does no harm."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8s import helm
from tests.chart.conftest import SCENARIOS, Object, objects_of, scenario
from tests.chart.test_pods import templates

TRACKING = "app.kubernetes.io/instance"
"""Argo CD before 3, and later where it is told to, writes its Application's name into this label of
every object that it makes; never into a pod's template."""


def tracked(name: str) -> list[Object]:
    """The objects of a scenario as Argo CD would have them."""
    found = deepcopy(list(scenario(name)))
    for one in found:
        one["metadata"]["labels"][TRACKING] = "an-application"
    return found


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", [])
    )


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_rendered_twice_is_the_same(name: str) -> None:
    path = SCENARIOS[name]
    again = helm.template(*([path] if path else []), release="rel", namespace="ns")
    assert objects_of(again) == scenario(name)


def test_nothing_is_drawn_or_looked_up() -> None:
    for path in (helm.CHART / "templates").rglob("*"):
        if path.is_file():
            code = re.sub(r"{{/\*.*?\*/}}", "", path.read_text("utf-8"), flags=re.S)
            for call in re.findall(r"{{.*?}}", code, re.S):
                assert not re.search(
                    r"\b(lookup|rand\w+|uuidv4|now|gen(CA|PrivateKey|SelfSigned|Signed)\w*|"
                    r"htpasswd|bcrypt|getHostByName)\b",
                    re.sub(r'"[^"]*"', "", call),
                ), (path.name, call)


@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_selects_still_finds_what_it_is_about(name: str) -> None:
    before, after = list(scenario(name)), tracked(name)

    def found(objects: list[Object]) -> dict[tuple[str, str], set[str]]:
        # The test's pod alone is no template; Argo CD does not make it.
        bare = [one for one in objects if one["kind"] != "Pod"]
        pods = {json.dumps(one["spec"]): one["metadata"]["labels"] for one in templates(bare)}
        services = {
            one["metadata"]["name"]: one["metadata"]["labels"]
            for one in objects
            if one["kind"] == "Service"
        }
        chosen = {}
        for one in bare:
            spec, key = one.get("spec", {}), (one["kind"], one["metadata"]["name"])
            if one["kind"] == "ServiceMonitor":
                chosen[key] = {n for n, own in services.items() if selects(spec["selector"], own)}
                continue
            selector = spec.get("podSelector") or spec.get("selector")
            if one["kind"] == "Service":
                selector = {"matchLabels": spec["selector"]}
            if selector:
                chosen[key] = {n for n, own in pods.items() if selects(selector, own)}
        return chosen

    assert found(before) == found(after)
    unused = {("NetworkPolicy", "test-to-front")}
    for (kind, one), chosen in found(after).items():
        if not any(kind == k and one.endswith(suffix) for k, suffix in unused):
            assert chosen, (kind, one)


def test_a_deployment_s_selector_has_nothing_that_a_version_changes() -> None:
    for one in scenario("everything"):
        if one["kind"] == "Deployment":
            assert set(one["spec"]["selector"]["matchLabels"]) == {
                "app.kubernetes.io/name", TRACKING, "app.kubernetes.io/component",
            }  # fmt: skip


def test_hooks_are_those_that_argo_cd_has_too() -> None:
    hooks = {
        (one["kind"], one["metadata"]["name"]): one["metadata"]["annotations"]
        for one in scenario("everything")
        if "helm.sh/hook" in one["metadata"].get("annotations", {})
    }
    assert {key[0] for key in hooks} == {"Job", "ServiceAccount", "NetworkPolicy", "Pod"}
    for hook in hooks.values():
        assert hook["helm.sh/hook"] in ("pre-install,pre-upgrade", "test")
        assert hook["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    # What the Job needs is made before it.
    weights = {
        key[0]: int(one.get("helm.sh/hook-weight", 0))
        for key, one in hooks.items()
        if one["helm.sh/hook"] != "test"
    }
    assert weights["Job"] > max(weights["ServiceAccount"], weights["NetworkPolicy"])


def test_no_field_is_left_to_be_filled_in_where_a_tool_would_take_it_for_a_change() -> None:
    (route,) = (one for one in scenario("everything") if one["kind"] == "HTTPRoute")
    (parent,) = route["spec"]["parentRefs"]
    assert (parent["group"], parent["kind"]) == ("gateway.networking.k8s.io", "Gateway")
    (rule,) = route["spec"]["rules"]
    (backend,) = rule["backendRefs"]
    assert (backend["group"], backend["kind"], backend["weight"]) == ("", "Service", 1)


def test_the_application_leaves_replicas_to_the_autoscalers() -> None:
    path: Path = helm.ROOT / "k8s/argocd/application.yaml"
    spec = yaml.safe_load(path.read_text("utf-8"))["spec"]
    assert spec["ignoreDifferences"][0]["jsonPointers"] == ["/spec/replicas"]
    for file in spec["source"]["helm"]["valueFiles"]:
        assert (helm.CHART / file).resolve().exists()
