"""The shapes of load, as data. Rates are multiples of the working rate.

Without ``--rate`` that is half of what this machine was measured to serve: 2.0 is all that it can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
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


@dataclass(frozen=True)
class Stage:
    """A time of one kind of load.

    ``rate`` goes in a straight line to ``to``, where there is one. With ``users`` the load is
    closed: that many wait for their answer and ask again at once, as measuring capacity needs.
    """

    seconds: float
    rate: float = 0.0
    to: float | None = None
    users: int | None = None
    rule: Rule = Rule.OBJECTIVES

    def at(self, seconds: float) -> float:
        """Return the multiple of the working rate, ``seconds`` into the stage."""
        if self.to is None:
            return self.rate
        return self.rate + (self.to - self.rate) * seconds / self.seconds

    @property
    def mean(self) -> float:
        return self.rate if self.to is None else (self.rate + self.to) / 2


@dataclass(frozen=True)
class Shape:
    """``degraded`` is the largest share of predictions that may lack a model's vote.

    ``served`` is the least share of requests that must be answered in stages of
    :attr:`Rule.SHEDDING`: a service that turns everybody away fails.
    """

    meaning: str
    stages: tuple[Stage, ...]
    degraded: float = 0.01
    served: float = 0.3


_warm_up: Final = partial(Stage, rule=Rule.WARM_UP)
_judged: Final = partial(Stage, rule=Rule.OBJECTIVES)
_beyond: Final = partial(Stage, rule=Rule.SHEDDING)
_after: Final = partial(Stage, rule=Rule.RECOVERY)
SHAPES: Final[Mapping[str, Shape]] = {
    "smoke": Shape("half a minute at the working rate", (_warm_up(8, 1), _judged(24, 1))),
    "steady": Shape("two minutes at the working rate", (_warm_up(20, 1), _judged(100, 1))),
    "ramp": Shape(
        "from a fifth of the working rate to twice the working rate",
        (_warm_up(20, 0.2), _judged(90, 0.2, to=1), _beyond(90, 1, to=2)),
    ),
    "spike": Shape(
        "eight times as many for twenty seconds, between halves of the working rate",
        (_warm_up(20, 0.5), _judged(40, 0.5), _beyond(20, 4), _after(20, 0.5), _judged(40, 0.5)),
        served=0.2,
    ),
    "soak": Shape("half an hour at the working rate", (_warm_up(60, 1), _judged(1800, 1))),
    "overload": Shape("thrice the working rate", (_warm_up(20, 1), _beyond(90, 3)), degraded=1),
}
CAPACITY: Final = Shape(
    "users that send again at once, ever more of them",
    (_warm_up(15, users=4), *(_after(20, users=count) for count in (2, 4, 8, 16, 32))),
    degraded=1.0,
)
"""What ``python -m loadtests measure`` runs: no test, so that nothing of it is a goal."""
COST: Final = Shape(
    "predictions alone, eight at a time: what one image costs a service that is warm",
    (_after(30, users=8),),
    degraded=1.0,
)
