"""Does what was counted keep what is promised? Decides the exit status, endpoint by endpoint.

A run is a sample. An objective is broken when what was seen would come up in fewer than
:data:`DOUBT` of runs of a service that just keeps it (exact binomial test, one-sided), so that one
slow page among five proves nothing and five do. An endpoint with so few requests that not even the
worst outcome would prove anything counts as not measured, and that fails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from loadtests import mix
from loadtests.plan import Plan
from loadtests.shapes import Rule
from loadtests.tally import Count, Tally
from service.observability.slo import SLO

DOUBT: Final = 0.01

LEAST_SENT: Final = 0.9
"""Of what was planned; with less, the generator was tested and not the service."""

LATE_SECONDS: Final = min(slo.latency_seconds for slo in mix.OBJECTIVES.values())
"""After their time, requests are sent by a generator that is busy or starved: latencies, which
contain that, would be its own. One in a hundred may be, where objectives are judged."""

PREDICTING: Final = ("predict", "batch")
"""Endpoints whose answers say whether a model was missing."""


@dataclass(frozen=True)
class Failure:
    """``endpoint`` is an objective's name with its method and route; or what else it is about."""

    endpoint: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.text}"


def judge(plan: Plan, tally: Tally) -> list[Failure]:
    """Return everything that speaks against the run; nothing when it passes."""
    return [
        *_generator(plan, tally),
        *(failure for ask in plan.asks for failure in _endpoint(plan, tally, ask.slo)),
        *_served(plan, tally),
        *_degraded(plan, tally),
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


def _endpoint(plan: Plan, tally: Tally, name: str) -> Iterator[Failure]:
    slo = mix.OBJECTIVES[name]
    counted = tally.over(stages(plan, Rule.OBJECTIVES, Rule.SHEDDING, Rule.RECOVERY), [name])
    if counted.wrong:
        yield _failure(name, "answers", f"{counted.wrong} wrong of {counted.requests}", counted)
    if strict := stages(plan, Rule.OBJECTIVES):
        yield from _objectives(slo, tally.over(strict, [name]))
    if shedding := stages(plan, Rule.SHEDDING):
        yield from _shedding(slo, tally.over(shedding, [name]))


def _objectives(slo: SLO, count: Count) -> Iterator[Failure]:
    promises = (1 - slo.availability, 1 - slo.latency_share)
    if any(_at_least(count.requests, count.requests, share) >= DOUBT for share in promises):
        yield _failure(slo.name, "measured", f"not measured: {_requests(count)}", count)
        return
    bad = count.requests - count.served
    if broken(bad, count.requests, promises[0]):
        yield _failure(
            slo.name,
            "availability",
            f"{_share(count.served, count.requests)} of {count.requests} requests answered, "
            f"promised are {_percent(slo.availability)}",
            count,
        )
    if broken(count.served - count.fast, count.served, promises[1]):
        yield _failure(
            slo.name,
            "latency",
            f"{_share(count.fast, count.served)} of {count.served} answers within "
            f"{slo.latency_seconds:g} s, promised are {_percent(slo.latency_share)}",
        )


def _shedding(slo: SLO, count: Count) -> Iterator[Failure]:
    if not count.requests:
        yield _failure(slo.name, "measured", "not measured under overload: no request", count)
    accepted = count.requests - count.shed
    if broken(count.failed, accepted, 1 - slo.availability):
        yield _failure(
            slo.name,
            "shedding",
            f"{count.failed} of {accepted} requests neither answered nor turned away properly",
            count,
        )


def _served(plan: Plan, tally: Tally) -> Iterator[Failure]:
    shedding = stages(plan, Rule.SHEDDING)
    count = tally.over(shedding)
    least = plan.goals.served
    if count.requests and broken(count.requests - count.served, count.requests, 1 - least):
        yield Failure(
            "all endpoints",
            "served",
            f"{_share(count.served, count.requests)} of {count.requests} requests served under "
            f"overload, at least {_percent(least)} must be",
        )


def _degraded(plan: Plan, tally: Tally) -> Iterator[Failure]:
    limit = plan.goals.degraded
    for name in PREDICTING:
        count = tally.over(stages(plan, Rule.OBJECTIVES), [name])
        if broken(count.degraded, count.served, limit):
            yield _failure(
                name,
                "degraded",
                f"{_share(count.degraded, count.served)} of {count.served} answers lack a model's "
                f"vote, at most {_percent(limit)} may",
            )


def _generator(plan: Plan, tally: Tally) -> Iterator[Failure]:
    open_ones = [
        number
        for number in stages(plan, Rule.OBJECTIVES, Rule.SHEDDING, Rule.RECOVERY)
        if plan.stages[number].callers is None
    ]
    planned = sum(plan.planned(plan.stages[number]) for number in open_ones)
    sent = tally.over(open_ones).requests
    # What chance may take from a small number, three standard deviations, is not missed.
    if sent < LEAST_SENT * planned - 3 * math.sqrt(planned):
        yield Failure(
            "load generator",
            "sent",
            f"{sent} requests sent of {planned:.0f} planned: it could not keep up, and measured "
            f"itself. {_INSTEAD}",
        )
    late = tally.over(stages(plan, Rule.OBJECTIVES)).lateness.quantile(0.99)
    if late is not None and late > LATE_SECONDS:
        yield Failure(
            "load generator",
            "sent",
            f"one in a hundred requests was sent {late:.2g} s or more after its time: latencies "
            f"are its own. {_INSTEAD}",
        )


_INSTEAD: Final = "Use more workers, another or a less busy machine, or a lower rate"


def _failure(name: str, rule: str, text: str, count: Count | None = None) -> Failure:
    if count is not None and count.faults:
        faults = (f"{number} {fault}" for fault, number in count.faults.most_common(3))
        text += f" ({'; '.join(faults)})"
    return Failure(title(name), rule, text)


def _requests(count: Count) -> str:
    if not count.requests:
        return "no request"
    return f"{count.requests} request{'s' if count.requests > 1 else ''}, too few to judge"


def _percent(share: float) -> str:
    return f"{share * 100:.6g} %"


def _share(part: int, whole: int) -> str:
    # Down, so that 99.96 % never reads as the 100 % that it is not.
    return f"{math.floor(part / whole * 1000) / 10:g} %" if whole else "none"
