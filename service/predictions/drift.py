"""Do images and scores still look as they did when the models were made?

The last images are kept as the bins they fall into, nothing else of them, and compared with the
reference by the population stability index (:mod:`models.drift.reference`). Each front looks at its
own; a front that starts has seen nothing, and says nothing until it has seen enough.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from models.artifact import ArtifactError
from models.drift import reference
from models.drift.reference import OUTCOMES, Reference, stability_index
from models.drift.statistics import Statistic
from service.predictions.metrics import PredictionMetrics
from service.predictions.schemas import Prediction
from service.predictions.settings import DriftSettings
from telemetry.journal import log

SCORE: Final = "score"
"""The statistic that says where scores fall: below, within or above the band."""


class Drift:
    def __init__(
        self, settings: DriftSettings, metrics: PredictionMetrics, reference: Reference | None
    ) -> None:
        """Without a ``reference`` images are counted, and compared with nothing."""
        self._metrics = metrics
        self._reference = reference
        self._windows: dict[str, Window] = {}
        if reference is not None:
            sides = [(name, bins.counts) for name, bins in reference.images.items()]
            for name, counts in (*sides, (SCORE, reference.outcomes)):
                self._windows[name] = Window(counts, settings.drift_images)
                metrics.drift(name, 0, None)
        self._enough = min(settings.drift_enough, settings.drift_images)

    def image(self, statistics: Mapping[Statistic, float]) -> None:
        """Take note of an image that was accepted."""
        self._metrics.image(statistics)
        for name, value in statistics.items():
            if self._reference is not None and name in self._reference.images:
                self._note(name, self._reference.images[name].place(value))

    def prediction(self, prediction: Prediction) -> None:
        """Take note of a score, if it is of the very model that the reference knows."""
        if (
            self._reference is not None
            and prediction.outcome in OUTCOMES
            and not prediction.degraded
            and prediction.version == self._reference.stack
        ):
            self._note(SCORE, OUTCOMES.index(prediction.outcome))

    def _note(self, statistic: str, place: int) -> None:
        window = self._windows[statistic]
        window.add(place)
        images = len(window)
        index = window.index if images >= self._enough else None
        self._metrics.drift(statistic, images, index)


class Window:
    """The bins of the last ``length`` images, beside those of a reference."""

    def __init__(self, expected: Sequence[int], length: int) -> None:
        self._expected = expected
        self._counts = [0] * len(expected)
        self._places: deque[int] = deque()
        self._length = length

    def __len__(self) -> int:
        return len(self._places)

    @property
    def index(self) -> float:
        return stability_index(self._expected, self._counts)

    def add(self, place: int) -> None:
        self._places.append(place)
        self._counts[place] += 1
        if len(self._places) > self._length:
            self._counts[self._places.popleft()] -= 1


def served_reference() -> Reference | None:
    """Return what there is to compare with; None, and a line in the log, where nothing is."""
    try:
        found = reference.served()
    except ArtifactError:
        log(logging.WARNING, "no drift reference", why="the stack's artefact is not to be had")
        return None
    if not found.images:
        log(logging.WARNING, "no drift reference", why="none of this stack's images is served")
    return found
