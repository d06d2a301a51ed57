"""Fit the regression over what is measured of the bone."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.dataset import Dataset
from models.inference.base import MeasurementModel
from models.inference.bone import LIMIT, Bone
from models.runtime import KerasRuntime
from models.training.runlog import RunLog
from models.training.soft import linear_fit
from models.training.trainer import Fitted
from models.vertebrae.measurements import NAMES

TOGETHER = 16


@dataclass(frozen=True)
class Settings:
    """``strength`` is scikit-learn's C, shared by all views of an image, among which ``steadiness``
    weighs the covariance."""

    strength: float = 0.03
    steadiness: float = 5.0


class BoneTrainer:
    """Measurements of each image and of its altered copies; all teach the regression."""

    name = "bone"

    def __init__(self, data: Dataset, settings: Settings, outliner: Fitted, log: RunLog) -> None:
        self._data = data
        self._settings = settings
        self._outliner = outliner
        self._log = log
        self.origin = "the vertebrae network, for outlines; no weights of the regression"
        nothing = np.zeros(len(NAMES))
        model = MeasurementModel(
            KerasRuntime(outliner.network), Bone(nothing, nothing + 1, nothing, 0.0)
        )
        self._measurements = np.stack(
            [
                np.concatenate(
                    [
                        model.measurements(view[at : at + TOGETHER])
                        for at in range(0, len(view), TOGETHER)
                    ]
                )
                for view in tqdm(data.views, desc="bone: views", unit="view")
            ]
        )

    def fit(self, indices: NDArray[np.intp], seed: int, part: str) -> Fitted:  # noqa: ARG002 - nothing is drawn
        seen = self._measurements[:, indices]
        centre = seen.mean((0, 1))
        spread = np.maximum(seen.std((0, 1)), 1e-6)
        weights, intercept = linear_fit(
            np.clip((seen - centre) / spread, -LIMIT, LIMIT),
            self._data.severity[indices],
            self._settings.strength,
            self._settings.steadiness,
        )
        self._log.note("bone", model=self.name, part=part, images=len(indices))
        network: keras.Model = self._outliner.network
        bone = Bone(centre, spread, weights, intercept)
        return Fitted(self._outliner.config, network, bone=bone)
