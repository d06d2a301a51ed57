"""What a GPU would compute in, on a CPU: slower there, and the same arithmetic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from models import dataset
from models.dataset import Dataset
from models.training import ensemble, precision
from models.training.cnn import CNNTrainer
from models.training.runlog import RunLog
from models.training.trainer import Fitted

SETTINGS = replace(ensemble.QUICK.cnn, phantoms=0)


class Watched(RunLog):
    """Keeps what trains, to look at its optimizer."""

    def __init__(self) -> None:
        super().__init__(None)
        self.callbacks: list[Any] = []

    def epochs(self, model: str, part: str) -> Any:
        self.callbacks.append(super().epochs(model, part))
        return self.callbacks[-1]


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return dataset.phantoms(12, 8)


def trained(data: Dataset, choice: precision.Choice, log: RunLog | None = None) -> Fitted:
    trainer = CNNTrainer(data, replace(SETTINGS, precision=choice), 20, log or RunLog(None))
    return trainer.fit(np.arange(12), 20, "fold-0")


@pytest.mark.parametrize("choice", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_trains_nearly_the_same_network(
    drawn: Dataset, choice: precision.Choice
) -> None:
    half, full = trained(drawn, choice).network, trained(drawn, "float32").network

    weights = half.get_weights()
    assert all(weight.dtype == np.float32 and np.isfinite(weight).all() for weight in weights)
    assert half.dtype_policy.name == "float32"
    far = [abs(a - b).max() for a, b in zip(weights, full.get_weights(), strict=True)]
    assert 0 < max(far) < 0.1


def test_the_loss_is_scaled_where_gradients_could_vanish(drawn: Dataset) -> None:
    for choice, scaled in (("mixed_float16", True), ("mixed_bfloat16", False), ("float32", False)):
        log = Watched()
        trained(drawn, choice, log)
        (callback,) = log.callbacks
        optimizer = callback.model.optimizer
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) is scaled, choice


@pytest.mark.parametrize(
    ("gpu", "choice", "policy"),
    [
        (True, "auto", "mixed_bfloat16"),
        (False, "auto", "float32"),
        (True, "float32", "float32"),
        (False, "mixed_float16", "mixed_float16"),
    ],
)
def test_what_is_asked_for_is_kept_to_and_auto_asks_the_machine(
    gpu: bool, choice: precision.Choice, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "on_gpu", lambda: gpu)

    assert precision.resolve(choice) == policy
