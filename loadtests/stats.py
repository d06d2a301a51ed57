"""Statistics of a run: counted in each process, and merged from all of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from loadtests.answers import Verdict

_STEP: Final = math.log(1.02)
_LEAST_SECONDS: Final = 0.0005


class Durations(Counter[int]):
    """Histogram of seconds in buckets 2 % wide: a quantile is right to within one."""

    def add(self, *seconds: float) -> None:
        for one in seconds:
            self[max(0, math.ceil(math.log(max(one, 1e-9) / _LEAST_SECONDS) / _STEP))] += 1

    def quantile(self, share: float) -> float | None:
        """Return seconds that at least ``share`` of them do not exceed; None without any."""
        left = math.ceil(share * self.total())
        for bucket in sorted(self):
            left -= self[bucket]
            if left <= 0:
                return _LEAST_SECONDS * math.exp(bucket * _STEP)
        return None


@dataclass
class Stats:
    """Of one endpoint in one stage.

    ``counts`` are ``served``, ``shed``, ``failed`` and ``wrong``, which sum to ``requests``, and
    ``fast``, ``degraded`` and ``refused``, which are among the served; so are ``durations``.
    ``send_delays`` is how long after their time requests were sent, which durations contain.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    durations: Durations = field(default_factory=Durations)
    send_delays: Durations = field(default_factory=Durations)

    @property
    def requests(self) -> int:
        return sum(self.counts[kind] for kind in ("served", "shed", "failed", "wrong"))

    @property
    def served(self) -> int:
        return self.counts["served"]

    def add(self, verdict: Verdict, seconds: float, fast: bool, send_delay: float = 0.0) -> None:
        self.send_delays.add(send_delay)
        self.counts[verdict.kind] += 1
        if verdict.fault:
            self.faults[f"{verdict.kind}: {verdict.fault}"] += 1
        if verdict.kind == "served":
            self.durations.add(seconds)
            self.counts["fast"] += fast
            self.counts["degraded"] += verdict.degraded
            self.counts["refused"] += verdict.refused

    def merge(self, other: Stats) -> None:
        for name, counter in vars(other).items():
            getattr(self, name).update(counter)

    def document(self) -> dict[str, Any]:
        return {
            name: {str(key): count for key, count in sorted(counter.items())}
            for name, counter in vars(self).items()
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        durations = (
            Durations({int(bucket): count for bucket, count in document[name].items()})
            for name in ("durations", "send_delays")
        )
        return cls(Counter(document["counts"]), Counter(document["faults"]), *durations)


@dataclass
class RunStats:
    """Statistics by stage and endpoint, and what images took.

    ``images`` were made ahead in ``image_seconds``, ``images_late`` during the load.
    """

    stats: dict[tuple[int, str], Stats] = field(default_factory=dict)
    images: int = 0
    images_late: int = 0
    image_seconds: float = 0.0

    def at(self, stage: int, name: str) -> Stats:
        return self.stats.setdefault((stage, name), Stats())

    def over(self, stages: Iterable[int], names: Iterable[str] | None = None) -> Stats:
        """Return all that was counted in these stages, of these endpoints or of all."""
        stages, total = set(stages), Stats()
        chosen = None if names is None else set(names)
        for (stage, name), stats in self.stats.items():
            if stage in stages and (chosen is None or name in chosen):
                total.merge(stats)
        return total

    def merge(self, other: RunStats) -> None:
        for (stage, name), stats in other.stats.items():
            self.at(stage, name).merge(stats)
        self.images += other.images
        self.images_late += other.images_late
        self.image_seconds += other.image_seconds

    def document(self) -> dict[str, Any]:
        """Return it as plain data, which a worker sends and a report keeps."""
        rows = [
            {"stage": stage, "endpoint": name, **stats.document()}
            for (stage, name), stats in sorted(self.stats.items())
        ]
        return {**vars(self), "stats": rows}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        stats = {(row["stage"], row["endpoint"]): Stats.of(row) for row in document["stats"]}
        return cls(**{**document, "stats": stats})
