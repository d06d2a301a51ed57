"""Fine-tune VGG16 in two phases.

1. Everything is frozen but the head, which is fitted by logistic regression on the pooled outputs
   of blocks 3 and 4 over the image, its mirror image and its altered copies.
2. Block 5 is fine-tuned with a small learning rate, and its part of the head learns from zero what
   the first phase left over.

Blocks 1–4 never change, so what they make of the dataset's views is computed once and serves every
fold; no label enters it.

Both phases are penalised for what tells copies of a scan apart (:mod:`models.training.steady`). The
head counts among that what bfloat16 makes of the features, ``rounding`` times as large: evidence
that rounding would turn is then weighed down, and the faster precision gives the same answers.
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

from models import artifact, networks
from models.dataset import Dataset
from models.networks import weights
from models.networks.head import Tensor
from models.networks.vgg16 import WIDTHS
from models.runtime import supported
from models.training import precision, pretrained, steady
from models.training.export.conversion import compile_network
from models.training.runlog import RunLog
from models.training.soft import linear_fit
from models.training.trainer import Fitted

FINE_TUNED: Final = "block5_conv"
TEXTURE: Final = (3, 4)
"""Blocks whose pooled output the first phase reads."""
FROZEN: Final = "block4_pool"
ROUNDED_VIEWS: Final = 2
"""The image and its mirror image: the error is much the same for any view."""


@dataclass(frozen=True)
class Settings:
    """``strength`` is scikit-learn's C of phase 1, shared by all views of an image; its
    ``steadiness`` weighs the covariance among them, that of phase 2 the variance of the logit among
    ``views`` of them."""

    strength: float = 0.03
    steadiness: float = 10.0
    rounding: float = 50.0
    epochs: int = 5
    views: int = 4
    tail_steadiness: float = 1.0
    batch_size: int = 16
    learning_rate: float = 3e-5
    widths: tuple[int, ...] = WIDTHS
    weights: Path | None = None


class VGG16Trainer:
    name = "vgg16"

    def __init__(self, data: Dataset, settings: Settings, seed: int, log: RunLog) -> None:
        self._data = data
        self._settings = settings
        self._log = log
        self._config: dict[str, Any] = {"name": "vgg16", "widths": list(settings.widths)}
        keras.utils.set_random_seed(seed)
        self._start = networks.build(self._config)
        self.origin = initialise(self._start, settings)
        views = [data.images[:, :, ::-1], *data.views]
        self._texture, self._maps = _features(self._start, views)
        self._error = self._rounded(views[:ROUNDED_VIEWS]) - self._texture[:ROUNDED_VIEWS]

    def fit(self, indices: NDArray[np.intp], seed: int, part: str) -> Fitted:
        keras.utils.set_random_seed(seed)
        settings = self._settings
        target = self._data.severity[indices]
        head, intercept = linear_fit(
            self._texture[:, indices],
            target,
            settings.strength,
            settings.steadiness,
            settings.rounding * self._error[:, indices],
        )
        network = networks.build(self._config)
        network.set_weights(self._start.get_weights())
        first, second = np.split(head, [settings.widths[TEXTURE[0] - 1]])
        _set_kernel(network, "head_block3", first, intercept)
        _set_kernel(network, "head_block4", second)
        _set_kernel(network, "head_block5", np.zeros(settings.widths[4]))
        self._fine_tune(network, indices, target, self._texture @ head + intercept, seed, part)
        return Fitted(self._config, network)

    def _fine_tune(
        self,
        network: keras.Model,
        indices: NDArray[np.intp],
        target: NDArray[np.float32],
        first_phase: NDArray[np.float64],
        seed: int,
        part: str,
    ) -> None:
        """Train block 5 and its head, sharing layers with ``network``, on frozen features."""
        settings = self._settings
        block4 = layers.Input(self._maps.shape[2:])
        offset = layers.Input((1,))
        x = block4
        for name in (*(f"{FINE_TUNED}{i}" for i in (1, 2, 3)), "block5_pool", "head_block5"):
            x = network.get_layer(name)(x)
        evidence = layers.GlobalAveragePooling2D()(x)
        tail = keras.Model([block4, offset], layers.Add()([evidence, offset]))
        trained = steady.over_views(tail, settings.views)
        trained.compile(
            keras.optimizers.Adam(settings.learning_rate),
            loss=steady.loss(settings.tail_steadiness),
        )
        rng = np.random.default_rng(seed)
        noted = self._log.epochs(self.name, part)
        for epoch in range(settings.epochs):
            view = rng.integers(0, len(self._maps), (len(indices), settings.views))
            trained.fit(
                [
                    self._maps[view, indices[:, None]].astype(np.float32),
                    first_phase[view, indices[:, None]][..., None].astype(np.float32),
                ],
                np.repeat(target[:, None], settings.views, axis=1),
                batch_size=settings.batch_size,
                initial_epoch=epoch,
                epochs=epoch + 1,
                callbacks=[noted],
                verbose=0,
            )

    def _rounded(self, views: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return what bfloat16 makes of pooled blocks 3 and 4, (views, n, channels).

        By the engine that serves, where this CPU has bfloat16: TensorFlow rounds at other places,
        and a head that was shown its errors (their cosine with the engine's is 0.72) was moved as
        before. TensorFlow stands in on other CPUs.
        """
        if not supported("openvino", "bf16"):
            with precision.computing_in("mixed_bfloat16"):
                twin = networks.build(self._config)
            twin.set_weights(self._start.get_weights())
            return _features(twin, views)[0]
        run = compile_network(
            keras.Model(self._start.input, _texture(self._start)), "openvino", "bf16"
        )
        size = self._settings.batch_size
        return np.stack(
            [
                np.concatenate([run(v[at : at + size])[0] for at in range(0, len(v), size)])
                for v in views
            ]
        )


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


def _features(
    network: keras.Model, views: list[NDArray[np.uint8]]
) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
    """Return, for every view and image, blocks 3 and 4 pooled, and block 4's output whole.

    Shapes (views, n, channels) float32 and (views, n, 6, 4, channels) float16.
    """
    frozen = keras.Model(network.input, [_texture(network), network.get_layer(FROZEN).output])
    pooled, maps = [], []
    for images in tqdm(views, desc="vgg16: views", unit="view"):
        texture, block4 = frozen.predict(
            images[..., None].astype(np.float32), batch_size=16, verbose=0
        )
        pooled.append(texture)
        maps.append(block4.astype(np.float16))
    return np.stack(pooled), np.stack(maps)


def _texture(network: keras.Model) -> Tensor:
    """Return the pooled outputs of blocks 3 and 4, one behind the other: (batch, channels)."""
    return layers.Concatenate(dtype="float32")(
        [
            layers.GlobalAveragePooling2D(dtype="float32")(
                network.get_layer(f"block{block}_pool").output
            )
            for block in TEXTURE
        ]
    )


def _set_kernel(
    network: keras.Model, name: str, kernel: NDArray[np.float64], bias: float | None = None
) -> None:
    values = [kernel.reshape(1, 1, -1, 1)]
    if bias is not None:
        values.append(np.array([bias]))
    network.get_layer(name).set_weights(values)
