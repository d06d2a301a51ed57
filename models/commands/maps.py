"""``python -m models maps``: whether the served models' heat maps lie in the spine, on phantoms and
on scans whose drawn outlines are known."""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models import artifact, phantom
from models.commands.data import path
from models.dataset import outlines
from models.evaluation.tables import table
from models.explanation import location
from models.explanation.location import Location
from models.image import recipe
from models.image.scan import Scan
from models.inference.base import Scorer
from models.inference.ensemble import BATCH
from models.phantom import HELD_OUT, Artefact
from models.types import MAPPED, Label
from models.vertebrae.geometry import Spine

COUNT: Final = 60
SEED: Final = 11


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=path, help="scans with drawn outlines, to measure on too")


def run(options: argparse.Namespace) -> int:
    """Measure, write and print; exit status 1 when a map as a whole is no better than chance."""
    root = artifact.artifacts_folder()
    found = measure(root, options.data)
    location.write(root, found)
    rows = [
        [name, part, f"{one.inside}/{one.images}", f"{one.ratio:.2f}", str(one.beyond_chance)]
        for name, where in found.items()
        for part, one in (
            ("all", where.either), ("for", where.speaks_for), ("against", where.speaks_against)
        )
    ]  # fmt: skip
    print(table(["model", "evidence", "inside", "ratio", "more than chance"], rows))
    return 0 if all(where.either.beyond_chance for where in found.values()) else 1


def measure(root: Path, data: Path | None = None) -> dict[str, Location]:
    """Return it for every base model that is served from ``root``; ``data`` are scans, those with
    drawn outlines of which are measured on as well."""
    scans = None if data is None else outlined(data)
    found: dict[str, Location] = {}
    for name in MAPPED:
        scorer = Scorer(artifact.load(name, root))
        found[name] = Location(
            scorer.version,
            _evidence(scorer, *drawn()),
            None if scans is None else _evidence(scorer, *scans),
        )
    return found


def _evidence(
    scorer: Scorer, images: NDArray[np.uint8], spines: NDArray[np.bool_]
) -> location.Evidence:
    maps = [
        vote.map
        for start in range(0, len(images), BATCH)
        for some in [images[start : start + BATCH]]
        for vote in scorer.score(some, range(len(some)))
        if vote.map is not None
    ]
    return location.measure(np.stack(maps), spines)


def outlined(data: Path) -> tuple[NDArray[np.uint8], NDArray[np.bool_]] | None:
    """Return canonical images of the scans at ``data`` without their drawn lines, and L1–L4 of
    them; None where none has lines."""
    found = outlines(data)
    if not found:
        return None
    spines = [Spine.of(one.levels) for one in found]
    nothing = np.zeros((recipe.SIDE, recipe.SIDE), bool)
    images = [
        recipe.prepare(Scan(one.clean, 8, "png"), spine, nothing)
        for one, spine in zip(found, spines, strict=True)
    ]
    masks = [_upright(one.levels > 0, spine) for one, spine in zip(found, spines, strict=True)]
    return np.stack(images), np.stack(masks)


@cache
def drawn() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return canonical images of phantoms, every other one with osteoporosis, and their spines."""
    rng = np.random.default_rng(SEED)
    labels: tuple[Label, ...] = ("osteoporosis", "normal") * (COUNT // 2)
    made = [phantom.draw(rng, label, HELD_OUT, Artefact.NONE) for label in labels]
    return (
        np.stack([one.canonical for one in made]),
        np.stack([_upright(one.spine_mask, one.spine) for one in made]),
    )


def _upright(mask: NDArray[np.bool_], spine: Spine) -> NDArray[np.bool_]:
    """Return ``mask`` of an image, in whose frame ``spine`` lies, in its canonical image."""
    height, width = mask.shape
    matrix = recipe.place(spine, width, height).matrix
    side = (recipe.SIDE, recipe.SIDE)
    picture = Image.fromarray(mask.astype(np.float32))
    moved = picture.transform(
        side, Image.Transform.AFFINE, tuple(matrix.ravel()), Image.Resampling.BILINEAR
    )
    return np.asarray(np.asarray(moved) > 0.5)
