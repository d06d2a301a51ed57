"""Every metric that is asked for, wherever it is written, is one that front or runner tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from k8s import helm
from k8s.dashboards.files import BOARDS, FOLDER
from k8s.rules import burn
from k8s.rules.files import document
from k8s.rules.rule import Record
from k8s.rules.scope import PLAIN
from k8s.wheel import PACKAGE
from tests.chart.conftest import SCENARIOS, Object, rendered, scenario
from tests.operations.names import of_front, of_gateway, of_runners
from tests.operations.promql import series

OURS = re.compile(r"\b(?:osteoserve|bentoml)_[a-z0-9_]+")
SCALED = tuple(
    (
        f'common.autoscaling={{"kind": "{kind}", "requestsInFlight": 4, "cpuUtilization": 70}}',
        'database.existingSecret="pg"',
        'auth.existingSecret="doors"',
        'metrics.prometheusAddress="http://prometheus:9090"',
    )
    for kind in ("hpa", "keda")
)
"""Every component by requests and by CPU, once through each kind of autoscaler."""


@cache
def known() -> frozenset[str]:
    recorded = {
        rule.name
        for group in burn.groups(PLAIN)
        for rule in group.rules
        if isinstance(rule, Record)
    }
    return of_front() | of_gateway() | of_runners() | recorded | {"up"}


def asked(node: Any) -> Iterator[str]:
    """Yield the names of metrics below ``node``: what autoscalers, rules and panels go by."""
    if isinstance(node, dict):
        for key, child in node.items():
            if key in ("expr", "query") and isinstance(child, str):
                yield from series(child)
            elif key == "metric" and isinstance(child, dict):
                yield child["name"]
            elif key.endswith(".json"):
                yield from asked(json.loads(child))
            else:
                yield from asked(child)
    elif isinstance(node, list):
        for child in node:
            yield from asked(child)


def of_board(name: str) -> set[str]:
    board = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return set(asked(board["panels"])) | set(OURS.findall(json.dumps(board)))


def of_chart(objects: tuple[Object, ...]) -> set[str]:
    data = [
        {**one, "data": {}} if one["metadata"]["name"].rpartition("-dashboard-")[0] else one
        for one in objects
    ]
    return set(asked(data)) | set(OURS.findall(json.dumps(objects)))


def test_rules_and_dashboards_name_metrics_that_there_are() -> None:
    rules = set(asked(document(PLAIN)))
    assert rules <= known()
    named = rules.union(*(of_board(name) for name in BOARDS))
    assert named <= known()
    assert len(named) > 40


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_chart_names_metrics_that_there_are(name: str) -> None:
    assert of_chart(scenario(name)) <= known()


@pytest.mark.parametrize("sets", SCALED, ids=["hpa", "keda"])
def test_autoscalers_go_by_metrics_that_their_component_tells(sets: tuple[str, ...]) -> None:
    kinds = ("HorizontalPodAutoscaler", "ScaledObject")
    scaled = [one for one in rendered(*sets) if one["kind"] in kinds]
    assert len(scaled) == 6
    for one in scaled:
        front = one["metadata"]["name"].endswith("-front")
        named = set(asked(one))
        assert len(named) == 1
        assert named <= (of_front() if front else of_runners())


def test_what_people_read_names_metrics_that_there_are() -> None:
    root = helm.ROOT
    pages = [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("k8s/**/*.md")]
    pages += [*root.glob("helm/**/*.md"), *root.glob("k8s/sites/*"), *root.glob("k8s/kind/*")]
    pages = [path for path in pages if path.name != "CHANGELOG.md"]
    named = {name for path in pages for name in OURS.findall(path.read_text("utf-8"))}
    # A family may be told by its name alone.
    families = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in known()}
    # The wheel is called as a metric might be.
    assert named <= known() | families | {PACKAGE}
    assert len(named) > 10


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sum(a_total)", {"a_total"}),
        ('sum by (le, route) (rate(a_bucket{route="/x", b=~"c{2}"}[5m] offset 1h))', {"a_bucket"}),
        ("a / on (b) group_left (c) d:e > bool 0.5 and up == 1", {"a", "d:e", "up"}),
        ("histogram_quantile(0.95, sum(rate(a[1m])) without (pod)) or vector(0)", {"a"}),
    ],
)
def test_a_query_s_series_are_told_from_its_labels(query: str, names: set[str]) -> None:
    assert series(query) == names
