"""A base model as the runners and the evaluation use it: canonical images in, predictions out."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact, ArtifactError
from models.explanation.projection import project
from models.image.recipe import FRAME
from models.inference.bone import Bone, Measured
from models.inference.calibration import Calibration, logit
from models.inference.forest import FILE as FOREST_FILE
from models.inference.forest import Forest
from models.manifest import BaseManifest, NetworkManifest
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
class BasePrediction:
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
        network = artifact.facts(NetworkManifest).network
        self._network = open_network(artifact.folder, network, engine, depth)

    def outline(self, frames: NDArray[np.uint8]) -> list[Outlined]:
        """Return what each of ``frames`` (n, 224, 224) uint8 shows, in the frame's pixels.

        Of each frame and its mirror image the mean of the maps is taken: where an outline lies then
        differs less between two exports of a scan, and what all other models see with it.
        """
        (maps,) = self._network(np.concatenate([frames, frames[:, :, ::-1]]))
        own, mirrored = np.split(maps, 2)
        means = (own + mirrored[:, :, ::-1]) / 2
        return [outline(one, frame) for one, frame in zip(means, frames, strict=True)]


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
        facts = artifact.facts(BaseManifest)
        self.recipe = facts.recipe
        self.threshold = facts.threshold
        self.band = facts.band
        self.auroc = _auroc(artifact.name, facts)
        self._calibration: Calibration = facts.calibration
        engine, depth = _allowed(artifact, runtime, precision)
        self.runtime = runtime_name(engine, depth)
        logger.info("%s %s runs on %s", self.name, self.version[:19], self.runtime)
        self._model = load_model(artifact, engine, depth)
        self._offset = offset(artifact, self.runtime)

    def score(
        self, images: NDArray[np.uint8], explained: Sequence[int] = ()
    ) -> list[BasePrediction]:
        """Return one prediction an image, for ``images`` (n, 224, 224) uint8.

        ``explained`` are the indices of those that want a map; the others have none.
        """
        if isinstance(self._model, MeasurementModel):
            measurements = self._model.measurements(images)
            found = self._probability(self._model.logits(measurements))
            said = self._model.measured(measurements)
            return [BasePrediction(float(p), None, m) for p, m in zip(found, said, strict=True)]
        logits, maps = self._model.raw_logits(images, explained)
        drawn = dict(zip(explained, maps, strict=True))
        return [
            BasePrediction(float(p), drawn.get(i)) for i, p in enumerate(self._probability(logits))
        ]

    def _probability(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._calibration.probability(logits + self._offset)


def offset(artifact: Artifact, runtime: str) -> float:
    """Return what is added to the raw logits of ``runtime``: measured where it was exported."""
    return artifact.facts(NetworkManifest).runtimes[runtime].offset


def _auroc(name: str, facts: BaseManifest) -> float:
    """Return what decides which base model speaks where the stack does not answer."""
    auroc = facts.metrics.get("auroc")
    if auroc is None or auroc.value is None:
        raise ArtifactError(f"{name}: the manifest has no auroc")
    return auroc.value


def base_name(name: str) -> BaseName:
    for base in BASES:
        if name == base:
            return base
    raise ArtifactError(f"{name} is no base model; there are {', '.join(BASES)}")


def load_model(artifact: Artifact, runtime: RuntimeName, precision: Precision = "f32") -> BaseModel:
    """Return the model of ``artifact``, compiled for this machine, whatever it is allowed on."""
    facts = artifact.facts(NetworkManifest)
    weighed = facts.measurements
    return open_model(
        artifact.folder,
        facts.network,
        FOREST_FILE in facts.files,
        runtime,
        precision,
        None if weighed is None else Bone.from_manifest(weighed.model_dump()),
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
    table = artifact.facts(NetworkManifest).runtimes
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
