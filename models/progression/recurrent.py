"""A recurrent network over the visits, which corrects what the mixed model expects (numpy).

A gated recurrent unit (Cho 2014; Keras' form with ``reset_after``) reads the visits; of its state
and of what is asked, a hidden layer says by how many of the mixed model's standard deviations the
mean is moved, and the logarithm of what they are multiplied with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.progression import series as rows
from models.progression import treatment
from models.progression.mixed import Mixed
from models.progression.series import Floats, Series
from models.progression.visit import CLASSES

NAMES: Final = (
    "gru/kernel", "gru/recurrent", "gru/bias", "hidden/kernel", "hidden/bias", "out/kernel",
    "out/bias",
)  # fmt: skip
STEP: Final = 6 + 2 * len(CLASSES)
ASKED: Final = 6 + 2 * len(CLASSES)
FURTHEST: Final = 2.0
"""Standard deviations by which a mean is moved at most."""


@dataclass(frozen=True)
class Recurrent:
    """The network's weights by name."""

    weights: Mapping[str, NDArray[np.float32]]

    def correct(
        self, mixed: Mixed, series: Series, years: Floats, mean: Floats, spread: Floats
    ) -> tuple[Floats, Floats]:
        """Return mean and standard deviation at ``years``, from those of the mixed model."""
        state = self._read(steps(mixed, series))
        asked = questions(mixed, series, years, mean, spread)
        both = np.concatenate([np.tile(state, (len(years), 1)), asked], axis=1)
        w = self.weights
        hidden = np.tanh(both @ w["hidden/kernel"] + w["hidden/bias"])
        out = hidden @ w["out/kernel"] + w["out/bias"]
        return (
            mean + FURTHEST * np.tanh(out[:, 0]) * spread,
            spread * np.exp(np.tanh(out[:, 1])),
        )

    def _read(self, visits: Floats) -> Floats:
        w = self.weights
        kernel, recurrent = w["gru/kernel"], w["gru/recurrent"]
        units = len(recurrent)
        state = np.zeros(units)
        inner_bias, outer_bias = w["gru/bias"]
        for visit in visits:
            given = visit @ kernel + inner_bias
            kept = state @ recurrent + outer_bias
            update = _sigmoid(given[:units] + kept[:units])
            reset = _sigmoid(given[units : 2 * units] + kept[units : 2 * units])
            candidate = np.tanh(given[2 * units :] + reset * kept[2 * units :])
            state = update * state + (1 - update) * candidate
        return state


def _sigmoid(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-value)))


def steps(mixed: Mixed, series: Series) -> Floats:
    """Return what the network reads of each visit, ``STEP`` numbers."""
    expected = mixed.expected(rows.seen(series))
    off = series.logs - expected
    found = np.zeros((len(series.times), STEP))
    found[:, 0] = 20 * (series.logs - series.logs[-1])
    found[:, 1] = 20 * (off - off[-1])
    found[:, 2] = np.diff(series.times, prepend=0.0) / 2
    found[:, 3] = (series.age + series.times - 60) / 15
    found[:, 4] = series.kilograms / 5
    found[:, 5] = 50 * np.sqrt(series.noise)
    found[:, 6:] = _taken(series.taken, series.times)
    return found


def questions(mixed: Mixed, series: Series, years: Floats, mean: Floats, spread: Floats) -> Floats:
    """Return what is asked of each of ``years``, ``ASKED`` numbers."""
    drugs = mixed.drugs(rows.ahead(series, years))
    found = np.zeros((len(years), ASKED))
    found[:, 0] = years / 5
    found[:, 1] = 10 * (mean - series.logs[-1])
    found[:, 2] = 20 * spread
    found[:, 3] = (series.age + series.times[-1] + years - 60) / 15
    found[:, 4] = 1.0 if series.sex == "male" else 0.0
    found[:, 5] = 10 * drugs
    found[:, 6:] = _taken(series.plan, series.times[-1] + years)
    return found


def _taken(taken: tuple[treatment.Course, ...], times: Floats) -> Floats:
    """Return, of each class, the fast gain and the loss after it."""
    exposed = treatment.exposure(taken, times)
    return np.concatenate([exposed[:, 0::3], exposed[:, 2::3]], axis=1)
