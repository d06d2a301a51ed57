"""What manifests say, a class a kind of artefact; read and written through these.

A manifest may say more than its class knows, for its card; a field that is missing or wrong is an
:class:`~models.artifact.ArtifactError` where the artefact is opened and where it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.dataclasses import dataclass

from models.inference.calibration import Calibration

FINITE: Final = ConfigDict(allow_inf_nan=False)


@dataclass(frozen=True, config=FINITE)
class Estimate:
    """A figure with its 95 % interval, from a bootstrap by group; null where undefined."""

    value: float | None
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.value is None:
            return "undefined"
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (interval undefined)"
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True, config=FINITE)
class Outcomes:
    """What became of the images of one label; ``mean_probability`` is null of none."""

    images: int
    osteoporosis: int
    indeterminate: int
    normal: int
    mean_probability: float | None


@dataclass(frozen=True, config=FINITE)
class DataFacts:
    """What was scored. ``folds`` and ``seed`` are of a cross-validation.

    ``counts`` and ``groups`` are of the images that got a probability. The gate refused
    ``refused_images`` more, for reasons counted in ``refused``: an image may have several.
    """

    provenance: str
    digest: str
    counts: Mapping[str, int]
    groups: int
    folds: int | None = None
    seed: int | None = None
    refused_images: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Manifest(_Facts):
    """What every manifest says."""

    model: str
    recipe: str
    files: Mapping[str, str]
    origin: str | None = None
    metrics: Mapping[str, Estimate] = {}


class RuntimeFacts(_Facts):
    """How far a runtime was from Keras where it was exported; ``offset`` is added to its logits."""

    max_difference: float
    offset: float = 0.0


class Measurements(_Facts):
    """The logistic regression over what is measured of the bone (:mod:`models.inference.bone`)."""

    names: tuple[str, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float


class NetworkManifest(Manifest):
    """A network and the runtimes on which it may be served."""

    network: Mapping[str, Any]
    runtimes: Mapping[str, RuntimeFacts]
    measurements: Measurements | None = None


class Reported(_Facts):
    """What is said of a model's quality, by the true label in ``classes``."""

    metrics: Mapping[str, Estimate]
    threshold: float
    band: tuple[float, float]
    classes: Mapping[str, Outcomes]


class BaseManifest(Reported, NetworkManifest):
    """A base model."""

    calibration: Calibration
    data: DataFacts


class Subset(Reported):
    """The stack's regression for one subset of the base models."""

    weights: Mapping[str, float]
    intercept: float


class StackManifest(Reported, Manifest):
    """The stack: ``bases`` are the versions it was fitted with."""

    bases: Mapping[str, str]
    subsets: Mapping[str, Subset]
    data: DataFacts


class GateLimits(_Facts):
    """Scores from which on a fault is a finding, and from which on it refuses (None: never)."""

    warn: float
    refuse: float | None


class GateManifest(Manifest):
    """The gate: thresholds by the reason's code."""

    limits: Mapping[str, GateLimits]


class Bins(_Facts):
    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Digest(_Facts):
    digest: str


class ReferenceManifest(Manifest):
    """Reference statistics: how the training images looked."""

    data: Digest
    statistics: Mapping[str, Bins]


class MixedFacts(_Facts):
    """Parameters of the linear mixed model (:mod:`models.progression.mixed`)."""

    effects: tuple[float, ...]
    slope: float
    response: float
    walk: float
    extra: float


class Cohort(_Facts):
    """Patients who were learnt from or judged; ``seed`` where they were simulated."""

    digest: str
    patients: int
    seed: int | None = None


class ProgressionManifest(Manifest):
    """How BMD goes on: ``chosen`` is what is served, ``widening`` by model what makes it cover."""

    chosen: Literal["mixed", "recurrent"]
    mixed: MixedFacts
    widening: Mapping[str, float]
    provenance: str
    simulated: bool
    cohorts: Mapping[str, Cohort]
    judged: int
