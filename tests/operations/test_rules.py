"""Each alert fires when it should and does not when it should not, as Prometheus itself sees it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8s.rules import burn
from k8s.rules.files import PROMETHEUS, RUNBOOKS, document
from k8s.rules.rule import Alert
from k8s.rules.scope import PLAIN, Scope
from service.observability.slo import SLOS
from tests.chart.conftest import kinds, scenario
from tests.operations.cases import CASES, Case, requests
from tests.operations.tools import promtool, unit_test

RULES = PROMETHEUS / "rules.yaml"


@cache
def committed() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(RULES.read_text("utf-8"))
    return found


def part(folder: Path, alert: str) -> Path:
    """Write the rules that ``alert`` needs to be judged of predictions: all of them take long."""
    burns = alert == "OsteoserveBudgetBurn"
    groups = []
    for group in committed()["groups"]:
        rules = [
            rule
            for rule in group["rules"]
            if rule.get("alert") == alert
            or (burns and "record" in rule and rule["labels"]["slo"] == "predict")
        ]
        groups += [{**group, "rules": rules}] if rules else []
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": groups}))
    return path


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_alert(case: Case, tmp_path: Path) -> None:
    labels = {"alertname": case.alert, "alertstate": "firing", **case.labels}
    chosen = ",".join(f'{key}="{value}"' for key, value in labels.items())
    firing = {
        "expr": f"count(ALERTS{{{chosen}}}) or vector(0)",
        "eval_time": case.at,
        "exp_samples": [{"labels": "{}", "value": int(case.fires)}],
    }
    rules = part(tmp_path, case.alert)
    unit_test(tmp_path, rules, case.series, interval=case.interval, promql_expr_test=[firing])


def alerts(scope: Scope = PLAIN) -> list[dict[str, Any]]:
    return [r for group in document(scope)["groups"] for r in group["rules"] if "alert" in r]


def test_every_alert_is_tested_both_ways() -> None:
    names = {(rule["alert"], rule["labels"].get("long")) for rule in alerts()}
    for fires in (True, False):
        tested = {(case.alert, case.labels.get("long")) for case in CASES if case.fires is fires}
        assert names <= tested


def test_what_a_person_reads_is_filled_in(tmp_path: Path) -> None:
    expected = {
        "severity": "critical",
        "long": "1h",
        "short": "5m",
        "slo": "predict",
        "objective": "availability",
    }
    said = {
        "summary": "predict: the availability budget is spent 50 times too fast.",
        "description": "Over 1h and still over 5m, predict burns its availability budget of 30 "
        "days more than 14.4 times as fast as it may.",
        "runbook_url": "k8s/runbooks/OsteoserveBudgetBurn.md",
    }
    slower = {**expected, "long": "6h", "short": "30m"}
    unit_test(
        tmp_path,
        part(tmp_path, "OsteoserveBudgetBurn"),
        requests("0+950x90", "0+50x90"),
        alert_rule_test=[
            {
                "eval_time": "30m",
                "alertname": "OsteoserveBudgetBurn",
                "exp_alerts": [
                    {"exp_labels": expected, "exp_annotations": said},
                    {
                        "exp_labels": slower,
                        "exp_annotations": {
                            **said,
                            "description": said["description"]
                            .replace("1h", "6h")
                            .replace("5m", "30m")
                            .replace("14.4", "6"),
                        },
                    },
                ],
            }
        ],
    )


def test_the_share_of_a_budget_that_is_left(tmp_path: Path) -> None:
    labels = '{slo="predict",objective="availability"}'
    unit_test(
        tmp_path,
        part(tmp_path, "OsteoserveBudgetBurn"),
        requests("0+9995x100", "0+5x100"),
        promql_expr_test=[
            {
                "expr": f"round({burn.BUDGET}{labels}, 0.01)",
                "eval_time": "100m",
                "exp_samples": [{"labels": labels, "value": 0.5}],
            }
        ],
    )


def test_prometheus_takes_the_files() -> None:
    promtool("check", "rules", str(RULES))
    promtool("check", "config", str(PROMETHEUS / "prometheus.yaml"))


def test_the_charts_rules_fire_for_their_own_release_alone(tmp_path: Path) -> None:
    rule = kinds(scenario("everything"), "PrometheusRule")["second-look"]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(rule["spec"]))
    promtool("check", "rules", str(path))

    def front(namespace: str) -> str:
        # As the ServiceMonitor's relabelling has it.
        return f'namespace="{namespace}",service="second-look-front",component="front"'

    firing = 'ALERTS{alertname="OsteoserveRunnerDown",alertstate="firing"}'
    labels = {"namespace": "ns", "release": "second-look", "runner": "cnn", "severity": "warning"}
    chosen = ",".join(f'{key}="{value}"' for key, value in labels.items())
    unit_test(
        tmp_path,
        path,
        {
            f'osteoserve_runner_ready{{{front("ns")},runner="cnn"}}': "0x20",
            f'osteoserve_runner_ready{{{front("other")},runner="vgg16"}}': "0x20",
        },
        promql_expr_test=[
            {
                "expr": firing,
                "eval_time": "5m",
                "exp_samples": [{"labels": f"{firing[:-1]},{chosen}}}", "value": 1}],
            }
        ],
    )
    runbooks = {r["annotations"]["runbook_url"] for g in rule["spec"]["groups"] for r in g["rules"]
                if "alert" in r}  # fmt: skip
    assert {url.rsplit("/", 1)[0] for url in runbooks} == {"https://wiki.example/osteoserve"}


def test_every_objective_is_recorded_over_every_window() -> None:
    groups: Sequence[Any] = [rule for group in burn.groups(PLAIN) for rule in group.rules]
    recorded = {
        (rule.name, rule.labels["slo"], rule.labels["objective"])
        for rule in groups
        if not isinstance(rule, Alert)
    }
    windows = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    assert recorded == {
        (name, slo.name, objective)
        for name in (*(f"{burn.BURN}{window}" for window in windows), burn.BUDGET)
        for slo in SLOS
        for objective in burn.OBJECTIVES
    }


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("Osteo*.md")} == {
        rule["alert"] for rule in alerts()
    }


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in alerts()}))
def test_a_runbook_says_what_to_do(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text("utf-8")
    title, *sections = text.split("\n## ")
    assert title.startswith(f"# {name}\n")
    assert [section.partition("\n")[0] for section in sections] == [
        "Meaning", "Impact", "How to look", "How to mend",
    ]  # fmt: skip
    assert all(len(section.partition("\n")[2].split()) >= 8 for section in sections)
    assert "osteoserve" in sections[2] or "up{" in sections[2], "names no metric, log or command"


def test_durations_are_written_as_prometheus_reads_them_and_a_test_can_hurry() -> None:
    hurried = Scope(matchers='job="osteoserve"', speed=60)
    assert [PLAIN.span(s) for s in (5, 300, 5400, 86_400)] == ["5s", "5m", "90m", "1d"]
    assert [hurried.span(s) for s in (5, 300, 3600, 3 * 86_400)] == ["1s", "5s", "1m", "72m"]
