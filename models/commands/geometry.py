"""``python -m models geometry``: how far the curve and the tilt of a spine are off.

The curve is measured on phantoms, whose truth is known; where ``--data`` names labelled images,
both are on those, turned by known angles.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from models import artifact
from models.commands.data import left_out, path
from models.dataset import images
from models.evaluation.geometry import Curved, curves, turns
from models.evaluation.tables import table
from models.inference.base import Outliner

NEAR = 2.0
"""Degrees within which a curve is to lie."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--phantoms", type=int, default=400, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the phantoms (%(default)s)")
    parser.add_argument("--data", type=path, help="labelled images, which are turned")


def run(options: argparse.Namespace) -> int:
    """Print a table of curves by what was drawn, and a line each on turned images."""
    outline = Outliner(artifact.load("vertebrae", artifact.artifacts_folder())).outline
    found = list(curves(outline, options.phantoms, options.seed))
    print(
        table(
            ["phantoms", "number", "no angle", "mean |error|", "mean error", "within 2°", "held"],
            [_row(name, rows) for name, rows in _groups(found) if rows],
        )
    )
    if options.data is None:
        return 0
    skipped: Counter[str] = Counter()
    scans = [scan for _, scan, _ in images(options.data, skipped)]
    left_out(skipped)
    turned = list(turns(scans, outline))
    _tell("tilt", [one.tilt for one in turned])
    _tell("curve", [one.curve for one in turned if one.curve is not None])
    return 0


def _tell(what: str, found: Sequence[float]) -> None:
    off = np.abs(found)
    print(
        f"{what} of {len(off)} turned images: off by {off.mean():.2f}° on the mean, "
        f"{np.percentile(off, 90):.2f}° at the 90th and {np.percentile(off, 95):.2f}° at the 95th "
        "percentile"
    )


def _groups(found: Sequence[Curved]) -> list[tuple[str, list[Curved]]]:
    steps = range(0, math.ceil(max((one.drawn for one in found), default=0.0)), 10)
    return [
        ("all", list(found)),
        *((f"{a}–{a + 10}°", [o for o in found if a <= o.drawn < a + 10]) for a in steps),
        *(
            (artefact.value, [one for one in found if one.artefact is artefact])
            for artefact in sorted({one.artefact for one in found})
        ),
    ]


def _row(name: str, rows: Sequence[Curved]) -> list[str]:
    errors = np.array([one.error for one in rows if one.error is not None])
    counts = [name, str(len(rows)), str(len(rows) - len(errors))]
    if not len(errors):
        return [*counts, "–", "–", "–", "–"]
    held = np.mean([one.held for one in rows if one.found is not None])
    near = np.mean(np.abs(errors) <= NEAR)
    return [
        *counts,
        f"{np.abs(errors).mean():.2f}°",
        f"{errors.mean():+.2f}°",
        f"{near:.1%}",
        f"{held:.1%}",
    ]
