"""The artefact of the vertebrae network."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models import artifact, networks
from models.artifact import Artifact
from models.image import recipe
from models.image.recipe import FRAME
from models.image.scan import Scan
from models.manifest import NetworkManifest
from models.networks import weights
from models.runtime import (
    Files,
    KerasRuntime,
    Precision,
    RuntimeName,
    open_network,
    runtime_name,
    supported,
)
from models.training import repeatable
from models.training.export import conversion
from models.training.trainer import Fitted
from models.training.vertebrae.fitting import NAME, Example
from models.vertebrae.geometry import LEVELS
from models.vertebrae.outline import segment

TRIED: Final[tuple[tuple[RuntimeName, Precision], ...]] = (
    ("keras", "f32"),
    ("openvino", "f32"),
    ("openvino", "bf16"),
    ("litert", "f32"),
)
ALIKE: Final = 0.995
"""Dice, against the network as trained, of what each runtime outlines; of every image."""


def write(
    root: Path, fitted: Fitted, examples: Sequence[Example], facts: Mapping[str, Any]
) -> Artifact:
    """Write the artefact of ``fitted`` under ``root`` and return it.

    ``examples`` are outlined by every runtime that this machine has; one that outlines otherwise is
    refused. Raises ValueError where even Keras, read back from the file, does.
    """
    frames = np.stack([recipe.frame(Scan(example.clean, 8, "png")) for example in examples])
    expected = _levels(KerasRuntime(fitted.network)(frames)[0])
    runtimes: dict[str, dict[str, float]] = {}
    refused: dict[str, dict[str, float]] = {}
    unchecked: list[str] = []
    files = {
        Files.WEIGHTS: weights.to_bytes(fitted.network, half=False),
        Files.TFLITE: conversion.tflite(fitted.network, half=False),
    }
    with tempfile.TemporaryDirectory(prefix="osteoserve-") as temporary:
        folder = Path(temporary)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        for engine, precision in TRIED:
            name = runtime_name(engine, precision)
            if not supported(engine, precision):
                unchecked.append(name)
                continue
            run = open_network(folder, fitted.config, engine, precision)
            found = _levels(np.asarray(run(frames)[0]))
            worst = min(dice(a, b) for a, b in zip(found, expected, strict=True))
            table = runtimes if worst >= ALIKE else refused
            table[name] = {"max_difference": 1 - worst}
    if runtime_name("keras", "f32") not in runtimes:
        raise ValueError("read back from its file, the network does not outline as trained")
    manifest = {
        "network": fitted.config,
        "origin": "random initial weights, phantoms, then outlines drawn by scanners",
        "outlined": outlined(expected, examples),
        "runtimes": runtimes,
        "refused_runtimes": refused,
        "unchecked_runtimes": unchecked,
        "data": dict(facts),
        "training": repeatable.facts(),
    }
    written = {**files, "card.md": _card(manifest).encode()}
    return artifact.write(root, NAME, manifest, written, NetworkManifest)


def restored(model: Artifact) -> Fitted:
    """Return the network of the artefact ``model``, in Keras."""
    network = networks.build(model.manifest["network"])
    weights.from_bytes(network, model.path(Files.WEIGHTS).read_bytes())
    return Fitted(dict(model.manifest["network"]), network)


def outlined(
    found: Sequence[NDArray[np.uint8]], examples: Sequence[Example]
) -> dict[str, float | int]:
    """Return how well ``found`` levels (each 224×224) match those of ``examples``.

    ``dice`` of L1–L4 together, mean and lowest; ``lines`` the share of boundaries between two
    levels that lie within 3 pixels; ``levels`` the share of images whose four levels are right.
    """
    scores, lines, right = [], [], []
    for levels, example in zip(found, examples, strict=True):
        truth = np.where(example.levels <= len(LEVELS), example.levels, 0)
        scores.append(dice(levels > 0, truth > 0))
        lines += [
            abs(a - b) <= 3 for a, b in zip(_boundaries(levels), _boundaries(truth), strict=True)
        ]
        right.append(all(dice(levels == n, truth == n) > 0.5 for n in range(1, 1 + len(LEVELS))))
    return {
        "images": len(examples),
        "dice": float(np.mean(scores)),
        "dice_lowest": float(np.min(scores)),
        "lines": float(np.mean(lines)),
        "levels": float(np.mean(right)),
    }


def dice(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return twice the overlap of two masks over the sum of both; 1 for two empty ones."""
    one, other = one > 0, other > 0
    total = int(one.sum() + other.sum())
    return 2 * int((one & other).sum()) / total if total else 1.0


def _boundaries(levels: NDArray[np.uint8]) -> list[float]:
    """Return the rows between L1 and L2, L2 and L3, L3 and L4 in the column's middle; NaN where
    one of them is missing."""
    rows = []
    middle = np.zeros(levels.shape, bool)
    across = np.nonzero(levels)[1]
    if across.size:
        at = int(np.median(across))
        middle[:, max(0, at - 15) : at + 15] = True
    for number in range(1, len(LEVELS)):
        above = np.nonzero((levels == number) & middle)[0]
        below = np.nonzero((levels == number + 1) & middle)[0]
        rows.append((above.max() + below.min()) / 2 if above.size and below.size else np.nan)
    return rows


def _levels(maps: NDArray[np.float32]) -> list[NDArray[np.uint8]]:
    return [segment(one).levels for one in maps]


def _card(manifest: Mapping[str, Any]) -> str:
    found, data = manifest["outlined"], manifest["data"]
    lines = [
        "# Vertebrae: outlines of L1–L4, and what is drawn on an image",
        "",
        "Research use only. An outline is no diagnosis, and no level is counted for certain.",
        "",
        f"A U-Net on the whole image ({FRAME}); {manifest['origin']}.",
        "",
        "## Training data",
        "",
        str(data.get("provenance", "")),
        "",
        "## Figures",
        "",
        f"On {found['images']} images without lines, *which it was trained on*: Dice "
        f"{found['dice']:.3f} (lowest {found['dice_lowest']:.2f}), {found['lines']:.0%} of the "
        f"lines between levels within 3 pixels, all levels right in {found['levels']:.0%}.",
        "",
        *(f"{key}: {value}" for key, value in data.get("held_out", {}).items()),
        "",
        "## Runtimes",
        "",
        "1 − Dice against the network as trained, at most:",
        "",
        *(f"- {name}: {f['max_difference']:.4f}" for name, f in manifest["runtimes"].items()),
        *(
            f"- {name}: refused, {f['max_difference']:.4f}"
            for name, f in manifest["refused_runtimes"].items()
        ),
        *(
            f"- {name}: not checked, the machine that trained does not have it"
            for name in manifest["unchecked_runtimes"]
        ),
        "",
        "## Training",
        "",
        *(f"- {name}: {value}" for name, value in manifest["training"].items()),
        "",
    ]
    return "\n".join(lines)
