"""The last step of training: from a trained model to the files that engines read.

Every engine is run on real images and compared with Keras in float32 as trained. One that moves a
calibrated probability by more than ``parity.WHEN_BUILT``, or changes any decision, is
refused for this artefact: it stands in the card with its difference, and no runner will start it.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.inference.base import BaseModel, open_model
from models.inference.bone import Bone
from models.inference.calibration import Calibration, OperatingPoint
from models.inference.forest import FILE as FOREST_FILE
from models.networks import weights
from models.runtime import (
    CHOICES,
    Files,
    Precision,
    RuntimeName,
    runtime_name,
    supported,
)
from models.training import parity
from models.training.export import conversion
from models.training.parity import Difference
from models.training.trainer import Fitted

logger: Final = logging.getLogger(__name__)

IMAGES: Final = 512
"""At most so many images are compared, and half as many calibrate int8: minutes, not hours."""


FIRST: Final = (0.0, 0.2, 0.25, 0.5)
"""Shares of the convolutions left in float32 beside 8 bits, tried in turn. What the first layers
round reaches the answer through all others: of VGG16's thirteen, all but one in 8 bits are 0.013
off, all but three 0.009, all but four 0.007, the later six 0.003."""

INT8: Final = ("openvino", "int8")


class ParityError(ValueError):
    """The artefact does not answer as the network that was trained."""


@dataclass(frozen=True)
class Export:
    """``files`` by name, for the artefact; the tables are for its manifest and card.

    ``runtimes``: name → ``{"max_difference"}``, those that hold; of a lowered precision also
    ``"offset"``, what is added to its raw logits. ``refused``: name →
    ``{"max_difference", "changed"}``, those that do not. ``unchecked``: those that this machine
    does not have. Nothing is known of them, so no other machine may use them either.
    """

    files: dict[str, bytes]
    runtimes: dict[str, dict[str, float]] = field(default_factory=dict)
    refused: dict[str, dict[str, float]] = field(default_factory=dict)
    unchecked: list[str] = field(default_factory=list)


def export(
    fitted: Fitted, calibration: Calibration, point: OperatingPoint, images: NDArray[np.uint8]
) -> Export:
    """Return the smallest files that answer as ``fitted`` does on ``images``, and where they run.

    ``images`` (n, 224, 224) uint8 are real ones; of more than :data:`IMAGES` an even choice is
    taken. A file is in half precision if that changes nothing, else in full. Raises
    :class:`ParityError` when even full precision, read back, gives other answers.
    """
    chosen = _evenly(images, IMAGES)
    expected = parity.raw_logits(fitted.model(), chosen)
    with tempfile.TemporaryDirectory(prefix="osteoserve-") as folder:
        trial = _Trial(
            Path(folder),
            fitted.config,
            calibration,
            point.threshold,
            chosen,
            expected,
            fitted.bone,
        )
        if fitted.forest is not None:
            trial.keep({FOREST_FILE: fitted.forest.to_bytes()})
        for half in (True, False):
            trial.keep({Files.WEIGHTS: weights.to_bytes(fitted.network, half=half)})
            if trial.all_hold(("keras", "f32")):
                break
        else:
            raise ParityError("read back from its file, the network does not answer as trained")
        for half in (True, False):
            trial.keep({Files.TFLITE: conversion.tflite(fitted.network, half=half)})
            if trial.all_hold(("openvino", "f32"), ("litert", "f32")):
                break
        trial.all_hold(("openvino", "bf16"))
        if fitted.bone is None:
            # The network of outlines is a tenth of the others' work: nothing is won by 8 bits.
            trial.quantise()
        return trial.done


def quantised(model: Artifact, reference: BaseModel, images: NDArray[np.uint8]) -> Export:
    """Return ``model`` with files of 8 bits made anew, its other files and findings as they are.

    ``reference`` is ``model`` in Keras, ``images`` as for :func:`export`.
    """
    chosen = _evenly(images, IMAGES)
    with tempfile.TemporaryDirectory(prefix="osteoserve-") as folder:
        trial = _Trial(
            Path(folder),
            model.manifest["network"],
            Calibration(**model.manifest["calibration"]),
            model.manifest["threshold"],
            chosen,
            parity.raw_logits(reference, chosen),
        )
        anew = {"card.md", Files.INT8, Files.INT8_WEIGHTS, runtime_name(*INT8)}
        trial.keep(
            {file: model.path(file).read_bytes() for file in model.manifest["files"].keys() - anew}
        )
        for found, table in (
            (trial.done.runtimes, "runtimes"), (trial.done.refused, "refused_runtimes")
        ):  # fmt: skip
            # A manifest is sorted by name; tables and cards are in this order.
            names = [runtime_name(*choice) for choice in CHOICES]
            told = model.manifest[table]
            found.update({name: told[name] for name in names if name in told.keys() - anew})
        trial.done.unchecked.extend(
            name for name in model.manifest.get("unchecked_runtimes", []) if name not in anew
        )
        trial.quantise()
        return trial.done


class _Trial:
    """A draft of the artefact's folder, and what was found out about it so far."""

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any],
        calibration: Calibration,
        threshold: float,
        images: NDArray[np.uint8],
        expected: NDArray[np.float64],
        bone: Bone | None = None,
    ) -> None:
        self.done = Export({})
        self._bone = bone
        self._folder = folder
        self._config = config
        self._calibration = calibration
        self._threshold = threshold
        self._images = images
        self._expected = expected

    def keep(self, files: Mapping[str, bytes]) -> None:
        self.done.files.update(files)
        for name, content in files.items():
            (self._folder / name).write_bytes(content)

    def drop(self, files: Mapping[str, bytes]) -> None:
        for name in files:
            del self.done.files[name]

    def quantise(self) -> None:
        """Keep the network with as much of it in 8 bits as answers alike, if any does."""
        if not supported(*INT8):
            self.all_hold(INT8)
            return
        images = _evenly(self._images, max(1, len(self._images) // 2))
        for files in conversion.int8(self.done.files[Files.TFLITE], images, FIRST):
            self.keep(files)
            if self.all_hold(INT8):
                return
            self.drop(files)

    def all_hold(self, *choices: tuple[RuntimeName, Precision]) -> bool:
        """Compare each of ``choices`` that this machine has, note how it went, return whether all
        of them answer alike. A second look replaces the first."""
        alike = True
        for runtime, precision in choices:
            name = runtime_name(runtime, precision)
            if not supported(runtime, precision):
                logger.info("%s: not to be had on this machine, so not allowed", name)
                if name not in self.done.unchecked:
                    self.done.unchecked.append(name)
                alike = False
                continue
            found, correction = self._compare(runtime, precision)
            self.done.runtimes.pop(name, None)
            self.done.refused.pop(name, None)
            if found.holds(parity.WHEN_BUILT):
                self.done.runtimes[name] = {"max_difference": found.largest, **correction}
            else:
                self.done.refused[name] = {
                    "max_difference": found.largest,
                    "changed": found.changed,
                }
            alike &= found.holds(parity.WHEN_BUILT)
            logger.info(
                "%s: largest difference %.4f, %d changed", name, found.largest, found.changed
            )
        return alike

    def _compare(
        self, runtime: RuntimeName, precision: Precision
    ) -> tuple[Difference, dict[str, float]]:
        """Return how far apart the answers are, and what to add to this runtime's logits.

        Rounding weights shifts all answers alike, besides moving each a little. The shift, the mean
        over the images, is taken back, as is usual after quantising (Nagel et al., ICCV 2019: bias
        correction). Float32 shifts nothing and is compared as it is.
        """
        model = open_model(
            self._folder,
            self._config,
            FOREST_FILE in self.done.files,
            runtime,
            precision,
            self._bone,
        )
        raw = parity.raw_logits(model, self._images)
        correction = {}
        if precision != "f32":
            correction["offset"] = float((self._expected - raw).mean())
            raw = raw + correction["offset"]
        found, expected = (self._calibration.probability(r) for r in (raw, self._expected))
        return parity.difference(found, expected, self._threshold), correction


def _evenly(images: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    count = min(len(images), most)
    return images[np.linspace(0, len(images) - 1, count).round().astype(np.intp)]
