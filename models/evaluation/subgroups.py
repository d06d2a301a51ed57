"""The same figures for one part of the cases, where the data says who belongs to it.

A cell of few images would give figures that are noise, and could point at a person: it keeps its
counts and gets no figures.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from models.dataset import Dataset
from models.evaluation import metrics
from models.evaluation.schema import Subgroup
from models.evaluation.scored import Scored

LEAST_IMAGES: Final = 20
LEAST_OF_EACH: Final = 5
"""Images of normal and of osteoporosis, each, that a cell must have to get figures."""

MOST_VALUES: Final = 12
"""A field of more values is no grouping (an exact age, say) and gives no cells."""


def subgroups(
    scored: Scored, data: Dataset, resamples: int = metrics.RESAMPLES
) -> tuple[Subgroup, ...]:
    """Return a cell for each value of each attribute, in order of name."""
    found = []
    for field, values in sorted(data.attributes.items()):
        known = sorted(set(values) - {""})
        if len(known) <= MOST_VALUES:
            found += [_cell(field, value, scored, data, resamples) for value in known]
    return tuple(found)


def _cell(field: str, value: str, scored: Scored, data: Dataset, resamples: int) -> Subgroup:
    within = data.judged & (np.array(data.attributes[field]) == value)
    truth = data.osteoporosis[within]
    images, positives = len(truth), int(truth.sum())
    enough = images >= LEAST_IMAGES and min(positives, images - positives) >= LEAST_OF_EACH
    measured = (
        metrics.measure(
            truth,
            scored.probability[within],
            scored.predicted_positive[within],
            np.array(data.groups)[within],
            resamples=resamples,
        )
        if enough
        else None
    )
    return Subgroup(field, value, images, positives, measured)
