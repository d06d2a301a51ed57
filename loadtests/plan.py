"""What one run does and when: a shape at a rate. Every process of a run has the same plan."""

from __future__ import annotations

import json
import math
import os
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Final

from loadtests import mix
from loadtests.mix import RequestKind
from loadtests.shapes import CAPACITY, COST, SHAPES, Shape, Stage

PACE_SECONDS: Final = 20.0
"""Every user sends once in this time; so many users are there as make the rate.

The load is open: whoever gives up is back in time for the next turn, so that a slow service is sent
no fewer than a fast one (no coordinated omission)."""
TIMEOUT_SECONDS: Final = 15.0  # Longer than the front's own deadline, shorter than the pace
DRAIN_SECONDS: Final = TIMEOUT_SECONDS + 6.0
"""After the last request, at most: what is in flight comes back, and workers report, every three
seconds."""
MOST_REQUESTS: Final = 1_000_000
MOST_IMAGES: Final = 60_000  # About 6 GB on disk while the run lasts
VARIABLE: Final = "OSTEOSERVE_LOAD_PLAN"
_SHAPES: Final[Mapping[str, Shape]] = {**SHAPES, "capacity": CAPACITY, "cost": COST}


class PlanError(ValueError):
    """The load asked for cannot be made; the message says what can."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``rate`` is the working rate in requests a second, shared by ``workers`` processes.

    Where the load is closed it is a guess. ``scale`` makes every stage so many times as long.
    ``only`` names the rows of the mix that are sent; none: all of them.
    """

    shape: str
    rate: float
    workers: int = 1
    scale: float = 1.0
    only: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.shape not in _SHAPES:
            raise PlanError(f"there is no shape {self.shape!r}; {', '.join(SHAPES)} are")
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise PlanError(f"the rate is {self.rate}; it is in requests a second, above 0")
        if not 0.01 <= self.scale <= 100:
            raise PlanError(f"stages are to be {self.scale} times as long; 0.01 to 100 can be")
        if not 1 <= self.workers <= 64:
            raise PlanError(f"there are {self.workers} workers; 1 to 64 can be")
        for name in self.only:
            if name not in mix.OBJECTIVES:
                raise PlanError(f"no endpoint is called {name!r}; {', '.join(mix.OBJECTIVES)} are")
        for what, most in (("requests", MOST_REQUESTS), ("images", MOST_IMAGES)):
            if (count := getattr(self, what)) > most:
                raise PlanError(
                    f"{self.shape} at {self.rate:g} requests a second is {count:.0f} {what}; "
                    f"{most} is the most of one run. Lower the rate or take a shorter shape"
                )

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        return tuple(replace(one, seconds=one.seconds * self.scale) for one in self.goals.stages)

    @property
    def goals(self) -> Shape:
        return _SHAPES[self.shape]

    @property
    def kinds(self) -> tuple[RequestKind, ...]:
        return mix.kinds(self.only)

    @property
    def seconds(self) -> float:
        return self._ends[-1]

    @property
    def requests(self) -> float:
        """How many are planned in all stages together; where the load is closed, a guess."""
        return sum(self.planned(stage) for stage in self.stages)

    @property
    def images(self) -> float:
        once = sum(kind.images for kind in self.kinds)
        return self.requests * mix.images(self.kinds) + 2 * once

    def planned(self, stage: Stage) -> float:
        return self.rate * stage.seconds * (stage.mean if stage.users is None else 1)

    def stage(self, seconds: float) -> int | None:
        """Return the number of the stage ``seconds`` after the start; None when it is over."""
        return None if seconds >= self.seconds else bisect_right(self._ends, seconds)

    def users(self, seconds: float) -> int:
        """Return how many users there are ``seconds`` after the start, at its end as before."""
        number = min(bisect_right(self._ends, seconds), len(self.stages) - 1)
        stage = self.stages[number]
        if stage.users is not None:
            return stage.users
        inside = min(seconds - self._ends[number] + stage.seconds, stage.seconds)
        return max(1, round(self.rate * stage.at(inside) * PACE_SECONDS))

    @cached_property
    def _ends(self) -> list[float]:
        return list(accumulate(stage.seconds for stage in self.stages))

    def environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def given(cls) -> Plan:
        """Return the plan that the process was started with. Raises :class:`PlanError`."""
        text = os.environ.get(VARIABLE)
        if text is None:
            raise PlanError(f"no {VARIABLE}: start it with python -m loadtests")
        fields = json.loads(text)
        return cls(**{**fields, "only": tuple(fields["only"])})
