"""How far the served network's angles are off: the curve on phantoms, tilt and curve on turned
images.

A phantom's curve is known exactly. Of scans nobody knows tilt and curve, but by how much each
changes when the image is turned: the tilt by the turn, the curve not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from models import phantom
from models.dataset.copies import turned
from models.dataset.preparing import eight_bits
from models.image.recipe import SIDE
from models.image.scan import Scan
from models.inference.preparation import Outline, Prepared, prepare
from models.phantom import HELD_OUT, TRAINING, Artefact
from models.vertebrae.curvature import interval
from models.vertebrae.geometry import LEVELS, Spine
from models.vertebrae.report import curved

CURVES: Final = (0.0, 30.0)
"""Degrees that are drawn, evenly; in turn of the training's and of the wider ranges."""

TURNS: Final = (-12, -8, -5, -2, 2, 5, 8, 12)
"""Degrees by which each scan is turned."""


@dataclass(frozen=True)
class Curved:
    """One phantom: what was drawn and ``found``, None where an angle is not told; ``held``: whether
    the interval that is told holds what was drawn."""

    artefact: Artefact
    drawn: float
    found: float | None
    held: bool = False

    @property
    def error(self) -> float | None:
        """Degrees by which the angle is too large."""
        return None if self.found is None else self.found - self.drawn


@dataclass(frozen=True)
class Turned:
    """A turned image: by how many degrees its tilt is off what the turn says, and its curve off the
    one of the image as it was, None where an angle is not told."""

    tilt: float
    curve: float | None


def curves(outline: Outline, count: int, seed: int) -> Iterator[Curved]:
    """Yield what is told of ``count`` phantoms."""
    for number in range(count):
        ranges = replace(HELD_OUT if number % 2 else TRAINING, curvature=CURVES)
        drawn = phantom.draw(np.random.default_rng([seed, number]), nuisance=ranges)
        truth = abs(drawn.curvature)
        (prepared,) = prepare([drawn.scan], outline)
        spine = _sent(prepared)
        if spine is None or len(spine.levels) < len(LEVELS):
            yield Curved(drawn.artefact, truth, None)
            continue
        found, half = curved(spine)
        low, high = interval(found, half)
        yield Curved(drawn.artefact, truth, found, low <= truth <= high)


def turns(scans: Sequence[Scan], outline: Outline) -> Iterator[Turned]:
    """Yield what is told of each of ``scans`` turned by each of :data:`TURNS`."""
    rng = np.random.default_rng(0)  # Turning draws nothing from it.
    for scan in scans:
        image = eight_bits(scan)
        images = [image, *(turned(degrees)(image, rng) for degrees in TURNS)]
        copies = [Scan(one, 8, "png") for one in images]
        first, *others = (_sent(one) for one in prepare(copies, outline))
        for degrees, spine in zip(TURNS, others, strict=True):
            if first is None or spine is None:
                continue
            whole = len(first.levels) == len(spine.levels) == len(LEVELS)
            yield Turned(
                # Turned to the left: the upper end leans less to the right.
                tilt=spine.tilt - first.tilt + degrees,
                curve=curved(spine)[0] - curved(first)[0] if whole else None,
            )


def _sent(prepared: Prepared) -> Spine | None:
    """Return the spine in pixels of the scan, as angles are told of it."""
    spine, scan = prepared.outlined.spine, prepared.scan
    return None if spine is None else spine.scaled(scan.width / SIDE, scan.height / SIDE)
