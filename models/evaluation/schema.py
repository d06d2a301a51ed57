"""What ``evaluation.json`` says; without scikit-learn, since the front reads it too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from models.inference.stack import key
from models.manifest import FINITE, DataFacts, Estimate, Outcomes
from models.types import BASES

FORMAT: Final = 1
FILE: Final = "evaluation.json"

Source = Literal["cross-validation", "held-out", "training"]
"""``training``: the models had seen these very images, and the figures only show that they remember
them. No artefact is written from such an evaluation."""

Metrics = Mapping[str, Estimate]
"""By the metric's name."""

WITHOUT_INTERVAL: Final = frozenset({"ece"})
"""Metrics of which a resample's value is no guess at the whole's: bins of a resample, in which some
images stand twice, are always further from the diagonal, so that an interval lies above its figure.
Evaluations of older versions have one, which is not shown."""

Values = tuple[float, ...]


@dataclass(frozen=True, config=FINITE)
class Confusion:
    """At the threshold, the band left aside."""

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int


@dataclass(frozen=True, config=FINITE)
class Roc:
    false_positive_rate: Values
    true_positive_rate: Values


@dataclass(frozen=True, config=FINITE)
class PrecisionRecall:
    recall: Values
    precision: Values


@dataclass(frozen=True, config=FINITE)
class Reliability:
    """Mean predicted and observed share of ``count`` images, in bins of equal count."""

    predicted: Values
    observed: Values
    count: tuple[int, ...]


@dataclass(frozen=True, config=FINITE)
class Curves:
    """The points that the plots draw; ``roc`` and ``precision_recall`` are empty where only one
    side of the truth was seen."""

    roc: Roc
    precision_recall: PrecisionRecall
    reliability: Reliability


@dataclass(frozen=True, config=FINITE)
class Report:
    """One model, or one subset of the stack, on the data of the evaluation.

    ``metrics``, ``curves`` and ``confusion`` are of normal against osteoporosis.

    ``threshold`` and ``band`` are the stored ones; decisions were made at those that held for each
    image (:class:`~models.evaluation.scored.Scored`). ``confusion`` leaves the band aside,
    ``classes`` (true label → outcomes) respects it.
    """

    metrics: Metrics
    threshold: float
    band: tuple[float, float]
    curves: Curves
    confusion: Confusion
    classes: Mapping[str, Outcomes]


@dataclass(frozen=True, config=FINITE)
class Subgroup:
    """``images`` are those with a binary label; ``metrics`` null when too few."""

    field: str
    value: str
    images: int
    osteoporosis: int
    metrics: Metrics | None


@dataclass(frozen=True, config=FINITE)
class Leak:
    """What a random split after augmentation gives, and the same model split by group first."""

    auroc: float
    accuracy: float
    grouped_auroc: float
    grouped_accuracy: float
    description: str


@dataclass(frozen=True, config=FINITE)
class Claim:
    """A published figure that ours stand beside, and cannot be compared with; ``key`` names the
    model of ours."""

    model: str
    key: str
    accuracy: float
    source: str


@dataclass(frozen=True, config=FINITE)
class Evaluation:
    """``models``: the base models, then the stack's subsets of two or more, the whole one first.

    ``alone``: what the stack answers when only that base model is left; its names are the base
    models', so it has a place of its own. ``subgroups`` are of the whole stack.
    """

    source: Source
    data: DataFacts
    models: Mapping[str, Report]
    alone: Mapping[str, Report]
    subgroups: tuple[Subgroup, ...]
    leak: Leak | None
    published: tuple[Claim, ...]

    @property
    def stack(self) -> Report:
        """The report on the stack with every base model present."""
        return self.models[key(BASES)]

    def to_bytes(self) -> bytes:
        """Return the JSON; the same evaluation gives the same bytes."""
        content = {"format": FORMAT, **asdict(self)}
        return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Evaluation:
        """Raises :class:`ValueError` when ``data`` is no evaluation of this format."""
        content = json.loads(data)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"no evaluation of format {FORMAT}: see format")
        try:
            return _ADAPTER.validate_python(content)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise ValueError(f"no evaluation of format {FORMAT}: see {where}") from error


_ADAPTER: Final = TypeAdapter(Evaluation)
