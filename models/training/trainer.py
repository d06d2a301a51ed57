"""What the three trainers share: a trainer is made once for a dataset and fits any part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from models.inference.base import BaseModel, ForestModel, MeasurementModel, NetworkModel
from models.inference.bone import Bone
from models.inference.forest import Forest
from models.runtime import KerasRuntime


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network, with the forest or the regression over it where there is one, before
    calibration."""

    config: dict[str, Any]
    network: keras.Model
    forest: Forest | None = None
    bone: Bone | None = None

    def model(self) -> BaseModel:
        runtime = KerasRuntime(self.network)
        if self.bone is not None:
            return MeasurementModel(runtime, self.bone)
        return NetworkModel(runtime) if self.forest is None else ForestModel(runtime, self.forest)


class Trainer(Protocol):
    """Made for a dataset, so that what frozen layers compute is computed once for all folds."""

    origin: str
    """Where the weights start from: a sentence for the card."""

    def fit(self, indices: NDArray[np.intp], seed: int, part: str) -> Fitted:
        """Train on the images at ``indices``, and on nothing else of the dataset.

        ``part`` is what the run log calls it.
        """
        ...
