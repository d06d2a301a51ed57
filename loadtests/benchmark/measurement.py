"""One step of load on a running server: what was sent, what came back and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from loadtests.benchmark import arrivals
from loadtests.benchmark.answers import ANSWERED, REFUSED, Checked, Expected
from loadtests.benchmark.arrivals import Arrivals
from loadtests.benchmark.generator import Plan, Sample, Sent
from loadtests.benchmark.load import Load
from loadtests.benchmark.pace import Pace
from loadtests.benchmark.percentiles import percentile
from loadtests.benchmark.reference import BEFORE, FIRST
from loadtests.benchmark.server import Server, ServerError
from loadtests.benchmark.tree import difference

P99_SECONDS: Final = 1.0
"""What the throughput is asked to keep."""

LEAST: Final = 100
"""Requests that a step has at least, for a p99 that is more than one request's luck."""

LONGEST_SECONDS: Final = 24.0
"""A step is no longer, even if it has fewer then: slow servers would take minutes each."""

VERIFIED_WITHIN: Final = 3
"""Times that the first images are sent at most."""


@dataclass(frozen=True)
class Step:
    """``rate`` is what was offered a second; milliseconds are None where a step was given up.

    ``cpu_seconds`` are component → seconds an answered image; ``generator`` the sender's own CPUs.
    """

    rate: float
    sent: int
    answered: int
    refused: int
    failed: int
    degraded: int
    seconds: float
    p50_ms: float | None
    p99_ms: float | None
    cpu_seconds: Mapping[str, float]
    generator: float
    holds: bool

    def record(self) -> dict[str, Any]:
        return vars(self) | {"cpu_seconds": dict(self.cpu_seconds)}


class Bench:
    """Sends to one server, no image twice, and keeps count of right answers."""

    def __init__(
        self,
        server: Server,
        load: Load,
        expected: Mapping[int, Expected],
        kind: Arrivals,
        seconds: float,
        pace: Pace,
    ) -> None:
        self._server = server
        self._load = load
        self._pace = pace
        self._expected = expected
        self._kind = kind
        self._seconds = seconds
        self._next = 0
        self.checked = Checked()
        self.cost: dict[str, float] = {}

    def verify(self) -> None:
        """Send the first images, a few at a time: they warm the server, and are all checked.

        Raises :class:`ServerError` where one is not answered, or not by all models even when asked
        again: some batchers refuse what they have not yet learnt the pace of.
        """
        numbers, name = range(FIRST, FIRST + BEFORE), self._server.contender.name
        for _ in range(VERIFIED_WITHIN):
            sent = self.send(Plan(self._server.url, numbers, clients=4, patience=120.0))
            faults = Counter(s.fault or s.status for s in sent.samples if not _whole(s))
            if not faults:
                return
        raise ServerError(
            f"{name}: of {BEFORE} images {sum(faults.values())} got no whole answer: {dict(faults)}"
        )

    def capacity(self, clients: int = 16, seconds: float = 5.0) -> float:
        """Return images a second with ``clients`` that wait for their answers: a first guess.

        Asked twice: what compiles or grows at the first large batch has done so by then.
        """
        rate = 0.0
        for _ in range(2):
            count = max(4 * clients, int(rate * seconds))
            plan = Plan(self._server.url, self.take(count), clients=clients, seconds=seconds)
            sent = self.send(plan)
            rate = sum(sample.status in ANSWERED for sample in sent.samples) / sent.seconds
        return rate

    def pace(self) -> float:
        """Return the machine's pace, the server held still meanwhile."""
        with self._server.stopped():
            return self._pace()

    def step(self, rate: float, *, give_up: bool = True) -> Step:
        """Send at ``rate`` a second. ``give_up`` ends it once it cannot hold any more."""
        least = min(LEAST, int(rate * LONGEST_SECONDS))
        count = max(int(rate * self._seconds), least, 1)
        plan = self.plan(rate, count)
        if give_up:
            plan = replace(plan, overdue=P99_SECONDS, overdue_allowed=count // 100)
        return self._step(rate, count, self.send(plan))

    def plan(self, rate: float, count: int) -> Plan:
        """Return a plan to send ``count`` unseen images at ``rate`` a second, whatever comes."""
        due = [float(moment) for moment in arrivals.due(self._kind, count, rate)]
        return Plan(self._server.url, self.take(count), due)

    def send(self, plan: Plan) -> Sent:
        """Send ``plan``, check its answers; :attr:`cost` is then what it took."""
        self._load.prepare(plan)
        before = self._server.tree.cpu_seconds()
        sent = self._load.send()
        if sent.stopped:
            self._server.settle()
        self.cost = difference(before, self._server.tree.cpu_seconds())
        self._server.check()
        self.checked.add(sent.samples, self._expected)
        return sent

    def _step(self, rate: float, count: int, sent: Sent) -> Step:
        statuses = Counter(sample.status for sample in sent.samples)
        answered = sum(statuses[status] for status in ANSWERED)
        refused = sum(statuses[status] for status in REFUSED)
        latencies = [sample.latency for sample in sent.samples]
        whole = not sent.stopped and len(latencies) == count
        p99 = percentile(latencies, 0.99) if whole else None
        return Step(
            rate=rate,
            sent=len(sent.samples),
            answered=answered,
            refused=refused,
            failed=len(sent.samples) - answered - refused,
            degraded=sum(not sample.whole for sample in sent.samples),
            seconds=sent.seconds,
            p50_ms=1000 * percentile(latencies, 0.5) if whole else None,
            p99_ms=None if p99 is None else 1000 * p99,
            cpu_seconds={name: spent / max(answered, 1) for name, spent in self.cost.items()},
            generator=sent.cpu_seconds / sent.seconds,
            holds=p99 is not None
            and p99 <= P99_SECONDS
            and all(_whole(sample) for sample in sent.samples),
        )

    def take(self, count: int) -> range:
        """Return the numbers of ``count`` images that this server has not seen."""
        first, self._next = self._next, self._next + count
        return range(first, self._next)


def _whole(sample: Sample) -> bool:
    return sample.status in ANSWERED and sample.whole and sample.probability is not None
