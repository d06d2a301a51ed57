"""Are the objectives kept, and if not, by what?"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from k8s.dashboards.board import board, lines, numbers, of, quantile, rate
from k8s.rules.burn import BUDGET, BURN
from service.decoding.metrics import DECODERS_ENDED
from service.http.metrics import CONNECTIONS_ENDED, DURATION, REQUESTS
from service.observability.slo import WINDOW_DAYS
from service.runners.metrics import CALLS, RUNNER_READY
from service.storage.metrics import ROWS_UNREADABLE, STORAGE_FULL, STORAGE_UP

NOT_OK = 'result!="ok"'


def build() -> Dashboard:
    return board(
        "service",
        "service",
        {
            "Objectives": [
                numbers(
                    "Budget left: availability",
                    "percentunit",
                    f"Of {WINDOW_DAYS} days. Below 0 the objective is missed.",
                    {"{{slo}}": of(BUDGET, 'objective="availability"')},
                    good_from=0.0,
                ),
                numbers(
                    "Budget left: latency",
                    "percentunit",
                    f"Of {WINDOW_DAYS} days. Below 0 the objective is missed.",
                    {"{{slo}}": of(BUDGET, 'objective="latency"')},
                    good_from=0.0,
                ),
                lines(
                    "Burn rate over an hour: availability",
                    "short",
                    "1 spends exactly the budget; 14.4 calls somebody.",
                    {"{{slo}}": of(f"{BURN}1h", 'objective="availability"')},
                ),
                lines(
                    "Burn rate over an hour: latency",
                    "short",
                    "1 spends exactly the budget; 14.4 calls somebody.",
                    {"{{slo}}": of(f"{BURN}1h", 'objective="latency"')},
                ),
            ],
            "Requests": [
                lines(
                    "Requests, by status",
                    "reqps",
                    "5xx spend a budget; 4xx are the sender's.",
                    {"{{status}}": f"sum by (status) ({rate(REQUESTS)})"},
                ),
                lines(
                    "Requests, by way in",
                    "reqps",
                    "Route templates, never paths.",
                    {"{{method}} {{route}}": f"sum by (method, route) ({rate(REQUESTS)})"},
                ),
                lines(
                    "Connections that were ended",
                    "reqps",
                    "By why: silent, too slow, too much in a head, or making room for others.",
                    {"{{reason}}": f"sum by (reason) ({rate(CONNECTIONS_ENDED)})"},
                ),
                lines(
                    "Decoders that were ended",
                    "reqps",
                    "By lane and why: past their time or memory, or died. In the long lane the "
                    "file was refused as too expensive.",
                    {"{{lane}}: {{reason}}": f"sum by (lane, reason) ({rate(DECODERS_ENDED)})"},
                ),
                lines(
                    "A prediction begins to be answered within",
                    "s",
                    "The objective is 99 % within a second.",
                    {
                        f"{level:.0%}": quantile(
                            level, DURATION, "", 'method="POST"', 'route="/api/v1/predictions"'
                        )
                        for level in (0.5, 0.95, 0.99)
                    },
                ),
                lines(
                    "99 % of answers begin within, by way in",
                    "s",
                    "Upload included. Routes of the table of objectives and others.",
                    {"{{method}} {{route}}": quantile(0.99, DURATION, "method, route")},
                ),
            ],
            "What it stands on": [
                numbers(
                    "Runners that are ready",
                    "none",
                    "As any front sees them. A base model that is not makes answers degraded.",
                    {"{{runner}}": f"max by (runner) ({of(RUNNER_READY)})"},
                    good_from=1.0,
                ),
                lines(
                    "Calls to runners that failed",
                    "reqps",
                    "By what was wrong.",
                    {
                        "{{runner}} {{result}}": "sum by (runner, result) "
                        f"({rate(CALLS, NOT_OK)}) or sum by (runner) (0 * {rate(CALLS)})"
                    },
                ),
                lines(
                    "Storage answers",
                    "none",
                    "1: yes, by every front. Without it nothing is predicted.",
                    {"storage": f"min({of(STORAGE_UP)})"},
                ),
                lines(
                    "Storage is full, rows that cannot be read",
                    "none",
                    "1: some front has found no room to store anything. Rows that a newer version "
                    "has written, or that are damaged, each time that they are asked for.",
                    {
                        "full": f"max({of(STORAGE_FULL)})",
                        "{{table}}": f"sum by (table) ({rate(ROWS_UNREADABLE)})",
                    },
                ),
            ],
        },
    )
