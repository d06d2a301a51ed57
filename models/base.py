"""A base model as the runners and the evaluation use it: canonical images in, votes out."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact, ArtifactError
from models.bone import KEY as BONE_KEY
from models.bone import Bone, Measured
from models.calibration import Calibration, logit
from models.explanation.projection import project
from models.forest import FILE as FOREST_FILE
from models.forest import Forest
from models.recipe import FRAME
from models.runtime import (
    Precision,
    PrecisionChoice,
    Runtime,
    RuntimeChoice,
    RuntimeName,
    automatic,
    open_network,
    runtime_name,
)
from models.types import BASES, BaseName
from models.vertebrae.geometry import Outlined
from models.vertebrae.measurements import NAMES, measure
from models.vertebrae.outline import outline, segment

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Vote:
    """What one base model says of one image.

    ``probability`` is calibrated. ``map`` is (h, w) float32 evidence for osteoporosis where it was
    asked for, rows from the top, in units of the raw logit times h·w: its *mean* is the raw logit
    of the two networks, bias spread over it, and for the forest the raw logit less that of the
    forest's expected value. Above zero speaks for osteoporosis, below against. ``measured`` is what
    ``bone`` rests on, in place of a map; empty for the others.
    """

    probability: float
    map: NDArray[np.float32] | None
    measured: tuple[Measured, ...] = ()


class BaseModel(Protocol):
    """Scores a batch."""

    def raw_logits(
        self, images: NDArray[np.uint8], explained: Sequence[int] = ()
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return logits before calibration, (n,), and maps of the ``explained``, (m, h, w)."""
        ...


