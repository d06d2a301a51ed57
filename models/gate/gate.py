"""One score a fault, two thresholds a score: what speaks against judging an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from models.artifact import Artifact, ArtifactError
from models.gate import appearance, measurement, spine
from models.gate.reason import Reason
from models.image.recipe import Canonical
from models.manifest import GateManifest

WEIGHTS_FILE: Final = "gate.safetensors"
LIMIT: Final = 4.0
"""Spreads beyond which a measurement counts no more: a line must not run on for ever."""

SEEN: Final = (Reason.NOT_SPINE_DXA, Reason.UPSIDE_DOWN, Reason.SCAN_AREA)
"""Judged by what the image looks like from afar, in the order of their weights."""

MEASURED: Final = tuple(measurement.DETECTED_BY)
"""Judged by a few measurements, in the order of their weights."""

ANY_IMAGE: Final = frozenset({Reason.NOT_SPINE_DXA, Reason.BURNED_IN_SHEET, Reason.OFF_CENTRE})
"""Asked of any image; the rest only where these say that there is a spine to look at."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Limits:
    """Scores from which on a fault is a finding, and from which on it refuses (None: never)."""

    warn: float
    refuse: float | None


@dataclass(frozen=True)
class Verdict:
    """``reasons`` refuse the image; ``findings`` are suspicions that do not."""

    reasons: tuple[Reason, ...]
    findings: tuple[Reason, ...]


@dataclass(frozen=True, eq=False)
class Lines:
    """The linear scores: ``seen`` (3, 1764) and ``measured`` (4, measurements) with an intercept
    each; measurements are centred, divided by ``spread`` and cut at :data:`LIMIT` before.
    """

    seen: Floats
    seen_intercepts: Floats
    measured: Floats
    measured_intercepts: Floats
    centre: Floats
    spread: Floats

    def scores(self, seen: Floats, measured: Floats) -> dict[Reason, Floats]:
        """Return the log-odds of each fault for (…, 1764) and (…, measurements)."""
        scaled = np.clip((measured - self.centre) / self.spread, -LIMIT, LIMIT)
        by_sight = seen @ self.seen.T + self.seen_intercepts
        by_measure = scaled @ self.measured.T + self.measured_intercepts
        both = np.concatenate([by_sight, by_measure], axis=-1)
        return {fault: both[..., n] for n, fault in enumerate((*SEEN, *MEASURED))}

    def other_than_spine(self, seen: Floats) -> Floats:
        """Return the log-odds of :attr:`Reason.NOT_SPINE_DXA` for (…, 1764)."""
        place = SEEN.index(Reason.NOT_SPINE_DXA)
        return np.asarray(seen @ self.seen[place] + self.seen_intercepts[place])

    def encode(self) -> bytes:
        return save({**vars(self), "names": _joined(measurement.NAMES)})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises :class:`ArtifactError` where other measurements were weighed than are taken."""
        tensors = load(data)
        names = tensors.pop("names", None)
        if names is None or not np.array_equal(names, _joined(measurement.NAMES)):
            raise ArtifactError("the gate was trained on other measurements than this code takes")
        return cls(**tensors)


def _joined(names: tuple[str, ...]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(names).encode(), np.uint8)


@dataclass(frozen=True, eq=False)
class Gate:
    lines: Lines
    limits: Mapping[Reason, Limits]

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Gate:
        lines = Lines.decode(artifact.path(WEIGHTS_FILE).read_bytes())
        stored = artifact.facts(GateManifest).limits
        return cls(
            lines, {Reason(code): Limits(one.warn, one.refuse) for code, one in stored.items()}
        )

    def scores(self, canonical: Canonical) -> dict[Reason, float]:
        """Return the log-odds of each fault that can be seen in ``canonical``."""
        found = self.lines.scores(appearance.features(canonical), measurement.vector(canonical))
        return {fault: float(score) for fault, score in found.items()}

    def judge(self, canonical: Canonical) -> Verdict:
        """Return what speaks against ``canonical``, the graver first."""
        return verdict(self.scores(canonical), self.limits, lambda: self._centred(canonical))

    def _centred(self, canonical: Canonical) -> float:
        return float(self.lines.other_than_spine(appearance.features(spine.centred(canonical))))


def verdict(
    scores: Mapping[Reason, float],
    limits: Mapping[Reason, Limits],
    centred: Callable[[], float],
) -> Verdict:
    """Return which of ``scores`` reach their limits.

    Of what is no spine only that is said: metal or movement would be read into anything. A bright
    band at the side is a spine off centre only if, moved to the middle, it looks like one:
    ``centred`` returns the score of :attr:`Reason.NOT_SPINE_DXA` then, and is asked when needed.
    """

    def refuse(fault: Reason) -> bool:
        limit = limits[fault].refuse
        return limit is not None and scores[fault] >= limit

    reasons = tuple(f for f in Reason if f in ANY_IMAGE and f in scores and refuse(f))
    if Reason.NOT_SPINE_DXA in reasons and Reason.OFF_CENTRE in reasons:
        limit = limits[Reason.NOT_SPINE_DXA].refuse
        if limit is not None and centred() >= limit:
            reasons = tuple(fault for fault in reasons if fault is not Reason.OFF_CENTRE)
    if reasons:
        return Verdict(reasons, ())
    reasons = tuple(fault for fault in Reason if fault in scores and refuse(fault))
    findings = tuple(
        fault
        for fault in Reason
        if fault in scores and fault not in reasons and scores[fault] >= limits[fault].warn
    )
    return Verdict(reasons, findings)
