"""``python -m models verify``: is what is served whole, and does it answer alike everywhere?

Checksums of every served artefact; then each runtime that an artefact allows, against Keras in
float32 on the artefact's own weights. What this machine does not have, such as bfloat16, is named
as not checked at the end: that it failed nothing says nothing of it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models import artifact, phantom
from models.artifact import Artifact, ArtifactError
from models.commands.data import left_out, path
from models.dataset import load
from models.inference.base import (
    BaseModel,
    ForestModel,
    MeasurementModel,
    NetworkModel,
    load_model,
    offset,
)
from models.inference.bone import Bone
from models.inference.calibration import Calibration
from models.inference.forest import FILE as FOREST_FILE
from models.inference.forest import Forest
from models.manifest import BaseManifest, NetworkManifest
from models.runtime import Files, KerasRuntime, installed, parse_name, supported
from models.training import parity
from models.types import BASES

PHANTOMS: Final = 16
SEED: Final = 7


@dataclass(frozen=True)
class Row:
    """One line of the answer. ``holds`` is None for what could not be looked at here."""

    model: str
    checked: str
    finding: str
    holds: bool | None


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=path, help="labelled images to compare on; generated phantoms without"
    )


def run(options: argparse.Namespace) -> int:
    """Print a row a check; exit status 1 when one failed."""
    if options.data is None:
        print(f"Compared on {PHANTOMS} generated phantoms; --data takes real images.")
        images = _phantoms()
    else:
        data = load(options.data)
        left_out(data.skipped)
        images = data.images
        print(f"Compared on {len(images)} images.")
    failed = 0
    unchecked: list[str] = []
    for name in artifact.served(artifact.artifacts_folder()):
        for row in verify(name, images):
            status = {True: "ok", False: "FAILED", None: "not checked"}[row.holds]
            print(f"{row.model:9} {row.checked:14} {status:11} {row.finding}", flush=True)
            failed += row.holds is False
            if row.holds is None:
                unchecked.append(f"{row.model} {row.checked}")
    if unchecked:
        print(f"Not checked here, to be run where it is to be had: {', '.join(unchecked)}.")
    return 1 if failed else 0


def verify(name: str, images: NDArray[np.uint8]) -> list[Row]:
    """Return what was found of the served model ``name`` on ``images`` (n, 224, 224) uint8."""
    try:
        model = artifact.load(name)
    except ArtifactError as error:
        return [Row(name, "checksums", str(error), holds=False)]
    rows = [Row(name, "checksums", f"{len(model.manifest['files'])} files", holds=True)]
    if name not in BASES:
        return rows
    if not installed("keras"):
        return [*rows, Row(name, "runtimes", "TensorFlow is not installed: no reference", None)]
    facts = model.facts(BaseManifest)
    calibration = facts.calibration
    expected = calibration.probability(parity.raw_logits(reference(model), images))
    return rows + [
        _compare(model, runtime, calibration, images, expected) for runtime in facts.runtimes
    ]


def reference(model: Artifact) -> BaseModel:
    """Return ``model`` on Keras, float32, nothing compiled."""
    from models import networks  # noqa: PLC0415 - both import Keras
    from models.networks import weights  # noqa: PLC0415 - both import Keras

    facts = model.facts(NetworkManifest)
    network = networks.build(facts.network)
    weights.from_bytes(network, model.path(Files.WEIGHTS).read_bytes())
    runtime = KerasRuntime(network)
    if facts.measurements is not None:
        return MeasurementModel(runtime, Bone.from_manifest(facts.measurements.model_dump()))
    if FOREST_FILE not in facts.files:
        return NetworkModel(runtime)
    return ForestModel(runtime, Forest.from_bytes(model.path(FOREST_FILE).read_bytes()))


def _compare(
    model: Artifact,
    runtime: str,
    calibration: Calibration,
    images: NDArray[np.uint8],
    expected: NDArray[np.float64],
) -> Row:
    try:
        choice = parse_name(runtime)
    except ValueError as error:
        return Row(model.name, runtime, str(error), holds=False)
    if not supported(*choice):
        return Row(model.name, runtime, "not to be had on this machine", holds=None)
    raw = parity.raw_logits(load_model(model, *choice), images)
    found = calibration.probability(raw + offset(model, runtime))
    facts = model.facts(BaseManifest)
    result = parity.difference(found, expected, facts.threshold)
    stated = facts.runtimes[runtime].max_difference
    finding = (
        f"largest difference {result.largest:.1e} (allowed {parity.LARGEST}, when built "
        f"{stated:.1e}), {result.changed} decisions changed"
    )
    return Row(model.name, runtime, finding, result.holds())


def _phantoms() -> NDArray[np.uint8]:
    rng = np.random.default_rng(SEED)
    return np.stack([phantom.draw(rng).canonical for _ in range(PHANTOMS)])
