"""A base model as the runners and the evaluation use it: canonical images in, votes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact, ArtifactError
from models.calibration import Calibration, logit
from models.runtime import (
    Precision,
    Runtime,
    RuntimeName,
    choose_backend,
    compile_network,
    runtime_name,
)
from models.types import BASES, BaseName

if TYPE_CHECKING:
    from models.forest import Forest


@dataclass(frozen=True, eq=False)
class Vote:
    """What one base model says of one image.

    ``probability`` is calibrated; ``map`` is (h, w) float32 evidence for osteoporosis, in logit
    units times h·w, None for a model that has none.
    """

    probability: float
    map: NDArray[np.float32] | None


class BaseModel(Protocol):
    """Scores a batch; ``raw_logits`` are before calibration, shape (n,)."""

    def raw_logits(
        self, images: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]: ...


class NetworkModel:
    """A network that ends in a linear head: its logit and class activation map."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def raw_logits(
        self, images: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        logits, maps = self._runtime(images)
        return logits[:, 0].astype(np.float64), maps[..., 0]


class ForestModel:
    """A network for features, a forest for the answer."""

    def __init__(self, runtime: Runtime, forest: Forest) -> None:
        self._runtime = runtime
        self._forest = forest

    def raw_logits(
        self, images: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        (features,) = self._runtime(images)
        return logit(self._forest.severity(features)), None


class Scorer:
    """A served base model: the artefact's facts and the model that it describes."""

    def __init__(
        self,
        artifact: Artifact,
        runtime: RuntimeName = "openvino",
        precision: Precision = "f32",
    ) -> None:
        self.name = base_name(artifact.name)
        self.version = artifact.version
        self.recipe = str(artifact.manifest["recipe"])
        self.threshold = float(artifact.manifest["threshold"])
        low, high = artifact.manifest["band"]
        self.band = (float(low), float(high))
        self.auroc = float(artifact.manifest["metrics"]["auroc"]["value"])
        self._calibration = Calibration(**artifact.manifest["calibration"])
        self.runtime = runtime_name(runtime, precision)
        if self.runtime not in artifact.manifest["runtimes"]:
            raise ArtifactError(
                f"{self.name} was not shown to answer alike on {self.runtime}; "
                f"allowed are {', '.join(artifact.manifest['runtimes'])}"
            )
        self._model = load_model(artifact, runtime, precision)

    def score(self, images: NDArray[np.uint8]) -> list[Vote]:
        """Return one vote an image, for ``images`` (n, 224, 224) uint8."""
        logits, maps = self._model.raw_logits(images)
        probabilities = self._calibration.probability(logits)
        return [
            Vote(float(p), None if maps is None else maps[i]) for i, p in enumerate(probabilities)
        ]


def base_name(name: str) -> BaseName:
    for base in BASES:
        if name == base:
            return base
    raise ArtifactError(f"{name} is no base model; there are {', '.join(BASES)}")


def load_model(
    artifact: Artifact, runtime: RuntimeName = "openvino", precision: Precision = "f32"
) -> BaseModel:
    """Return the model of ``artifact``, compiled for this machine."""
    choose_backend()
    from models import networks, weights  # noqa: PLC0415 - imports Keras, after its backend is set

    network = networks.build(artifact.manifest["network"])
    weights.from_bytes(network, artifact.path("weights.safetensors").read_bytes())
    compiled = compile_network(network, runtime, precision)
    if "forest.skops" not in artifact.manifest["files"]:
        return NetworkModel(compiled)
    from models.forest import Forest  # noqa: PLC0415 - scikit-learn, for one of three runners

    return ForestModel(compiled, Forest.from_bytes(artifact.path("forest.skops").read_bytes()))
