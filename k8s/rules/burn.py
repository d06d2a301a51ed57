"""How fast each objective's error budget is spent, over several windows, and when that is too fast.

A burn rate of 1 spends exactly the budget of the objective's 30 days. Factors and windows are those
of the Site Reliability Workbook (chapter 5, "Alerting on SLOs", method 6): a long window says that
it matters, a short one that it still goes on.

================  ======  =====  ========  =====================================
spent before it   factor  long   short     somebody is
================  ======  =====  ========  =====================================
2 % of budget     14.4    1 h    5 min     called
5 %               6       6 h    30 min    called
10 %              3       1 d    2 h       told
10 %              1       3 d    6 h       told
================  ======  =====  ========  =====================================

A clinic sends ten scans an hour, and one failure of ten would be a hundred times the budget. So a
long window counts as if it held at least so many requests that a single failed one is not enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from k8s.rules.rule import Alert, Group, Record, Severity
from k8s.rules.scope import Scope, written
from service.http.metrics import DURATION, REQUESTS
from service.observability.slo import SLO, SLOS, WINDOW_DAYS

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

OBJECTIVES: Final = ("availability", "latency")
Objective = Literal["availability", "latency"]

BURN: Final = "osteoserve:slo_burn:rate"
BUDGET: Final = f"osteoserve:slo_budget_left:ratio{WINDOW_DAYS}d"

ALONE: Final = 1.5
"""Failed requests that are not enough to call anybody; rate() may make 1.1 of one."""

NO_REQUESTS: Final = "1e-9"
"""Below any rate: without requests the burn rate is 0, and not unknown."""


@dataclass(frozen=True)
class Window:
    """One pair; all in seconds but ``factor``, the burn rate that both must exceed."""

    factor: float
    long: int
    short: int
    hold: int
    severity: Severity


WINDOWS: Final = (
    Window(14.4, HOUR, 5 * MINUTE, 2 * MINUTE, "critical"),
    Window(6, 6 * HOUR, 30 * MINUTE, 15 * MINUTE, "critical"),
    Window(3, DAY, 2 * HOUR, HOUR, "warning"),
    Window(1, 3 * DAY, 6 * HOUR, 3 * HOUR, "warning"),
)


def groups(scope: Scope) -> Iterator[Group]:
    spans = {span for window in WINDOWS for span in (window.long, window.short)}
    for name, chosen, interval in (
        ("burn-fast", [span for span in spans if span <= HOUR], None),
        ("burn-slow", [span for span in spans if span > HOUR], 2 * MINUTE),
    ):
        rules = [
            _burn(scope, slo, objective, span)
            for slo in SLOS
            for objective in OBJECTIVES
            for span in sorted(chosen)
        ]
        yield Group(name=name, rules=rules, interval=interval)
    left = [_left(scope, slo, objective) for slo in SLOS for objective in OBJECTIVES]
    yield Group(name="budget", rules=left, interval=5 * MINUTE)
    yield Group(name="burn-alerts", rules=[_alert(scope, window) for window in WINDOWS])


def budget(slo: SLO, objective: Objective) -> float:
    """Return the share of requests that may fail, or be slow."""
    target = slo.availability if objective == "availability" else slo.latency_share
    return round(1 - target, 6)


def ratio(scope: Scope, slo: SLO, objective: Objective, span: int, least: str) -> str:
    """Return the share of requests over ``span`` that failed, or were slow.

    ``least`` is how many requests a second there are taken to have been at the least.
    """
    of = (f'method="{slo.method}"', f'route="{slo.route}"')
    window = f"[{scope.span(span)}]"
    if objective == "availability":
        total = f"sum(rate({scope.of(REQUESTS, *of)}{window}))"
        failed = scope.of(REQUESTS, *of, 'status=~"5.."')
        bad = f"(sum(rate({failed}{window})) or vector(0))"
    else:
        total = f"sum(rate({scope.of(f'{DURATION}_count', *of)}{window}))"
        within = f'le="{float(slo.latency_seconds)}"'
        fast = scope.of(f"{DURATION}_bucket", *of, within)
        bad = f"({total} - sum(rate({fast}{window})))"
    return f"{bad} / clamp_min({total}, {least})"


def _burn(scope: Scope, slo: SLO, objective: Objective, span: int) -> Record:
    allowed = budget(slo, objective)
    least = NO_REQUESTS
    factors = [window.factor for window in WINDOWS if window.long == span]
    if factors:
        # What is burnt by one alone stays below the factor that this window is looked at with.
        requests = ALONE / (min(factors) * allowed)
        least = f"{requests:.4g} / {-(-span // scope.speed)}"
    return Record(
        name=f"{BURN}{written(span)}",
        expr=f"{ratio(scope, slo, objective, span, least)} / {allowed}",
        labels={"slo": slo.name, "objective": objective},
    )


def _left(scope: Scope, slo: SLO, objective: Objective) -> Record:
    spent = ratio(scope, slo, objective, WINDOW_DAYS * DAY, NO_REQUESTS)
    return Record(
        name=BUDGET,
        expr=f"1 - {spent} / {budget(slo, objective)}",
        labels={"slo": slo.name, "objective": objective},
    )


def _alert(scope: Scope, window: Window) -> Alert:
    long, short = (
        f"{scope.recorded(f'{BURN}{written(span)}')} > {window.factor:g}"
        for span in (window.long, window.short)
    )
    return Alert(
        name="OsteoserveBudgetBurn",
        expr=f"{long} and {short}",
        seconds=window.hold,
        severity=window.severity,
        labels={"long": written(window.long), "short": written(window.short)},
        summary="{{ $labels.slo }}: the {{ $labels.objective }} budget is spent "
        '{{ $value | printf "%.0f" }} times too fast.',
        description=f"Over {written(window.long)} and still over {written(window.short)}, "
        "{{ $labels.slo }} burns its {{ $labels.objective }} budget of "
        f"{WINDOW_DAYS} days more than {window.factor:g} times as fast as it may.",
    )
