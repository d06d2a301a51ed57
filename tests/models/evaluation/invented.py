"""Cases and scores drawn by a seed: numbers without images behind them."""

from __future__ import annotations

import numpy as np

from models.dataset import Dataset
from models.evaluation.evaluation import evaluate
from models.evaluation.schema import Evaluation
from models.evaluation.scored import Scored
from models.inference import stack
from models.inference.calibration import OperatingPoint, sigmoid
from models.manifest import DataFacts
from models.types import BASES, Label

COUNTS: dict[Label, int] = {"normal": 30, "osteopenia": 12, "osteoporosis": 30}
POINT = OperatingPoint(0.4, (0.3, 0.5))
RESAMPLES = 20


def dataset(attributes: dict[str, tuple[str, ...]] | None = None) -> Dataset:
    labels = tuple(label for label, count in COUNTS.items() for _ in range(count))
    names = tuple(f"{i}.png" for i in range(len(labels)))
    groups = tuple(f"{label}-{i // 3}" for i, label in enumerate(labels))
    images = np.zeros((len(labels), 1, 1), np.uint8)
    return Dataset(images, labels, groups, names, names, attributes or {})


def scored(data: Dataset, seed: int, noise: float = 2.0) -> Scored:
    rng = np.random.default_rng(seed)
    return Scored.served(sigmoid(4 * data.severity - 2 + rng.normal(0, noise, len(data))), POINT)


def evaluated(attributes: dict[str, tuple[str, ...]] | None = None) -> Evaluation:
    data = dataset(attributes)
    return evaluate(
        {str(name): scored(data, i) for i, name in enumerate(BASES)},
        {stack.key(names): scored(data, 10 + i, 1.5) for i, names in enumerate(stack.subsets())},
        data,
        DataFacts("Invented numbers.", data.digest, data.counts(), len(set(data.groups)), 5, 20),
        "cross-validation",
        resamples=RESAMPLES,
    )
