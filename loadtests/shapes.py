"""The shapes of load, as data. Rates are multiples of the working rate.

The working rate is ``--rate`` in requests a second, and without one half of what this machine was
measured to serve (``loadtests/measured.json``, written by ``python -m loadtests measure``): 2.0 is
then all that it can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Rule(Enum):
    """What a stage is judged by."""

    WARM_UP = "warm-up"
    """Nothing: caches fill, batch sizes are learnt. Not counted anywhere."""
    OBJECTIVES = "objectives"
    """Availability and latency of every endpoint; whoever is turned away counts as failed."""
    SHEDDING = "shedding"
    """Turning away is right if it says when to come back; what is accepted must be answered."""
    RECOVERY = "recovery"
    """Only what holds always, that no answer is wrong: queues may still be emptying."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A time of one kind of load.

    ``rate`` goes in a straight line to ``to``, where there is one. With ``callers`` the load is
    closed: that many wait for their answer and ask again at once, as measuring capacity needs.
    """

    seconds: float
    rate: float = 0.0
    to: float | None = None
    callers: int | None = None
    rule: Rule

    def at(self, seconds: float) -> float:
        """Return the multiple of the working rate, ``seconds`` into the stage."""
        if self.to is None:
            return self.rate
        return self.rate + (self.to - self.rate) * seconds / self.seconds

    @property
    def mean(self) -> float:
        return self.rate if self.to is None else (self.rate + self.to) / 2


@dataclass(frozen=True, kw_only=True)
class Shape:
    """``degraded`` is the largest share of predictions that may lack a model's vote.

    ``served`` is the least share of requests that must be answered in stages of
    :attr:`Rule.SHEDDING`: a service that turns everybody away fails.
    """

    meaning: str
    stages: tuple[Stage, ...]
    degraded: float = 0.01
    served: float = 0.3

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)


SHAPES: Final[Mapping[str, Shape]] = {
    "smoke": Shape(
        meaning="half a minute at the working rate",
        stages=(
            Stage(seconds=8, rate=1, rule=Rule.WARM_UP),
            Stage(seconds=24, rate=1, rule=Rule.OBJECTIVES),
        ),
    ),
    "steady": Shape(
        meaning="two minutes at the working rate",
        stages=(
            Stage(seconds=20, rate=1, rule=Rule.WARM_UP),
            Stage(seconds=100, rate=1, rule=Rule.OBJECTIVES),
        ),
    ),
    "ramp": Shape(
        meaning="from a fifth of the working rate to twice the working rate",
        stages=(
            Stage(seconds=20, rate=0.2, rule=Rule.WARM_UP),
            Stage(seconds=90, rate=0.2, to=1, rule=Rule.OBJECTIVES),
            Stage(seconds=90, rate=1, to=2, rule=Rule.SHEDDING),
        ),
    ),
    "spike": Shape(
        meaning="eight times as many for twenty seconds, between halves of the working rate",
        stages=(
            Stage(seconds=20, rate=0.5, rule=Rule.WARM_UP),
            Stage(seconds=40, rate=0.5, rule=Rule.OBJECTIVES),
            Stage(seconds=20, rate=4, rule=Rule.SHEDDING),
            Stage(seconds=20, rate=0.5, rule=Rule.RECOVERY),
            Stage(seconds=40, rate=0.5, rule=Rule.OBJECTIVES),
        ),
        served=0.2,
    ),
    "soak": Shape(
        meaning="half an hour at the working rate",
        stages=(
            Stage(seconds=60, rate=1, rule=Rule.WARM_UP),
            Stage(seconds=1800, rate=1, rule=Rule.OBJECTIVES),
        ),
    ),
    "overload": Shape(
        meaning="three times the working rate",
        stages=(
            Stage(seconds=20, rate=1, rule=Rule.WARM_UP),
            Stage(seconds=90, rate=3, rule=Rule.SHEDDING),
        ),
        degraded=1.0,
    ),
}

CAPACITY: Final = Shape(
    meaning="callers that ask again at once, ever more of them",
    stages=(
        Stage(seconds=15, callers=4, rule=Rule.WARM_UP),
        *(Stage(seconds=20, callers=count, rule=Rule.RECOVERY) for count in (2, 4, 8, 16, 32)),
    ),
    degraded=1.0,
)
"""What ``python -m loadtests measure`` runs: no test, so that nothing of it is a goal."""

COST: Final = Shape(
    meaning="predictions alone, eight at a time: what one image costs a service that is warm",
    stages=(Stage(seconds=30, callers=8, rule=Rule.RECOVERY),),
    degraded=1.0,
)
