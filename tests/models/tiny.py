"""A whole ensemble of tiny, untrained models, exported as training does: seconds to make."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from models import artifact, networks, phantom
from models.inference import stack
from models.inference.bone import KEY, Bone
from models.inference.calibration import Calibration, OperatingPoint
from models.manifest import BaseManifest, StackManifest
from models.training import forest, vertebrae
from models.training.export.conversion import compile_network
from models.training.export.export import export
from models.training.trainer import Fitted
from models.types import BASES, BaseName
from models.vertebrae.measurements import NAMES

CONFIGS: Final[dict[BaseName, dict[str, Any]]] = {
    "cnn": {"name": "cnn", "widths": [4, 8]},
    "vgg16": {"name": "vgg16", "widths": [4, 4, 8, 8, 8]},
    "resnet": {"name": "resnet", "blocks": [1, 1]},
}
"""``bone`` measures in what the shipped network of vertebrae outlines: an untrained one finds none.
"""

POINT: Final = OperatingPoint(0.001, (0.0005, 0.002))
"""Far from what untrained models answer, so that no rounding changes a decision."""

METRICS: Final = {"auroc": {"value": 0.5, "low": 0.4, "high": 0.6}}
DATA: Final = {"provenance": "Phantoms.", "digest": "sha256:tiny", "counts": {}, "groups": 0}


def phantoms(count: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.stack([phantom.draw(rng).canonical for _ in range(count)])


def fitted(name: BaseName, images: np.ndarray) -> Fitted:
    keras.utils.set_random_seed(6)
    if name == "bone":
        outliner = vertebrae.restored(artifact.load("vertebrae", artifact.FOLDER))
        even = np.ones(len(NAMES))
        return replace(outliner, bone=Bone(even, even, even / 10, 0.0))
    network = networks.build(CONFIGS[name])
    if name != "resnet":
        return Fitted(CONFIGS[name], network)
    features = compile_network(network, "keras")(images)[0]
    severity = np.linspace(0.1, 0.9, len(images)).astype(np.float32)
    return Fitted(CONFIGS[name], network, forest.fit(features, severity, seed=1))


def write(root: Path) -> None:
    images = phantoms(6)
    versions: dict[str, str] = {}
    for name in BASES:
        scale = Calibration(slope=0.1, intercept=0.0)
        made = fitted(name, images)
        done = export(made, scale, POINT, images)
        manifest = {
            "network": made.config,
            **({} if made.bone is None else {KEY: made.bone.manifest()}),
            "calibration": asdict(scale),
            "threshold": POINT.threshold,
            "band": list(POINT.band),
            "metrics": METRICS,
            "classes": {},
            "data": DATA,
            "runtimes": done.runtimes,
            "refused_runtimes": done.refused,
            "unchecked_runtimes": done.unchecked,
        }
        versions[name] = artifact.write(root, name, manifest, done.files, BaseManifest).version
    quality = {
        "metrics": METRICS,
        "classes": {},
        "threshold": POINT.threshold,
        "band": list(POINT.band),
    }
    combiner = {"intercept": 0.0, **quality}
    subsets = {
        stack.key(names): {**combiner, "weights": dict.fromkeys(names, 1 / len(names))}
        for names in stack.subsets()
    }
    combined = artifact.write(
        root,
        "stack",
        {"bases": dict(versions), "subsets": subsets, "data": DATA, **quality},
        {},
        StackManifest,
    )
    versions["vertebrae"] = artifact.copy("vertebrae", root).version
    artifact.serve(root, {**versions, "stack": combined.version})
