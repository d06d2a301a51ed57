"""The networks' maps against general Grad-CAM (Selvaraju et al., ICCV 2017)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import spearmanr

from models import networks
from models.runtime import KerasRuntime


def grad_cam(network: keras.Model, layer: str, image: np.ndarray) -> np.ndarray:
    """Return (h, w): Σ_c mean_xy(∂logit/∂F_c) · F_c, without the usual ReLU at the end."""
    twin = keras.Model(network.input, [network.get_layer(layer).output, network.output[0]])
    with tf.GradientTape() as tape:
        # Variables are watched by themselves, and with them all that follows from them.
        features, logit = twin(image[None, ..., None].astype(np.float32), training=False)
        target = logit[:, 0]
    gradient = tape.gradient(target, features)
    weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
    return np.asarray(tf.reduce_sum(weights * features, axis=-1))[0]


SMALL: dict[str, dict[str, Any]] = {
    "cnn": {"name": "cnn", "widths": [8, 8]},
    "vgg16": {"name": "vgg16", "widths": [4, 4, 8, 8, 8]},
}


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(8).integers(0, 256, (224, 224), dtype=np.uint8)


def small(name: str, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return networks.build(SMALL[name])


def evidence(network: keras.Model, image: np.ndarray) -> np.ndarray:
    return np.asarray(KerasRuntime(network)(image[None])[1][0, ..., 0])


def middle(heat: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return what of a map laid over the whole image lies in the part that the network looks at, at
    its own scale. Beside it there is nothing."""
    above, beside = ((a - b) // 2 for a, b in zip(heat.shape, like.shape, strict=True))
    inner = heat[above : above + like.shape[0], beside : beside + like.shape[1]]
    assert np.abs(heat).sum() == pytest.approx(np.abs(inner).sum())
    assert heat.mean() == pytest.approx(inner.sum() / heat.size)
    return inner * (like.size / heat.size)


def test_the_map_of_the_cnn_is_grad_cam_up_to_its_scale(image: np.ndarray) -> None:
    network = small("cnn", 1)

    found = evidence(network, image)

    # Grad-CAM averages the gradient of a mean: its scale is 1/(h·w) of the map's.
    general = grad_cam(network, "stage2_pool", image)
    found, general = middle(found, general), general * general.size
    bias = float(network.get_layer("head_features").get_weights()[1][0])
    assert found - bias == pytest.approx(general, abs=1e-4)
    assert np.abs(general).max() > 0.01


@pytest.mark.parametrize("block", [3, 4])
def test_each_part_of_vgg16s_map_is_grad_cam_up_to_its_scale(block: int, image: np.ndarray) -> None:
    keras.utils.set_random_seed(1)
    network = networks.build({**SMALL["vgg16"], "head": [block], "side": 160, "beside": [16, 32]})

    found = evidence(network, image)

    general = grad_cam(network, f"block{block}_pool", image)
    found, general = middle(found, general), general * general.size
    bias = float(network.get_layer(f"head_block{block}").get_weights()[1][0])
    assert found - bias == pytest.approx(general, abs=1e-3 * float(np.abs(general).max()))


@pytest.mark.parametrize("name", SMALL)
def test_another_models_weights_draw_another_map(name: str, image: np.ndarray) -> None:
    """Sanity check by model randomisation (Adebayo et al., NeurIPS 2018)."""
    maps = [evidence(small(name, seed), image) for seed in range(6)]
    # Beside what they look at all maps are alike: zero.
    maps = [one[one != 0] for one in maps]

    ranks = [
        abs(spearmanr(one, other).statistic)
        for index, one in enumerate(maps)
        for other in maps[:index]
    ]
    assert np.mean(ranks) < 0.6
