"""One contract for every network, run on small ones."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from models import networks
from models.networks import resnet, weights
from models.training.export.conversion import compile_network

SMALL: dict[str, dict[str, Any]] = {
    "cnn": {"name": "cnn", "widths": [4, 8]},
    "vgg16": {"name": "vgg16", "widths": [4, 4, 8, 8, 8]},
    "resnet": {"name": "resnet", "blocks": [1, 1]},
}

every_network = pytest.mark.parametrize("config", SMALL.values(), ids=SMALL)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, 224, 224), dtype=np.uint8)


def small(config: dict[str, Any]) -> keras.Model:
    keras.utils.set_random_seed(1)
    return networks.build(config)


def outputs(network: keras.Model, batch: np.ndarray) -> list[np.ndarray]:
    return list(compile_network(network, "keras")(batch))


@every_network
def test_weights_travel_through_bytes_to_a_network_built_from_the_same_config(
    config: dict[str, Any],
) -> None:
    network = small(config)
    keras.utils.set_random_seed(2)
    restored = networks.build(config)

    weights.from_bytes(restored, weights.to_bytes(network, half=False))

    for expected, found in zip(
        outputs(network, images(2)), outputs(restored, images(2)), strict=True
    ):
        assert np.array_equal(expected, found)


@every_network
def test_half_precision_changes_little(config: dict[str, Any]) -> None:
    network, restored = small(config), small(config)

    weights.from_bytes(restored, weights.to_bytes(network, half=True))

    for expected, found in zip(
        outputs(network, images(2)), outputs(restored, images(2)), strict=True
    ):
        assert found == pytest.approx(expected, rel=0.02, abs=0.02 * float(np.abs(expected).max()))


@every_network
def test_weights_of_another_network_are_refused(config: dict[str, Any]) -> None:
    other = weights.to_bytes(small({"name": "resnet", "blocks": [1, 1, 1]}), half=True)

    with pytest.raises(ValueError, match="weights do not fit"):
        weights.from_bytes(small(config), other)


@every_network
def test_a_batch_answers_as_its_images_one_by_one(config: dict[str, Any]) -> None:
    network = small(config)

    together = outputs(network, images(3))
    alone = [outputs(network, image[None]) for image in images(3)]

    for index, whole in enumerate(together):
        single = np.concatenate([one[index] for one in alone])
        assert whole == pytest.approx(single, rel=1e-4, abs=1e-5)
        assert whole.dtype == np.float32


@every_network
@pytest.mark.parametrize("count", [1, 3])
def test_openvino_answers_as_keras(config: dict[str, Any], count: int) -> None:
    network = small(config)

    found = compile_network(network, "openvino", "f32")(images(count))

    for expected, one in zip(outputs(network, images(count)), found, strict=True):
        assert one.shape == expected.shape
        # Rounding goes with the largest term of a sum, not with what is left of it.
        assert one == pytest.approx(expected, rel=1e-3, abs=1e-4 * float(np.abs(expected).max()))


@pytest.mark.parametrize("name", ["cnn", "vgg16"])
def test_the_mean_of_the_map_is_the_logit(name: str) -> None:
    logit, heat = outputs(small(SMALL[name]), images(2))

    assert heat.mean((1, 2)) == pytest.approx(logit, abs=1e-5)


def test_the_residual_network_is_the_first_twenty_four_blocks_of_resnet_56() -> None:
    network = resnet.build()

    convolutions = [
        layer
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.trainable
    ]
    assert len(convolutions) == 1 + 2 * (9 + 9 + 6)


def test_beside_the_columns_that_it_looks_at_nothing_counts_and_nothing_is_drawn() -> None:
    network = small({"name": "resnet", "blocks": [1, 1], "columns": 128})
    image = images(1)
    changed = image.copy()
    changed[:, :, :48] = 0
    changed[:, :, -48:] = 255

    features, maps = outputs(network, image)
    others, _ = outputs(network, changed)

    assert np.array_equal(features, others)
    assert maps.shape == (1, 56, 56, 32)
    assert not maps[:, :, :12].any()
    assert not maps[:, :, -12:].any()
    assert maps.mean((1, 2)) == pytest.approx(features, rel=1e-5)


def test_shortcuts_subsample_and_pad_with_zeros() -> None:
    shortcut = resnet.build(blocks=(1, 1)).get_layer("layer2_0_shortcut")
    x = np.random.default_rng(0).random((1, 6, 6, 16), dtype=np.float32)

    y = np.asarray(shortcut(x))

    assert np.array_equal(y[..., 8:24], x[:, ::2, ::2])
    assert not y[..., :8].any()
    assert not y[..., 24:].any()
