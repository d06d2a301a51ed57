"""Train the small network from scratch.

``python -m models train`` on 114 images, two AVX-512 cores: about a minute a fold. Out-of-fold
AUC of normal against osteoporosis to expect on ../shared/data/dxa_spine: see the artefact's card.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from models import networks
from models.dataset import Dataset
from models.training.augmentation import Augmentation
from models.training.trainer import Fitted


@dataclass(frozen=True)
class Settings:
    epochs: int = 40
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    network: tuple[int, ...] = (16, 32, 64, 96)


class CNNTrainer:
    origin = "random initial weights"

    def __init__(self, data: Dataset, settings: Settings) -> None:
        self._data = data
        self._settings = settings
        self._augmentation = Augmentation()

    def fit(self, indices: NDArray[np.intp], seed: int) -> Fitted:
        settings = self._settings
        keras.utils.set_random_seed(seed)
        config: dict[str, Any] = {"name": "cnn", "widths": list(settings.network)}
        network = networks.build(config)
        logit = keras.Model(network.input, network.get_layer("logit").output)
        steps = settings.epochs * math.ceil(len(indices) / settings.batch_size)
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0, steps, warmup_target=settings.learning_rate, warmup_steps=steps // 10
        )
        logit.compile(
            keras.optimizers.AdamW(schedule, weight_decay=settings.weight_decay),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
        )
        rng = np.random.default_rng(seed)
        target = self._data.severity[indices]
        for _ in range(settings.epochs):
            views = np.stack([self._augmentation.apply(self._data.images[i], rng) for i in indices])
            logit.fit(
                views[..., None].astype(np.float32),
                target,
                batch_size=settings.batch_size,
                verbose=0,
            )
        return Fitted(config, network)
