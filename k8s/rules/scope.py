"""Whose series a rule looks at, and in whose time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from service.types import RUNNERS

_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True)
class Scope:
    """``matchers`` pick one installation's series; ``labels`` name it on what is made of them.

    ``runbooks`` is where the runbooks lie. ``speed`` divides every duration: a test has no three
    days. Names keep the durations that they stand for.
    """

    matchers: str
    labels: Mapping[str, str] = field(default_factory=dict)
    runbooks: str = "k8s/runbooks"
    speed: int = 1

    def of(self, metric: str, *matchers: str) -> str:
        """Return the selector of ``metric`` within this scope."""
        return f"{metric}{{{','.join((self.matchers, *matchers))}}}"

    def recorded(self, name: str) -> str:
        """Return the selector of a series that a rule of this scope has recorded."""
        matchers = ",".join(f'{key}="{value}"' for key, value in self.labels.items())
        return f"{name}{{{matchers}}}" if matchers else name

    def span(self, seconds: int) -> str:
        """Return ``seconds``, at this scope's speed, as Prometheus writes a duration."""
        scaled = -(-seconds // self.speed)
        return written(scaled)


def written(seconds: int) -> str:
    """Return a duration in the largest unit that it is a whole number of: 5400 is ``90m``."""
    size, unit = next(
        ((size, unit) for size, unit in _UNITS if seconds and seconds % size == 0), (1, "s")
    )
    return f"{seconds // size}{unit}"


PLAIN: Final = Scope(matchers='job="osteoserve"')
"""One installation, scraped as ``k8s/prometheus/prometheus.yaml`` does."""

_COMPONENTS: Final = "|".join(("front", "gateway", *RUNNERS))

CHART: Final = Scope(
    matchers=f'namespace="@namespace@",service=~"@prefix@-({_COMPONENTS})"',
    labels={"namespace": "@namespace@", "release": "@prefix@"},
    runbooks="@runbooks@",
)
"""A release of the chart, which puts in its own names."""
