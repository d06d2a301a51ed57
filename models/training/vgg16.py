"""Fine-tune VGG16 in two phases.

1. Everything is frozen but the head, which is fitted by logistic regression on the pooled output
   of blocks 3 and 4 over several augmented views of each image.
2. Block 5 is fine-tuned with a small learning rate, and its part of the head learns from zero what
   the first phase left over.

Blocks 1–4 never change, so what they make of the dataset's views is computed once and serves every
fold; no label enters it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from tqdm import tqdm

from models import artifact, networks, pretrained, weights
from models.dataset import Dataset
from models.networks.vgg16 import WIDTHS
from models.training.augmentation import Augmentation
from models.training.soft import linear_fit
from models.training.trainer import Fitted

FINE_TUNED: Final = "block5_conv"


@dataclass(frozen=True)
class Settings:
    """``strength`` is scikit-learn's C of phase 1, shared by all views of an image."""

    views: int = 7
    strength: float = 0.03
    epochs: int = 5
    batch_size: int = 16
    learning_rate: float = 3e-5
    widths: tuple[int, ...] = WIDTHS
    weights: Path | None = None


class VGG16Trainer:
    def __init__(self, data: Dataset, settings: Settings, seed: int) -> None:
        self._data = data
        self._settings = settings
        self._config: dict[str, Any] = {"name": "vgg16", "widths": list(settings.widths)}
        keras.utils.set_random_seed(seed)
        self._start = networks.build(self._config)
        self.origin = initialise(self._start, settings)
        self._pooled, self._maps = self._frozen_features(np.random.default_rng(seed))

    def fit(self, indices: NDArray[np.intp], seed: int) -> Fitted:
        settings = self._settings
        keras.utils.set_random_seed(seed)
        target = self._data.severity[indices]
        pooled = self._pooled[:, indices].reshape(-1, self._pooled.shape[-1])
        head, intercept = linear_fit(
            pooled, np.tile(target, settings.views), settings.strength / settings.views
        )
        network = networks.build(self._config)
        network.set_weights(self._start.get_weights())
        width = settings.widths[2]
        _set_kernel(network, "head_block3", head[:width], intercept)
        _set_kernel(network, "head_block4", head[width:])
        _set_kernel(network, "head_block5", np.zeros(settings.widths[4]))
        self._fine_tune(network, indices, target, self._pooled @ head + intercept, seed)
        return Fitted(self._config, network)

    def _fine_tune(
        self,
        network: keras.Model,
        indices: NDArray[np.intp],
        target: NDArray[np.float32],
        first_phase: NDArray[np.float64],
        seed: int,
    ) -> None:
        """Train block 5 and its head, sharing layers with ``network``, on frozen features."""
        block4 = layers.Input(self._maps.shape[2:])
        offset = layers.Input((1,))
        x = block4
        for name in (*(f"{FINE_TUNED}{i}" for i in (1, 2, 3)), "block5_pool", "head_block5"):
            x = network.get_layer(name)(x)
        evidence = layers.GlobalAveragePooling2D()(x)
        tail = keras.Model([block4, offset], layers.Add()([evidence, offset]))
        tail.compile(
            keras.optimizers.Adam(self._settings.learning_rate),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
        )
        rng = np.random.default_rng(seed)
        for _ in range(self._settings.epochs):
            view = rng.integers(0, self._settings.views, len(indices))
            tail.fit(
                [
                    self._maps[view, indices].astype(np.float32),
                    first_phase[view, indices][:, None].astype(np.float32),
                ],
                target,
                batch_size=self._settings.batch_size,
                verbose=0,
            )

    def _frozen_features(
        self, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """Return, for every view and image, pooled blocks 3 and 4, and block 4's whole output.

        Shapes (views, n, channels) float32 and (views, n, 14, 14, channels) float16, which keeps
        7 views of 114 images in 160 MB.
        """
        frozen = keras.Model(
            self._start.input,
            [self._start.get_layer(f"block{block}_pool").output for block in (3, 4)],
        )
        augmentation = Augmentation()
        pooled, maps = [], []
        for view in tqdm(range(self._settings.views), desc="vgg16: views", unit="view"):
            images = self._data.images
            if view == 1:
                images = images[:, :, ::-1]
            elif view > 1:
                images = np.stack([augmentation.apply(image, rng) for image in images])
            block3, block4 = frozen.predict(
                images[..., None].astype(np.float32), batch_size=16, verbose=0
            )
            pooled.append(np.concatenate([block3.mean((1, 2)), block4.mean((1, 2))], axis=1))
            maps.append(block4.astype(np.float16))
        return np.stack(pooled), np.stack(maps)


def initialise(network: keras.Model, settings: Settings) -> str:
    """Give ``network`` pretrained convolutions and return where they come from."""
    if tuple(settings.widths) != WIDTHS:
        return "random initial weights (no pretrained ones have these widths)"
    path = pretrained.find(pretrained.VGG16, settings.weights)
    if path is not None:
        official = keras.applications.VGG16(include_top=False, weights=str(path))
        for layer in official.layers:
            if layer.weights:
                network.get_layer(layer.name).set_weights(layer.get_weights())
        return f"{pretrained.VGG16.title}; {pretrained.VGG16.licence}"
    shipped = artifact.load("vgg16", artifact.FOLDER)
    weights.from_bytes(network, shipped.path("weights.safetensors").read_bytes())
    return f"the shipped artefact {shipped.version[:19]} (block 5 already fine-tuned)"


def _set_kernel(
    network: keras.Model, name: str, kernel: NDArray[np.float64], bias: float | None = None
) -> None:
    values = [kernel.reshape(1, 1, -1, 1)]
    if bias is not None:
        values.append(np.array([bias]))
    network.get_layer(name).set_weights(values)
