"""Does what was counted keep what is promised? Decides the exit status, endpoint by endpoint.

A run is a sample. An objective is broken when what was seen would come up in fewer than
:data:`DOUBT` of runs of a service that just keeps it (exact binomial test, one-sided). An endpoint
with too few requests for the worst outcome to prove anything counts as not measured, and fails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from loadtests import mix
from loadtests.plan import Plan
from loadtests.shapes import Rule
from loadtests.stats import RunStats, Stats
from service.observability.slo import SLO

DOUBT: Final = 0.01
LEAST_SENT: Final = 0.9
"""Of what was planned; with less, the generator was tested and not the service."""
LATE_SECONDS: Final = min(slo.latency_seconds for slo in mix.OBJECTIVES.values())
"""Requests sent so long after their time, more than one in a hundred, measure the generator."""
PREDICTING: Final = ("predict", "batch")  # Endpoints whose answers say whether a model was missing


@dataclass(frozen=True)
class Failure:
    """``endpoint`` is an objective's name with its method and route; or what else it is about."""

    endpoint: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.text}"


def judge(plan: Plan, stats: RunStats) -> list[Failure]:
    """Return everything that speaks against the run; nothing when it passes."""
    return [
        *_generator(plan, stats),
        *(failure for kind in plan.kinds for failure in _endpoint(plan, stats, kind.slo)),
        *_served(plan, stats),
        *_degraded(plan, stats),
    ]


def title(name: str) -> str:
    slo = mix.OBJECTIVES[name]
    return f"{name} ({slo.method} {slo.route})"


def broken(bad: int, count: int, allowed: float) -> bool:
    """Say whether ``bad`` of ``count`` are too many where a share ``allowed`` may be bad."""
    return bad > allowed * count and _at_least(bad, count, allowed) < DOUBT


def stages(plan: Plan, *rules: Rule) -> list[int]:
    return [number for number, stage in enumerate(plan.stages) if stage.rule in rules]


def _at_least(bad: int, count: int, share: float) -> float:
    """Return the probability of ``bad`` or more among ``count``, each bad with ``share``."""
    if bad <= 0:
        return 1.0
    if not 0 < share < 1:
        return float(share >= 1)
    below = 0.0
    for k in range(bad):
        ways = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        below += math.exp(ways + k * math.log(share) + (count - k) * math.log1p(-share))
    return max(0.0, 1.0 - below)


def _endpoint(plan: Plan, stats: RunStats, name: str) -> Iterator[Failure]:
    slo = mix.OBJECTIVES[name]
    counted = stats.over(stages(plan, Rule.OBJECTIVES, Rule.SHEDDING, Rule.RECOVERY), [name])
    if counted.counts["wrong"]:
        text = f"{counted.counts['wrong']} wrong of {counted.requests}"
        yield Failure(title(name), "answers", text + _faults(counted))
    if strict := stages(plan, Rule.OBJECTIVES):
        yield from _objectives(slo, stats.over(strict, [name]))
    if shedding := stages(plan, Rule.SHEDDING):
        yield from _shedding(slo, stats.over(shedding, [name]))


def _objectives(slo: SLO, count: Stats) -> Iterator[Failure]:
    requests, named = count.requests, title(slo.name)
    unavailable, slow = 1 - slo.availability, 1 - slo.latency_share
    if any(_at_least(requests, requests, share) >= DOUBT for share in (unavailable, slow)):
        few = f"{requests} request{'s' if requests > 1 else ''}, too few to judge"
        text = f"not measured: {few if requests else 'no request'}"
        yield Failure(named, "measured", text + _faults(count))
        return
    if broken(requests - count.served, requests, unavailable):
        text = (
            f"{_share(count.served, requests)} of {requests} requests answered, promised are "
            f"{_percent(slo.availability)}"
        )
        yield Failure(named, "availability", text + _faults(count))
    if broken(count.served - count.counts["fast"], count.served, slow):
        text = (
            f"{_share(count.counts['fast'], count.served)} of {count.served} answers within "
            f"{slo.latency_seconds:g} s, promised are {_percent(slo.latency_share)}"
        )
        yield Failure(named, "latency", text)


def _shedding(slo: SLO, count: Stats) -> Iterator[Failure]:
    named = title(slo.name)
    if not count.requests:
        yield Failure(named, "measured", "not measured under overload: no request")
    accepted = count.requests - count.counts["shed"]
    if broken(count.counts["failed"], accepted, 1 - slo.availability):
        failed = count.counts["failed"]
        text = f"{failed} of {accepted} requests neither answered nor turned away properly"
        yield Failure(named, "shedding", text + _faults(count))


def _served(plan: Plan, stats: RunStats) -> Iterator[Failure]:
    count, least = stats.over(stages(plan, Rule.SHEDDING)), plan.goals.served
    if count.requests and broken(count.requests - count.served, count.requests, 1 - least):
        text = (
            f"{_share(count.served, count.requests)} of {count.requests} requests served under "
            f"overload, at least {_percent(least)} must be"
        )
        yield Failure("all endpoints", "served", text)


def _degraded(plan: Plan, stats: RunStats) -> Iterator[Failure]:
    limit = plan.goals.degraded
    for name in PREDICTING:
        count = stats.over(stages(plan, Rule.OBJECTIVES), [name])
        if broken(count.counts["degraded"], count.served, limit):
            text = (
                f"{_share(count.counts['degraded'], count.served)} of {count.served} answers "
                f"lack a model's vote, at most {_percent(limit)} may"
            )
            yield Failure(title(name), "degraded", text + _faults(count))


def _generator(plan: Plan, stats: RunStats) -> Iterator[Failure]:
    counted = stages(plan, Rule.OBJECTIVES, Rule.SHEDDING, Rule.RECOVERY)
    open_ones = [number for number in counted if plan.stages[number].users is None]
    planned = sum(plan.planned(plan.stages[number]) for number in open_ones)
    sent = stats.over(open_ones).requests
    late = stats.over(stages(plan, Rule.OBJECTIVES)).send_delays.quantile(0.99)
    # What chance may take from a small number, three standard deviations, is not missed.
    if sent < LEAST_SENT * planned - 3 * math.sqrt(planned):
        text = (
            f"{sent} requests sent of {planned:.0f} planned: it could not keep up, and measured "
            f"itself. {_INSTEAD}"
        )
        yield Failure("load generator", "sent", text)
    if late is not None and late > LATE_SECONDS:
        text = (
            f"one in a hundred requests was sent {late:.2g} s or more after its time: latencies "
            f"are its own. {_INSTEAD}"
        )
        yield Failure("load generator", "sent", text)


_INSTEAD: Final = "Use more workers, another or a less busy machine, or a lower rate"


def _faults(count: Stats) -> str:
    most = "; ".join(f"{number} {fault}" for fault, number in count.faults.most_common(3))
    return f" ({most})" if most else ""


def _percent(share: float) -> str:
    return f"{share * 100:.6g} %"


def _share(part: int, whole: int) -> str:
    # Down, so that 99.96 % never reads as the 100 % that it is not.
    return f"{math.floor(part / whole * 1000) / 10:g} %" if whole else "none"
