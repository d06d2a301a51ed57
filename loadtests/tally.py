"""What is counted of a run, in each process, and put together from all of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from loadtests.answers import Verdict

_STEP: Final = math.log(1.02)
_LEAST_SECONDS: Final = 0.0005


@dataclass
class Durations:
    """Seconds in buckets that are 2 % wide, so that a quantile is right to within one."""

    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        self.buckets[max(0, math.ceil(math.log(max(seconds, 1e-9) / _LEAST_SECONDS) / _STEP))] += 1

    def quantile(self, share: float) -> float | None:
        """Return seconds that at least ``share`` of them do not exceed; None without any."""
        left = math.ceil(share * self.buckets.total())
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return _LEAST_SECONDS * math.exp(bucket * _STEP)
        return None

    def document(self) -> dict[str, int]:
        return {str(bucket): count for bucket, count in sorted(self.buckets.items())}

    @classmethod
    def of(cls, document: Mapping[str, int]) -> Self:
        return cls(Counter({int(bucket): count for bucket, count in document.items()}))


@dataclass
class Count:
    """Of one endpoint in one stage.

    ``requests`` is the sum of ``served``, ``shed``, ``failed`` and ``wrong``. ``fast``,
    ``degraded`` and ``refused`` are among the served, and so are ``durations``. ``lateness`` is how
    long after their time requests were sent, which durations contain.
    """

    served: int = 0
    shed: int = 0
    failed: int = 0
    wrong: int = 0
    fast: int = 0
    degraded: int = 0
    refused: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    durations: Durations = field(default_factory=Durations)
    lateness: Durations = field(default_factory=Durations)

    @property
    def requests(self) -> int:
        return self.served + self.shed + self.failed + self.wrong

    def add(self, verdict: Verdict, seconds: float, fast: bool, late: float = 0.0) -> None:
        self.lateness.add(late)
        setattr(self, verdict.kind, getattr(self, verdict.kind) + 1)
        if verdict.fault:
            self.faults[f"{verdict.kind}: {verdict.fault}"] += 1
        if verdict.kind == "served":
            self.fast += fast
            self.degraded += verdict.degraded
            self.refused += verdict.refused
            self.durations.add(seconds)

    def merge(self, other: Count) -> None:
        for name in ("served", "shed", "failed", "wrong", "fast", "degraded", "refused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults.update(other.faults)
        self.durations.buckets.update(other.durations.buckets)
        self.lateness.buckets.update(other.lateness.buckets)

    def document(self) -> dict[str, Any]:
        return {
            **{
                name: getattr(self, name)
                for name in ("served", "shed", "failed", "wrong", "fast", "degraded", "refused")
            },
            "faults": dict(self.faults),
            "durations": self.durations.document(),
            "lateness": self.lateness.document(),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        apart = ("faults", "durations", "lateness")
        return cls(
            **{key: value for key, value in document.items() if key not in apart},
            faults=Counter(document["faults"]),
            durations=Durations.of(document["durations"]),
            lateness=Durations.of(document["lateness"]),
        )


@dataclass
class Tally:
    """Counts by stage and endpoint, and what images took.

    ``images``, ``images_late`` and ``image_seconds``: made ahead, made during the load for want of
    those, and what making them ahead took.
    """

    counts: dict[tuple[int, str], Count] = field(default_factory=dict)
    images: int = 0
    images_late: int = 0
    image_seconds: float = 0.0

    def count(self, stage: int, name: str) -> Count:
        return self.counts.setdefault((stage, name), Count())

    def over(self, stages: Iterable[int], names: Iterable[str] | None = None) -> Count:
        """Return all that was counted in these stages, of these endpoints or of all."""
        stages, total = set(stages), Count()
        chosen = None if names is None else set(names)
        for (stage, name), count in self.counts.items():
            if stage in stages and (chosen is None or name in chosen):
                total.merge(count)
        return total

    def merge(self, other: Tally) -> None:
        for (stage, name), count in other.counts.items():
            self.count(stage, name).merge(count)
        self.images += other.images
        self.images_late += other.images_late
        self.image_seconds += other.image_seconds

    def document(self) -> dict[str, Any]:
        """Return it as plain data, which a worker sends and a report keeps."""
        return {
            "counts": [
                {"stage": stage, "endpoint": name, **count.document()}
                for (stage, name), count in sorted(self.counts.items())
            ],
            "images": self.images,
            "images_late": self.images_late,
            "image_seconds": self.image_seconds,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        counts = {}
        for row in document["counts"]:
            rest = {key: row[key] for key in row if key not in ("stage", "endpoint")}
            counts[row["stage"], row["endpoint"]] = Count.of(rest)
        return cls(
            counts=counts,
            images=document["images"],
            images_late=document["images_late"],
            image_seconds=document["image_seconds"],
        )
