"""Whose features the forest reads, and whose weights may be given to them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from models import networks
from models.training import pretrained, resnet
from models.training.pretrained import Source, WeightsError


def official(folder: Path) -> Path:
    """Write a file in the old format that Keras publishes them in, with random weights."""
    keras.utils.set_random_seed(7)
    path = folder / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(
            file, keras.applications.ResNet50(include_top=False, weights=None)
        )
    return path


def test_resnet50_without_its_file_says_which_file_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OSTEOSERVE_WEIGHTS", str(tmp_path))

    with pytest.raises(WeightsError, match="resnet50_weights_tf_dim_ordering_tf_kernels_notop"):
        pretrained.require(pretrained.RESNET50)


def test_a_file_of_the_right_name_with_another_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    path.write_bytes(b"not these")

    with pytest.raises(WeightsError, match="is not ResNet-50"):
        pretrained.require(pretrained.RESNET50, path)


def test_resnet50_gives_features_that_are_the_mean_of_its_maps() -> None:
    network = networks.build(resnet.Settings(backbone="resnet50").network)

    features, maps = network.predict(
        np.random.default_rng(1).integers(0, 256, (1, 224, 224, 1)).astype(np.float32), verbose=0
    )

    assert features.shape == (1, 2048)
    assert maps.shape == (1, 7, 7, 2048)
    assert features == pytest.approx(maps.mean((1, 2)), rel=1e-5)


# Keras 3.15 reads variables in a way that NumPy 2 frowns on.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_official_weights_reach_every_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = official(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    source = Source("ResNet-50 of a test", "none", {path.name: (f"sha256:{digest}",)})
    monkeypatch.setattr(pretrained, "RESNET50", source)
    settings = resnet.Settings(backbone="resnet50", weights=path)
    network = networks.build(settings.network)

    origin = resnet.initialise(network, settings)

    keras.utils.set_random_seed(7)
    expected = keras.applications.ResNet50(include_top=False, weights=None)
    assert origin.startswith("ResNet-50 of a test")
    for layer in expected.layers:
        if layer.weights:
            copied = network.get_layer(layer.name).get_weights()
            for one, other in zip(layer.get_weights(), copied, strict=True):
                assert np.array_equal(one, other)
