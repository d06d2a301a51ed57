"""What the dashboards have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from grafana_foundation_sdk.builders.common import ReduceDataOptions
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

from service.http.metrics import IN_FLIGHT

SOURCE: Final = "$source"
CHOSEN: Final = 'namespace=~"$namespace"'
"""Every series of the chosen installations. What a checkout is scraped for has no namespace, which
the pattern for all of them matches too."""

WINDOW: Final = "5m"

Unit = Literal["s", "percentunit", "reqps", "bytes", "short", "none"]
Panel = Timeseries | Stat


def of(metric: str, *matchers: str) -> str:
    """Return the selector of ``metric`` in the chosen installations."""
    return f"{metric}{{{','.join((CHOSEN, *matchers))}}}"


def rate(metric: str, *matchers: str, window: str = WINDOW) -> str:
    return f"rate({of(metric, *matchers)}[{window}])"


def share(part: str, whole: str, by: str = "") -> str:
    """Return ``part`` of ``whole``, both rates, summed over all labels but those in ``by``."""
    by = f" by ({by})" if by else ""
    return f"sum{by} ({part}) / sum{by} ({whole})"


def quantile(level: float, histogram: str, by: str = "", *matchers: str) -> str:
    labels = f"le, {by}" if by else "le"
    return (
        f"histogram_quantile({level}, sum by ({labels}) ({rate(f'{histogram}_bucket', *matchers)}))"
    )


def lines(title: str, unit: Unit, says: str, queries: dict[str, str]) -> Timeseries:
    """Return a panel over time; ``queries`` are legend → expression."""
    panel = Timeseries().title(title).description(says).unit(unit).span(12).height(8)
    panel = panel.datasource(_prometheus()).min(0)
    for number, (legend, expression) in enumerate(queries.items()):
        panel = panel.with_target(_query(number, legend, expression))
    return panel


def numbers(
    title: str,
    unit: Unit,
    says: str,
    queries: dict[str, str],
    *,
    good_from: float | None = None,
    bad_from: float | None = None,
) -> Stat:
    """Return a panel of how it is now, red below ``good_from`` or from ``bad_from`` on."""
    panel = Stat().title(title).description(says).unit(unit).span(24).height(6)
    panel = panel.datasource(_prometheus())
    panel = panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
    for number, (legend, expression) in enumerate(queries.items()):
        panel = panel.with_target(_query(number, legend, expression).instant())
    steps = [Threshold(value=None, color="text")]
    if good_from is not None:
        steps = [Threshold(value=None, color="red"), Threshold(value=good_from, color="green")]
    elif bad_from is not None:
        steps = [Threshold(value=None, color="green"), Threshold(value=bad_from, color="red")]
    return panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))


def board(name: str, title: str, rows: dict[str, Iterable[Panel]]) -> Dashboard:
    """Return dashboard ``osteoserve-name``; ``rows`` are title → panels."""
    built = (
        Dashboard(f"osteoserve: {title}")
        .uid(f"osteoserve-{name}")
        .tags(["osteoserve"])
        .refresh("30s")
        .time("now-3h", "now")
        .link(
            DashboardLink("osteoserve")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["osteoserve"])
            .as_dropdown(True)
            .keep_time(True)
            .include_vars(True)
        )
        .with_variable(DatasourceVariable("source").label("Prometheus").type("prometheus"))
        .with_variable(
            QueryVariable("namespace")
            .label("Installation")
            .datasource(_prometheus())
            .query(f"label_values({IN_FLIGHT}, namespace)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .include_all(True)
            .all_value(".*")
        )
    )
    number = 0
    for heading, panels in rows.items():
        number += 1
        built = built.with_row(Row(heading).id(number))
        for panel in panels:
            number += 1
            built = built.with_panel(panel.id(number))
    return built


def _query(number: int, legend: str, expression: str) -> Dataquery:
    return (
        Dataquery()
        .datasource(_prometheus())
        .ref_id(chr(ord("A") + number))
        .expr(expression)
        .legend_format(legend)
    )


def _prometheus() -> DataSourceRef:
    return DataSourceRef(type_val="prometheus", uid=SOURCE)
