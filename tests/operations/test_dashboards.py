"""Dashboards as Grafana reads them; tests/e2e asks their queries of a Prometheus."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from k8s.dashboards.board import CHOSEN
from k8s.dashboards.files import BOARDS, FOLDER
from k8s.rules.files import document
from k8s.rules.scope import PLAIN
from tests.operations.names import of_front, of_gateway, of_runners

EVERY = pytest.mark.parametrize("name", BOARDS)


def board(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in board(name)["panels"] if panel["type"] != "row"]


def queries(name: str) -> list[str]:
    return [target["expr"] for panel in panels(name) for target in panel["targets"]]


def test_no_other_dashboard_is_shipped() -> None:
    assert {path.stem for path in FOLDER.glob("*")} == set(BOARDS)


@EVERY
def test_panels_are_numbered_and_lie_side_by_side(name: str) -> None:
    found = board(name)["panels"]
    numbers = [panel["id"] for panel in found]
    assert numbers == sorted(set(numbers))
    taken: set[tuple[int, int]] = set()
    for panel in found:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}  # fmt: skip
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


@EVERY
def test_a_panel_says_what_it_shows_of_the_chosen_installation(name: str) -> None:
    for panel in panels(name):
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "$source"
        for target in panel["targets"]:
            assert target["legendFormat"]
            # Every selector of a metric, and only those, has braces.
            selectors = re.findall(r"\{[^}]*\}", target["expr"])
            assert selectors
            assert all(CHOSEN in selector for selector in selectors), target["expr"]


@EVERY
def test_a_dashboard_lets_choose_where_it_looks(name: str) -> None:
    variables = {one["name"]: one for one in board(name)["templating"]["list"]}
    assert variables["source"]["query"] == "prometheus"
    assert variables["namespace"]["includeAll"] is True
    assert variables["namespace"]["allValue"] == ".*"


def test_every_metric_of_ours_is_on_a_dashboard_or_in_a_rule() -> None:
    """What nobody looks at costs, and says nothing."""
    rules = [rule["expr"] for group in document(PLAIN)["groups"] for rule in group["rules"]]
    asked = " ".join([*rules, *(query for name in BOARDS for query in queries(name))])
    stems = {
        re.sub(r"_(bucket|count|sum|total)$", "", name)
        for name in of_front() | of_gateway() | of_runners()
        if name.startswith("osteoserve_")
    }
    told = {stem for stem in stems if not re.search("^osteoserve_slo_|_created$", stem)}
    assert {stem for stem in told if stem not in asked} == set()
