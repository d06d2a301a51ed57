"""``python -m models maps``: whether the served models' heat maps lie in the spine, on phantoms."""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models import artifact, phantom
from models.evaluation.tables import table
from models.explanation import location
from models.explanation.location import Location
from models.image import recipe
from models.inference.base import Scorer
from models.phantom import HELD_OUT, Artefact
from models.types import MAPPED, Label

COUNT: Final = 60
SEED: Final = 11


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("maps", help="measure whether heat maps lie in the spine")
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Measure, write and print; exit status 1 when a map as a whole is no better than chance."""
    root = artifact.artifacts_folder()
    found = measure(root)
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


def measure(root: Path) -> dict[str, Location]:
    """Return it for every base model that is served from ``root``."""
    images, spines = drawn()
    found: dict[str, Location] = {}
    for name in MAPPED:
        scorer = Scorer(artifact.load(name, root))
        votes = scorer.score(images, range(COUNT))
        maps = np.stack([vote.map for vote in votes if vote.map is not None])
        found[name] = location.measure(scorer.version, maps, spines)
    return found


@cache
def drawn() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return canonical images of phantoms, every other one with osteoporosis, and their spines."""
    rng = np.random.default_rng(SEED)
    labels: tuple[Label, ...] = ("osteoporosis", "normal") * (COUNT // 2)
    made = [phantom.draw(rng, label, HELD_OUT, Artefact.NONE) for label in labels]
    return np.stack([one.canonical for one in made]), np.stack([_upright(one) for one in made])


def _upright(one: phantom.Phantom) -> NDArray[np.bool_]:
    """Return the mask of the phantom's spine in its canonical image."""
    height, width = one.image.shape
    matrix = recipe.place(one.spine, width, height).matrix
    side = (recipe.SIDE, recipe.SIDE)
    picture = Image.fromarray(one.spine_mask.astype(np.float32))
    moved = picture.transform(
        side, Image.Transform.AFFINE, tuple(matrix.ravel()), Image.Resampling.BILINEAR
    )
    return np.asarray(np.asarray(moved) > 0.5)
