"""One model's figures, curves and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.dataset import Dataset
from models.evaluation import metrics
from models.evaluation.curves import Curves, curves
from models.evaluation.metrics import Confusion, Measured
from models.evaluation.scored import Scored


@dataclass(frozen=True)
class Outcomes:
    """What became of the images of one label; ``mean_probability`` is None of none."""

    images: int
    osteoporosis: int
    indeterminate: int
    normal: int
    mean_probability: float | None


@dataclass(frozen=True)
class Report:
    """``metrics``, ``curves`` and ``confusion`` are of normal against osteoporosis.

    ``threshold`` and ``band`` are the stored ones; decisions were made at those that held for each
    image (:class:`~models.evaluation.scored.Scored`). ``confusion`` leaves the band aside,
    ``classes`` (label → outcomes) respects it.
    """

    metrics: Measured
    threshold: float
    band: tuple[float, float]
    curves: Curves
    confusion: Confusion
    classes: Mapping[str, Outcomes]


def judge(scored: Scored, data: Dataset, resamples: int = metrics.RESAMPLES) -> Report:
    """Return the report on ``scored``, in the order of ``data``.

    Raises :class:`ValueError` when there is no case with a yes-or-no truth: osteopenia alone
    cannot be right or wrong.
    """
    judged = data.judged
    if len(scored.probability) != len(data) or not judged.any():
        raise ValueError(
            f"{len(scored.probability)} probabilities for {len(data)} images, of which "
            f"{int(judged.sum())} are normal or osteoporosis; one each and at least 1 are needed"
        )
    truth, called = data.osteoporosis[judged], scored.called[judged]
    probability = scored.probability[judged]
    groups = np.array(data.groups)[judged]
    return Report(
        metrics=metrics.measure(truth, probability, called, groups, resamples=resamples),
        threshold=scored.point.threshold,
        band=scored.point.band,
        curves=curves(truth, probability),
        confusion=Confusion.of(truth, called),
        classes=_classes(scored, data),
    )


def _classes(scored: Scored, data: Dataset) -> dict[str, Outcomes]:
    labels = np.array(data.labels)
    called, undecided = scored.called, scored.undecided
    return {
        label: Outcomes(
            images=count,
            osteoporosis=int((of & called & ~undecided).sum()),
            indeterminate=int((of & undecided).sum()),
            normal=int((of & ~called & ~undecided).sum()),
            mean_probability=float(scored.probability[of].mean()) if count else None,
        )
        for label, count in data.counts().items()
        for of in [labels == label]
    }
