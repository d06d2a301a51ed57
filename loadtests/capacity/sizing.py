"""From scans a day to replicas: the least that keeps the prediction's objective at the peak.

A replica is one process on one core (a network's may have a GPU besides). A cluster takes so many
scans a day at most, and more scans are more clusters of one kind, each sized for its own peak:
nothing is gained from time zones. Every component gets one replica more than the queue needs, so
that one may be lost or rolled over.

Replicas behind a Kubernetes Service have queues of their own and are chosen without a look at them,
``Balance.RANDOM``: of Poisson arrivals each sees a Poisson share, M/G/1. One queue before all of
them, ``Balance.SHARED``, M/G/c, is what a perfect balancer could come near.

An image waits at the front, at the slowest of three networks, and at the stack. What its second has
left when nobody waits is divided into three; that one of the five waits is longer than its third
may happen to as many as the objective lets be slow, a fifth of them each. Sums of probabilities are
upper bounds, so that this is on the safe side of what a simulation finds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from loadtests import mix
from loadtests.capacity import queueing
from loadtests.capacity.costs import COMPONENTS, VARIATION, CapacityError, Costs
from loadtests.capacity.day import Day

UTILISATION: Final = 0.7
"""Of a replica at the peak, at most: an hour's mean hides minutes that are busier."""

SPARE: Final = 1

CLUSTER_SCANS: Final = 1_000_000
"""A day that one cluster takes: thirty a second at the peak, before one PostgreSQL. An assumption;
more clusters of smaller size also fail more gently."""

NETWORK_SECONDS: Final = 0.01
"""For hops within the cluster and the sender's connection."""

_WAITS: Final = 3
_MOST: Final = 100_000


class Balance(Enum):
    RANDOM = "random"
    SHARED = "shared"


@dataclass(frozen=True)
class Station:
    """One component in one cluster at the peak. ``replicas`` contain the spare one.

    ``slow`` is the probability that an image waits there longer than it may.
    """

    component: str
    seconds: float
    replicas: int
    utilisation: float
    slow: float
    gpu: bool

    @property
    def working(self) -> int:
        return self.replicas - SPARE


@dataclass(frozen=True)
class Sizing:
    """All clusters are alike. ``rate`` is images a second of one at its peak."""

    scans: int
    clusters: int
    rate: float
    wait: float
    balance: Balance
    day: Day
    stations: Mapping[str, Station]

    @property
    def replicas(self) -> int:
        return self.clusters * sum(one.replicas for one in self.stations.values())

    @property
    def cores(self) -> int:
        """One a replica, whether or not it has a GPU."""
        return self.replicas

    @property
    def gpus(self) -> int:
        """GPUs, or slices of them, one a replica that uses one."""
        return self.clusters * sum(one.replicas for one in self.stations.values() if one.gpu)


def size(
    scans: int,
    costs: Costs,
    day: Day,
    *,
    balance: Balance = Balance.RANDOM,
    cluster_scans: int = CLUSTER_SCANS,
) -> Sizing:
    """Return what ``scans`` a day take. Raises :class:`CapacityError` when nothing would do."""
    if scans < 1 or cluster_scans < 1:
        raise CapacityError(f"{min(scans, cluster_scans)} scans a day; at least 1 can be")
    slo = mix.OBJECTIVES["predict"]
    slack = slo.latency_seconds - costs.path - NETWORK_SECONDS
    if slack <= 0:
        raise CapacityError(
            f"an image takes {costs.path:.2f} s where nobody waits; no number of replicas answers "
            f"within {slo.latency_seconds:g} s. Give networks more cores or a GPU"
        )
    clusters = math.ceil(scans / cluster_scans)
    rate = scans / clusters / 86400 * day.peak
    allowed = (1 - slo.latency_share) / len(COMPONENTS)
    wait = slack / _WAITS
    return Sizing(
        scans=scans,
        clusters=clusters,
        rate=rate,
        wait=wait,
        balance=balance,
        day=day,
        stations={name: _station(name, rate, wait, allowed, costs, balance) for name in COMPONENTS},
    )


def _station(
    name: str, rate: float, wait: float, allowed: float, costs: Costs, balance: Balance
) -> Station:
    seconds = costs.seconds(name)
    load, variation = rate * seconds, VARIATION.get(name, 0.0)
    fewest = max(1, math.ceil(load / UTILISATION))
    for count in range(fewest, _MOST):
        if balance is Balance.SHARED:
            slow = queueing.longer(wait, count, load, seconds, variation)
        else:
            slow = queueing.longer(wait, 1, load / count, seconds, variation)
        if slow <= allowed:
            gpu = name in costs.gpu
            return Station(name, seconds, count + SPARE, load / count, slow, gpu)
    raise CapacityError(f"{name}: more than {_MOST} replicas a cluster; take more clusters")