class NetworkModel:
    """A network that ends in a linear head: its logit and class activation map."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def raw_logits(
        self, images: NDArray[np.uint8], explained: Sequence[int] = ()
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        logits, maps = self._runtime(images)
        return logits[:, 0].astype(np.float64), maps[list(explained), ..., 0]


class ForestModel:
    """A network for features, a forest for the answer."""

    def __init__(self, runtime: Runtime, forest: Forest) -> None:
        self._runtime = runtime
        self._forest = forest

    def raw_logits(
        self, images: NDArray[np.uint8], explained: Sequence[int] = ()
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        features, feature_maps = self._runtime(images)
        chosen = list(explained)
        maps = feature_maps[chosen, ..., 0]
        if chosen:
            maps = project(self._forest, features[chosen], feature_maps[chosen])
        return logit(self._forest.severity(features)), maps


class MeasurementModel:
    """The vertebrae network for outlines, a logistic regression over what is measured in them."""

    def __init__(self, runtime: Runtime, bone: Bone) -> None:
        self._runtime = runtime
        self._bone = bone

    def raw_logits(
        self,
        images: NDArray[np.uint8],
        explained: Sequence[int] = (),  # noqa: ARG002 - it has no map
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        return self.logits(self.measurements(images)), np.zeros((0, 1, 1), np.float32)

    def logits(self, measurements: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n,) before calibration for ``measurements`` (n, 16)."""
        return self._bone.logits(measurements)

    def measurements(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return (n, 16), see :mod:`models.vertebrae.measurements`."""
        (maps,) = self._runtime(images)
        return np.stack(
            [measure(image, segment(one).levels) for image, one in zip(images, maps, strict=True)]
        )

    def measured(self, measurements: NDArray[np.float64]) -> list[tuple[Measured, ...]]:
        """Return what each of ``measurements`` (n, 16) says and adds, the weightiest first."""
        added = self._bone.contributions(measurements)
        return [
            tuple(
                Measured(NAMES[n], float(values[n]), float(shares[n]))
                for n in np.argsort(-np.abs(shares), kind="stable")
            )
            for values, shares in zip(measurements, added, strict=True)
        ]


class Outliner:
    """The served vertebrae network: whole frames in, outlined levels and graphics out."""

    def __init__(
        self,
        artifact: Artifact,
        runtime: RuntimeChoice = "auto",
        precision: PrecisionChoice = "auto",
    ) -> None:
        """Raises :class:`~models.artifact.ArtifactError` as :class:`Scorer` does."""
        self.version = artifact.version
        self.recipe = FRAME
        engine, depth = _allowed(artifact, runtime, precision)
        self.runtime = runtime_name(engine, depth)
        logger.info("vertebrae %s runs on %s", self.version[:19], self.runtime)
        self._network = open_network(artifact.folder, artifact.manifest["network"], engine, depth)

    def outline(self, frames: NDArray[np.uint8]) -> list[Outlined]:
        """Return what each of ``frames`` (n, 224, 224) uint8 shows, in the frame's pixels."""
        return [outline(one) for one in mirrored_maps(self._network, frames)]


def mirrored_maps(network: Runtime, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the vertebrae network's maps (n, 224, 224, 8) of ``frames``, each the mean of those of
    the frame and of its mirror image.

    Whatever an image is, its mirror image has mirrored outlines then; and what one noise or one
    resampling moves in the two is averaged.
    """
    maps, mirrored = np.split(network(np.concatenate([frames, frames[:, :, ::-1]]))[0], 2)
    return (maps + mirrored[:, :, ::-1]) / 2


class Scorer:
    """A served base model: the artefact's facts and the model that it describes."""

    def __init__(
        self,
        artifact: Artifact,
        runtime: RuntimeChoice = "auto",
        precision: PrecisionChoice = "auto",
    ) -> None:
        """``auto`` takes the fastest that the artefact allows and this machine has.

        Raises :class:`~models.artifact.ArtifactError` when what is asked for was not shown to
        answer alike, or when nothing that was is installed.
        """
        self.name = base_name(artifact.name)
        self.version = artifact.version
        self.recipe = str(artifact.manifest["recipe"])
        self.threshold = float(artifact.manifest["threshold"])
        low, high = artifact.manifest["band"]
        self.band = (float(low), float(high))
        self.auroc = float(artifact.manifest["metrics"]["auroc"]["value"])
        self._calibration = Calibration(**artifact.manifest["calibration"])
        engine, depth = _allowed(artifact, runtime, precision)
        self.runtime = runtime_name(engine, depth)
        logger.info("%s %s runs on %s", self.name, self.version[:19], self.runtime)
        self._model = load_model(artifact, engine, depth)
        self._offset = offset(artifact, self.runtime)

    def score(self, images: NDArray[np.uint8], explained: Sequence[int] = ()) -> list[Vote]:
        """Return one vote an image, for ``images`` (n, 224, 224) uint8.

        ``explained`` are the indices of those that want a map; the others' votes have none.
        """
        if isinstance(self._model, MeasurementModel):
            measurements = self._model.measurements(images)
            found = self._probability(self._model.logits(measurements))
            said = self._model.measured(measurements)
            return [Vote(float(p), None, m) for p, m in zip(found, said, strict=True)]
        logits, maps = self._model.raw_logits(images, explained)
        drawn = dict(zip(explained, maps, strict=True))
        return [Vote(float(p), drawn.get(i)) for i, p in enumerate(self._probability(logits))]

    def _probability(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._calibration.probability(logits + self._offset)


def offset(artifact: Artifact, runtime: str) -> float:
    """Return what is added to the raw logits of ``runtime``: measured where it was exported."""
    return float(artifact.manifest["runtimes"][runtime].get("offset", 0.0))


def base_name(name: str) -> BaseName:
    for base in BASES:
        if name == base:
            return base
    raise ArtifactError(f"{name} is no base model; there are {', '.join(BASES)}")


def load_model(artifact: Artifact, runtime: RuntimeName, precision: Precision = "f32") -> BaseModel:
    """Return the model of ``artifact``, compiled for this machine, whatever it is allowed on."""
    weighed = artifact.manifest.get(BONE_KEY)
    return open_model(
        artifact.folder,
        artifact.manifest["network"],
        FOREST_FILE in artifact.manifest["files"],
        runtime,
        precision,
        None if weighed is None else Bone.from_manifest(weighed),
    )


def open_model(
    folder: Path,
    config: Mapping[str, Any],
    has_forest: bool,
    runtime: RuntimeName,
    precision: Precision,
    bone: Bone | None = None,
) -> BaseModel:
    """Return the model whose files lie in ``folder``; ``config`` is the manifest's network."""
    opened = open_network(folder, config, runtime, precision)
    if bone is not None:
        return MeasurementModel(opened, bone)
    if not has_forest:
        return NetworkModel(opened)
    return ForestModel(opened, Forest.from_bytes((folder / FOREST_FILE).read_bytes()))


def _allowed(
    artifact: Artifact, runtime: RuntimeChoice, precision: PrecisionChoice
) -> tuple[RuntimeName, Precision]:
    table = artifact.manifest["runtimes"]
    choice = automatic(
        table,
        None if runtime == "auto" else runtime,
        None if precision == "auto" else precision,
    )
    if choice is None:
        asked = f"{runtime}-{precision}".replace("auto", "any")
        if runtime != "auto" and precision != "auto" and asked in table:
            raise ArtifactError(f"{artifact.name}: {runtime} is not installed here")
        raise ArtifactError(
            f"{artifact.name} was not shown to answer alike on {asked}, or it is not installed "
            f"here; allowed are {', '.join(table)}"
        )
    return choice
