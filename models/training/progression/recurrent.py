"""Training the recurrent network on what the mixed model leaves open (Keras)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from models.cohort.cases import Case
from models.progression import recurrent
from models.progression.mixed import Mixed
from models.progression.recurrent import ASKED, FURTHEST, STEP, Recurrent
from models.progression.series import Floats
from models.training.repeatable import compute_in_one_order

UNITS: Final = 24
HIDDEN: Final = 32
EPOCHS: Final = 14
BATCH: Final = 256
RATE: Final = 3e-3


@dataclass(frozen=True)
class _Table:
    visits: Floats
    asked: Floats
    given: Floats
    """The mixed model's mean and standard deviation, and the standard deviation of measuring."""
    logs: Floats


def fit(mixed: Mixed, cases: Sequence[Case], seed: int) -> Recurrent:
    """Return the network after training; the same seed and processor give the same weights."""
    compute_in_one_order()
    keras.utils.set_random_seed(seed)
    table = _table(mixed, cases)
    network = _network(table.visits.shape[1])
    steps = EPOCHS * -(-len(cases) // BATCH)
    network.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)),
        loss=_surprise,
    )
    given = {"visits": table.visits, "asked": table.asked, "given": table.given}
    network.fit(given, table.logs, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return Recurrent(_weights(network))


def _table(mixed: Mixed, cases: Sequence[Case]) -> _Table:
    most = max(len(case.series.times) for case in cases)
    visits = np.zeros((len(cases), most, STEP))
    asked, given = np.zeros((len(cases), ASKED)), np.zeros((len(cases), 3))
    for number, case in enumerate(cases):
        years = np.array([case.years])
        mean, covariance = mixed.predict(case.series, years)
        spread = np.sqrt(np.diag(covariance))
        read = recurrent.steps(mixed, case.series)
        visits[number, most - len(read) :] = read
        asked[number] = recurrent.questions(mixed, case.series, years, mean, spread)[0]
        given[number] = mean[0], spread[0], case.series.precision / np.exp(mean[0])
    logs = np.log([case.bmd for case in cases])
    return _Table(visits, asked, given, logs[:, None])


def _network(most: int) -> Any:
    visits = keras.Input((most, STEP), name="visits")
    asked = keras.Input((ASKED,), name="asked")
    given = keras.Input((3,), name="given")
    state = layers.GRU(UNITS, name="gru")(layers.Masking()(visits))
    hidden = layers.Dense(HIDDEN, "tanh", name="hidden")(layers.Concatenate()([state, asked]))
    # Nought at first: training begins with what the mixed model says.
    out = layers.Dense(2, kernel_initializer="zeros", name="out")(hidden)
    mean = given[:, 0] + FURTHEST * ops.tanh(out[:, 0]) * given[:, 1]
    spread = given[:, 1] * ops.exp(ops.tanh(out[:, 1]))
    variance = spread**2 + given[:, 2] ** 2
    return keras.Model([visits, asked, given], ops.stack([mean, variance], axis=1))


def _surprise(true: Any, told: Any) -> Any:
    """Return the loss: the negative log likelihood of a normal distribution."""
    mean, variance = told[:, 0], told[:, 1]
    return 0.5 * ((true[:, 0] - mean) ** 2 / variance + ops.log(variance))


def _weights(network: Any) -> dict[str, NDArray[np.float32]]:
    found = {}
    for layer, names in {"gru": ("kernel", "recurrent", "bias"), "hidden": ("kernel", "bias"),
                         "out": ("kernel", "bias")}.items():  # fmt: skip
        for name, value in zip(names, network.get_layer(layer).get_weights(), strict=True):
            found[f"{layer}/{name}"] = np.asarray(value, np.float32)
    return found
