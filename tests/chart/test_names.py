"""Names by the rules of their kinds, whatever the release and its values are called."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from k8s import helm
from tests.chart.conftest import HERE, Object, objects_of

LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
"""Of RFC 1035."""
SUBDOMAIN = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
KEY = re.compile(
    r"(?:(?P<prefix>[^/]{1,253})/)?(?P<name>[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)"
)
LONG = "a" * 53

NAMED: dict[str, tuple[str, dict[str, str]]] = {
    "as it comes": ("osteoserve", {}),
    "a dot": ("osteo.prod", {}),
    "another dot": ("osteo-prod", {}),
    "a digit first": ("2024-dxa", {}),
    "a digit and dots": ("1.2.3", {}),
    "as long as may be": (LONG, {}),
    "as long, and another end": (f"{LONG[:-1]}b", {}),
    "long with a dot where it is cut": (f"{'a' * 30}.{'b' * 22}", {}),
    "ours within": ("my-osteoserve.v2", {}),
    "capitals": ("rel", {"fullnameOverride": "Bone_Density.PROD"}),
    "capitals alike": ("rel", {"fullnameOverride": "bone-density-prod"}),
    "long override": ("rel", {"fullnameOverride": "x" * 200}),
    "long override, and another end": ("rel", {"fullnameOverride": "x" * 199 + "y"}),
    "a digit in the override": ("rel", {"fullnameOverride": "9lives"}),
    "nothing that may stay": ("rel", {"fullnameOverride": "..__.."}),
    "another language": ("rel", {"fullnameOverride": "Knochendichte-Köln"}),
    "chart with capitals": ("rel", {"nameOverride": "Osteo_Serve.X"}),
    "long chart": ("rel", {"nameOverride": "y" * 100}),
    "long chart, and another end": ("rel", {"nameOverride": "y" * 99 + "z"}),
    "chart of digits": ("rel", {"nameOverride": "42"}),
    # Whatever is no text in YAML unless it stands in quotes.
    "a number": ("2024", {}),
    "a power": ("1e5", {}),
    "a truth": ("true", {"nameOverride": "null", "fullnameOverride": "yes"}),
}


@cache
def made(case: str, namespace: str = "ns") -> tuple[Object, ...]:
    """Everything that the chart can make, under the names of a case."""
    release, named = NAMED[case]
    sets = {"fullnameOverride": "", "nameOverride": "", **named}
    return objects_of(
        helm.template(
            HERE / "scenarios" / "everything.yaml",
            sets=tuple(f"{key}={json.dumps(value)}" for key, value in sets.items()),
            release=release,
            namespace=namespace,
        )
    )


def names(objects: tuple[Object, ...]) -> set[tuple[str, str]]:
    return {(one["kind"], one["metadata"]["name"]) for one in objects}


def labels(one: Any) -> list[dict[str, str]]:
    """Every map of labels, or of labels that select, anywhere within an object."""
    if isinstance(one, list):
        return [found for value in one for found in labels(value)]
    if not isinstance(one, dict):
        return []
    own = [one[key] for key in ("labels", "matchLabels") if isinstance(one.get(key), dict)]
    if isinstance(one.get("selector"), dict) and "matchLabels" not in one["selector"]:
        own.append(one["selector"])
    return own + [found for value in one.values() for found in labels(value)]


@pytest.mark.parametrize("case", NAMED)
def test_every_name_is_one_of_its_kind(case: str) -> None:
    for kind, name in names(made(case)):
        assert SUBDOMAIN.fullmatch(name), (kind, name)
        if kind == "Service":
            assert LABEL.fullmatch(name), name
        if kind in ("Job", "Pod", "Deployment"):
            # A pod's host name, and a label of the Job's pods.
            assert len(name) <= 63, name
    for one in made(case):
        if one["kind"] in ("ConfigMap", "Secret"):
            assert all(re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key) for key in one.get("data") or {})


@pytest.mark.parametrize("case", NAMED)
def test_every_label_is_one(case: str) -> None:
    for found in labels(list(made(case))):
        for key, value in found.items():
            parts = KEY.fullmatch(key)
            assert parts, key
            assert parts["prefix"] is None or SUBDOMAIN.fullmatch(parts["prefix"]), key
            assert isinstance(value, str), (key, value)
            assert VALUE.fullmatch(value), (key, value)


@pytest.mark.parametrize("case", NAMED)
def test_whatever_is_named_is_there(case: str) -> None:
    """Whom others name is made under that name: Services, accounts, ConfigMaps, scaled ones."""
    objects = made(case)
    there = names(objects)
    text = json.dumps(objects)
    for url in re.findall(r"http://([a-z0-9.-]+):8000", text):
        assert ("Service", url) in there
    for account in re.findall(r'"serviceAccountName": "([^"]+)"', text):
        assert ("ServiceAccount", account) in there
    for one in objects:
        if one["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
            assert ("Deployment", one["spec"]["scaleTargetRef"]["name"]) in there
        if one["kind"] == "PriorityClass":
            assert f'"priorityClassName": "{one["metadata"]["name"]}"' in text


@pytest.mark.parametrize("word", ["2024", "1e5", "true", "0x1f", "null", "on"])
def test_a_name_that_yaml_takes_for_something_else_stays_a_name(word: str) -> None:
    """Of a namespace, and of what others have made."""
    values = (
        "auth.existingSecret", "auth.auditKey", "auth.firstAdministratorKey",
        "database.existingSecret", "database.key", "loadTest.keySecret", "loadTest.keyKey",
        "loadTest.reports.existingClaim", "ingress.className", "ingress.tlsSecret",
        "common.certificateAuthority.configMap", "common.certificateAuthority.key",
        "common.priorityClassName", "common.runtimeClassName",
    )  # fmt: skip
    everything = HERE / "scenarios" / "everything.yaml"
    found = objects_of(
        helm.template(
            everything,
            sets=(
                *(f"{key}={json.dumps(word)}" for key in values),
                f'imagePullSecrets=[{{"name":"{word}"}}]',
            ),
            namespace=word,
        )
    )
    for one in found:
        assert one["metadata"].get("namespace", word) == word
    for key, value in references(list(found)):
        assert isinstance(value, str), (key, value)


def references(one: Any) -> list[tuple[str, Any]]:
    """Every name of an object, and key of one, anywhere within."""
    if isinstance(one, list):
        return [found for value in one for found in references(value)]
    if not isinstance(one, dict):
        return []
    names_ = {"name", "namespace", "key", "secretName", "claimName", "ingressClassName",
              "priorityClassName", "runtimeClassName", "serviceAccountName"}  # fmt: skip
    own = [
        (key, value) for key, value in one.items() if key in names_ and not isinstance(value, dict)
    ]
    return own + [found for value in one.values() for found in references(value)]


def test_no_two_cases_share_an_object_of_one_namespace() -> None:
    for first, second in combinations(NAMED, 2):
        assert not names(made(first)) & names(made(second)), (first, second)


def test_what_may_stay_stays() -> None:
    """An upgrade finds its objects again."""
    services = {name for kind, name in names(made("as it comes")) if kind == "Service"}
    assert "osteoserve-front" in services
    services = {name for kind, name in names(made("capitals alike")) if kind == "Service"}
    assert "bone-density-prod-front" in services


def test_what_the_cluster_shares_is_each_namespace_s_own() -> None:
    cluster = {"PriorityClass", "ClusterRole", "ClusterRoleBinding", "StorageClass", "IngressClass"}

    def shared(*namespaces: str) -> list[tuple[str, str]]:
        return [
            (one["kind"], one["metadata"]["name"])
            for namespace in namespaces
            for one in made("as it comes", namespace)
            if one["kind"] in cluster or "namespace" not in one["metadata"]
        ]

    found = shared("a", "b")
    assert len(found) == len(set(found)) == 2
    # Where two are joined, no other pair is the same again.
    assert all(name.count(".") == 1 for _, name in found)


def test_two_releases_dashboards_stand_side_by_side() -> None:
    found: dict[str, list[str]] = {"file": [], "uid": [], "title": []}
    for case, namespace in (
        ("as it comes", "ns"), ("as it comes", "other"), ("a dot", "ns"), ("capitals", "ns"),
    ):  # fmt: skip
        for one in made(case, namespace):
            for file, text in (one.get("data") or {}).items():
                if one["kind"] == "ConfigMap" and "-dashboard-" in one["metadata"]["name"]:
                    board = json.loads(text)
                    found["file"].append(file)
                    found["uid"].append(board["uid"])
                    found["title"].append(board["title"])
                    assert len(board["uid"]) <= 40
                    assert f'namespace="{namespace}"' in board["panels"][1]["targets"][0]["expr"]
                    assert "$namespace" not in text
                    assert [v["name"] for v in board["templating"]["list"]] == ["source"]
    for values in found.values():
        assert len(values) == len(set(values)) == 20


def test_a_dashboard_shows_its_own_release_alone() -> None:
    (text,) = (
        text
        for one in made("capitals alike")
        for file, text in (one.get("data") or {}).items()
        if file.endswith(".service.json")
    )
    (matcher,) = set(
        re.findall(r'service=~"([^"]*)"', json.loads(json.dumps(text)).replace('\\"', '"'))
    )
    assert re.fullmatch(matcher, "bone-density-prod-front")
    # Recorded series have no Service.
    assert re.fullmatch(matcher, "")
    assert not re.fullmatch(matcher, "bone-density-prod-2-front")


def test_a_chart_s_version_with_a_build_is_still_a_label(tmp_path: Any) -> None:
    helm.run(
        "package", str(helm.CHART), "--destination", str(tmp_path),
        "--version", "0.1.0+ci.12345", "--app-version", "0.1.0+" + "f" * 80,
    )  # fmt: skip
    (archive,) = tmp_path.glob("*.tgz")
    for one in objects_of(helm.run("template", "rel", str(archive))):
        for value in one["metadata"]["labels"].values():
            assert VALUE.fullmatch(value), value
