"""The same service, scan by scan: a discrete simulation that knows none of the formulas.

Scans arrive over a day as a Poisson process of changing rate, go through the front, through three
networks at once and through the stack, each of which has replicas with queues first come, first
served. A replica's waits follow Lindley's recursion W' = max(0, W + S − A) (D. V. Lindley, *The
theory of queues with a single server*, 1952), which is a cumulative sum less its running minimum:
ten million scans take seconds. The spare replicas are taken to be lost.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loadtests import mix
from loadtests.capacity.costs import BASES, VARIATION
from loadtests.capacity.sizing import NETWORK_SECONDS, Balance, Sizing, Station

Times = NDArray[np.float64]

_HOUR: Final = 3600.0


@dataclass(frozen=True)
class Simulated:
    """Of the scans that arrived in the busiest hour, in all clusters together.

    Quantiles are in seconds; ``fast`` is the share that the objective counts as fast, ``slow`` by
    component the share that waited longer than the sizing allows.
    """

    scans: int
    at_peak: int
    p50: float
    p99: float
    fast: float
    slow: dict[str, float]


def simulate(sizing: Sizing, seed: int = 1) -> Simulated:
    """Simulate one day of every cluster of ``sizing``."""
    rng = np.random.default_rng(seed)
    total, durations = 0, []
    waits: dict[str, list[Times]] = {name: [] for name in sizing.stations}
    for cluster in range(sizing.clusters):
        share = sizing.scans * (cluster + 1) // sizing.clusters
        share -= sizing.scans * cluster // sizing.clusters
        arrivals = sizing.day.arrivals(share, rng)
        found = _day(arrivals, sizing, rng)
        peak = (arrivals // _HOUR).astype(int) == sizing.day.peak_hour
        total += len(arrivals)
        durations.append(found.pop("")[peak])
        for name, wait in found.items():
            waits[name].append(wait[peak])
    seconds = np.concatenate(durations)
    limit = mix.OBJECTIVES["predict"].latency_seconds
    return Simulated(
        scans=total,
        at_peak=len(seconds),
        p50=float(np.quantile(seconds, 0.5)),
        p99=float(np.quantile(seconds, 0.99)),
        fast=float((seconds <= limit).mean()),
        slow={
            name: float((np.concatenate(one) > sizing.wait).mean()) for name, one in waits.items()
        },
    )


def _day(arrivals: Times, sizing: Sizing, rng: np.random.Generator) -> dict[str, Times]:
    """Return the waits at each component and, under no name, whole durations, by scan."""
    waits: dict[str, Times] = {}

    def through(name: str, at: Times) -> Times:
        station = sizing.stations[name]
        service = _services(station, len(at), rng)
        waits[name] = wait(at, service, station.working, sizing.balance, rng)
        return np.asarray(at + waits[name] + service)

    read = through("front", arrivals)
    voted = np.maximum.reduce([through(name, read) for name in BASES])
    waits[""] = through("stack", voted) - arrivals + NETWORK_SECONDS
    return waits


def wait(
    at: Times, service: Times, servers: int, balance: Balance, rng: np.random.Generator
) -> Times:
    """Return how long each waits that arrives ``at``, in any order, for ``service`` seconds."""
    order = np.argsort(at, kind="stable")
    found = np.empty(len(at))
    if balance is Balance.SHARED:
        found[order] = _shared(at[order], service[order], servers)
        return found
    server = rng.integers(servers, size=len(at))[order]
    for number in range(servers):
        mine = order[server == number]
        found[mine] = _lindley(at[mine], service[mine])
    return found


def _lindley(at: Times, service: Times) -> Times:
    steps = np.zeros(len(at))
    steps[1:] = service[:-1] - np.diff(at)
    walk = np.cumsum(steps)
    return np.asarray(walk - np.minimum.accumulate(np.minimum(walk, 0.0)))


def _shared(at: Times, service: Times, servers: int) -> Times:
    free = [0.0] * servers
    waits = np.empty(len(at))
    for number, (now, seconds) in enumerate(zip(at.tolist(), service.tolist(), strict=True)):
        begin = max(now, free[0])
        heapq.heapreplace(free, begin + seconds)
        waits[number] = begin - now
    return waits


def _services(station: Station, count: int, rng: np.random.Generator) -> Times:
    variation = VARIATION.get(station.component, 0.0)
    if not variation:
        return np.full(count, station.seconds)
    return rng.gamma(1 / variation, station.seconds * variation, count)
