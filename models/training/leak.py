"""What a random split after augmentation would claim on our own data: measured, not guessed.

The model is our cheapest real one, residual features under a random forest. Each image is
multiplied by :class:`~models.training.augmentation.Augmentation`, and only then are the copies
dealt out to folds at random, so that copies of one image stand on both sides. Beside it stands the
same model on the same copies with whole groups dealt out, which is the honest figure.

A deep network trained through can remember more of an image than these features hold: what leaked
into published figures may be more than what leaks here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from models import networks
from models.dataset import Dataset, DatasetError
from models.evaluation.schema import Leak
from models.training import forest, resnet
from models.training.augmentation import Augmentation
from models.training.export.conversion import compile_network

COPIES: Final = 10
"""Of each image, itself and nine altered ones. The more there are, the more leaks: on the 74 public
scans AUROC 0.89, 0.90 and 0.94 with 3, 5 and 10, where the grouped split gives 0.78 with 10."""

FOLDS: Final = 5
BATCH: Final = 16
EVEN: Final = 0.5
"""Where the published accuracies cut."""

Features = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Canonical images (n, 224, 224) uint8 → (n, channels)."""


def measure(data: Dataset, features: Features, seed: int) -> Leak:
    """Return what the leaky and what the grouped split give; the same seed gives the same figures.

    Only images with a yes-or-no truth take part. Raises
    :class:`~models.dataset.DatasetError` when there are too few groups of either label.
    """
    judged = data.select(np.flatnonzero(data.judged))
    count = _folds(judged)
    rng = np.random.default_rng(seed)
    augmentation = Augmentation()
    copies = np.stack(
        [
            copy
            for image in judged.images
            for copy in (image, *(augmentation.apply(image, rng) for _ in range(COPIES - 1)))
        ]
    )
    x = np.concatenate(
        [features(copies[start : start + BATCH]) for start in range(0, len(copies), BATCH)]
    )
    truth = np.repeat(judged.osteoporosis, COPIES)
    groups = np.repeat(np.array(judged.groups), COPIES)
    mixed = StratifiedKFold(count, shuffle=True, random_state=seed).split(x, truth)
    apart = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(x, truth, groups)
    leaky = _score(x, truth, list(mixed), seed)
    honest = _score(x, truth, list(apart), seed)
    return Leak(
        auroc=float(roc_auc_score(truth, leaky)),
        accuracy=float(accuracy_score(truth, leaky >= EVEN)),
        grouped_auroc=float(roc_auc_score(truth, honest)),
        grouped_accuracy=float(accuracy_score(truth, honest >= EVEN)),
        description=(
            f"{len(judged)} images of normal and osteoporosis, each with {COPIES - 1} altered "
            f"copies, residual features under a random forest, {count} folds, seed {seed}. Dealt "
            "out at random after augmentation, copies of one image stand on both sides; dealt out "
            "by group, the same model on the same copies gives the figures called grouped."
        ),
    )


def residual_features(settings: resnet.Settings) -> Features:
    """Return the frozen network that the residual model uses, ready to run; no label shaped it."""
    network = networks.build(settings.network)
    resnet.initialise(network, settings)
    run = compile_network(network)
    return lambda images: np.asarray(run(images)[0])


def _folds(judged: Dataset) -> int:
    """Return how many folds each label has groups for, at most :data:`FOLDS`."""
    groups = {
        label: len({g for g, of in zip(judged.groups, judged.labels, strict=True) if of == label})
        for label in ("normal", "osteoporosis")
    }
    label, fewest = min(groups.items(), key=lambda item: item[1])
    if fewest < 2:
        raise DatasetError(f"{label} has {fewest} groups; at least 2 are needed to split")
    return min(FOLDS, fewest)


def _score(
    x: NDArray[np.float32],
    truth: NDArray[np.bool_],
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    seed: int,
) -> NDArray[np.float64]:
    scores = np.full(len(x), np.nan)
    severity = truth.astype(np.float32)
    for on, held_out in folds:
        scores[held_out] = forest.fit(x[on], severity[on], seed).severity(x[held_out])
    return scores
