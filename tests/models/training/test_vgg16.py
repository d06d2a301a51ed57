"""The head that bfloat16 cannot turn."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from models import dataset
from models.dataset import Dataset
from models.runtime import supported
from models.training import ensemble, precision
from models.training.export.conversion import compile_network
from models.training.runlog import RunLog
from models.training.vgg16 import VGG16Trainer


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return dataset.phantoms(30, 6)


def moved(data: Dataset, rounding: float) -> float:
    """Train a small network and return how far bfloat16 moves its logits, in their own spread."""
    settings = replace(ensemble.QUICK.vgg16, rounding=rounding, epochs=0)
    fitted = VGG16Trainer(data, settings, 1, RunLog(None)).fit(np.arange(len(data)), 1, "all")
    exact, rounded = (
        compile_network(fitted.network, "openvino", depth)(data.images)[0]
        for depth in ("f32", "bf16")
    )
    return float(np.abs(rounded - exact).max() / exact.std())


@pytest.mark.skipif(not supported("openvino", "bf16"), reason="this CPU has no bfloat16")
def test_a_head_that_was_shown_the_rounding_is_moved_less_by_it(drawn: Dataset) -> None:
    assert moved(drawn, 50.0) < 0.75 * moved(drawn, 0.0)


def test_only_the_chosen_images_teach(drawn: Dataset) -> None:
    trainer = VGG16Trainer(drawn, ensemble.QUICK.vgg16, 1, RunLog(None))
    chosen = np.arange(6)
    relabelled = Dataset(
        drawn.images,
        (*drawn.labels[:6], *(["normal"] * (len(drawn) - 6))),
        drawn.groups,
        drawn.names,
        drawn.digests,
    )
    other = VGG16Trainer(relabelled, ensemble.QUICK.vgg16, 1, RunLog(None))

    one, two = (t.fit(chosen, 1, "fold-0").network.get_weights() for t in (trainer, other))

    for mine, its in zip(one, two, strict=True):
        assert mine == pytest.approx(its, abs=1e-6)


def test_the_policy_is_put_back() -> None:
    before = keras.config.dtype_policy().name
    with precision.computing_in("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"

    assert keras.config.dtype_policy().name == before
