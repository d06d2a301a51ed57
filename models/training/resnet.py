"""Fit a random forest on the features of a frozen residual network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from models import artifact, networks
from models.dataset import Dataset
from models.networks import weights
from models.networks.resnet import BLOCKS
from models.training import forest, pretrained
from models.training.runlog import RunLog
from models.training.trainer import Fitted

Backbone = Literal["resnet56", "resnet50"]
BACKBONES: Final[tuple[Backbone, ...]] = get_args(Backbone)


@dataclass(frozen=True)
class Settings:
    """``blocks`` in each stage of the CIFAR network; ResNet-50 has its own numbers."""

    backbone: Backbone = "resnet56"
    blocks: tuple[int, ...] = BLOCKS
    weights: Path | None = None

    @property
    def network(self) -> dict[str, Any]:
        if self.backbone == "resnet50":
            return {"name": "resnet50"}
        return {"name": "resnet", "blocks": list(self.blocks)}


class ResNetTrainer:
    """Features of each image, its mirror image and its altered copies; all teach the forest."""

    name = "resnet"

    def __init__(self, data: Dataset, settings: Settings, seed: int, log: RunLog) -> None:
        self._data = data
        self._log = log
        self._config = settings.network
        keras.utils.set_random_seed(seed)
        self._network = networks.build(self._config)
        self.origin = initialise(self._network, settings)
        trunk = keras.Model(self._network.input, self._network.outputs[0])
        self._features = np.stack(
            [
                trunk.predict(images[..., None].astype(np.float32), batch_size=16, verbose=0)
                for images in (data.images[:, :, ::-1], *data.views)
            ]
        )

    def fit(self, indices: NDArray[np.intp], seed: int, part: str) -> Fitted:
        features = self._features[:, indices].reshape(-1, self._features.shape[-1])
        target = np.tile(self._data.severity[indices], len(self._features))
        grown = forest.fit(features, target, seed)
        self._log.note("forest", model=self.name, part=part, images=len(indices))
        return Fitted(self._config, self._network, grown)


def initialise(network: keras.Model, settings: Settings) -> str:
    """Give ``network`` pretrained weights and return where they come from.

    Raises :class:`~models.training.pretrained.WeightsError` when ResNet-50 is asked for and its
    official file is not here: nothing stands in for it.
    """
    if settings.backbone == "resnet50":
        source = pretrained.RESNET50
        network.load_weights(pretrained.require(source, settings.weights), by_name=True)
        return f"{source.title}; {source.licence}"
    if settings.blocks != BLOCKS:
        return "random weights (no pretrained ones have this depth)"
    path = pretrained.find(pretrained.RESNET56, settings.weights)
    if path is None:
        shipped = artifact.load("resnet", artifact.FOLDER)
        weights.from_bytes(network, shipped.path("weights.safetensors").read_bytes())
        return f"the shipped artefact {shipped.version[:19]}"
    with np.load(path, allow_pickle=False) as tensors:
        for layer in network.layers:
            # PyTorch's names: layer1.0.conv1.weight for our layer1_0_conv1.
            name = layer.name.replace("_", ".")
            if isinstance(layer, layers.Conv2D) and layer.trainable:
                layer.set_weights([tensors[f"{name}.weight"].transpose(2, 3, 1, 0)])
            elif isinstance(layer, layers.BatchNormalization):
                kinds = ("weight", "bias", "running_mean", "running_var")
                layer.set_weights([tensors[f"{name}.{kind}"] for kind in kinds])
    return f"{pretrained.RESNET56.title}; {pretrained.RESNET56.licence}"
