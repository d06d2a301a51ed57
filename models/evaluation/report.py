"""One model's report: figures, curves and tables."""

from __future__ import annotations

import numpy as np

from models.dataset import Dataset
from models.evaluation import metrics
from models.evaluation.curves import curves
from models.evaluation.schema import Report
from models.evaluation.scored import Scored
from models.manifest import Outcomes


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
    truth, positive = data.osteoporosis[judged], scored.predicted_positive[judged]
    probability = scored.probability[judged]
    groups = np.array(data.groups)[judged]
    return Report(
        metrics=metrics.measure(truth, probability, positive, groups, resamples=resamples),
        threshold=scored.point.threshold,
        band=scored.point.band,
        curves=curves(truth, probability),
        confusion=metrics.confusion(truth, positive),
        classes=_classes(scored, data),
    )


def _classes(scored: Scored, data: Dataset) -> dict[str, Outcomes]:
    labels = np.array(data.labels)
    positive, abstained = scored.predicted_positive, scored.abstained
    return {
        label: Outcomes(
            images=count,
            osteoporosis=int((of & positive & ~abstained).sum()),
            indeterminate=int((of & abstained).sum()),
            normal=int((of & ~positive & ~abstained).sum()),
            mean_probability=float(scored.probability[of].mean()) if count else None,
        )
        for label, count in data.counts().items()
        for of in [labels == label]
    }
