"""Names of the runners, where each model is asked, and under which path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from models.types import ModelName

RunnerName = Literal["cnn", "vgg16", "resnet", "vertebrae", "stack"]
RUNNERS: Final[tuple[RunnerName, ...]] = get_args(RunnerName)
"""Processes that serve models: ``vertebrae`` outlines and holds ``bone``, ``stack`` combines."""

RUNNER_OF: Final[Mapping[ModelName, RunnerName]] = {
    "cnn": "cnn",
    "vgg16": "vgg16",
    "resnet": "resnet",
    "bone": "vertebrae",
    "vertebrae": "vertebrae",
    "stack": "stack",
}
"""Where each model is asked."""

PREDICT: Final = "/predict"
"""Canonical images in, a base prediction each out; ``?map=true`` asks for heat maps."""

OUTLINE: Final = "/outline"
"""Frames in, an outline each out."""

COMBINE: Final = "/combine"
"""Sets of base predictions in, an ensemble prediction each out."""
