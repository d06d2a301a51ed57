"""Whether the patient moved: rows of the scan that are shifted sideways against their neighbours.

A scanner sees one row after the other. Where somebody moves, everything in a row stands aside from
what the row above shows, at once; bone that narrows or ends does so on both sides or gradually.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image.recipe import SIDE, Canonical
from models.vertebrae.geometry import Spine

BLOCK: Final = 3
"""Rows averaged on either side of a break."""

SHIFTS: Final = np.arange(-12, 13)
STILL: Final = 3
"""Pixels of a frame from which on rows are shifted: less is a slanted edge."""

AROUND: Final = 2.2
"""Widths of the column that are compared: what lies beside it moves along."""

BEYOND: Final = 0.8
"""Pitches above the first and below the last level's centre."""

PLAIN: Final = 40
"""Pixels either side whose mean is taken off: how bright a column is says nothing of its place."""

BACK: Final = 0.5
"""Weight of a second break that goes the other way: whoever moves mostly lies back."""

APART: Final = 6
"""Rows between the two at least."""

Floats = NDArray[np.float32]


def displaced(cleaned: Canonical, spine: Spine) -> float:
    """Return how much better rows fit to those above them when they are shifted by :data:`STILL`
    pixels or more: 0 for not at all, 1 for a break behind which all is the same.

    ``cleaned`` is a frame (224, 224) without drawn graphics, which do not move, and ``spine`` what
    was found in it. Of each row r let b and a be the means of the :data:`BLOCK` rows from r on and
    before it, and c(s) the correlation of a with b shifted by s. What is told is the largest
    max(c) × (max(c) − c(0)), plus :data:`BACK` times that of a second break in the other direction.
    """
    correlation = _correlations(_rows(cleaned, spine), spine)
    if not correlation.size:
        return 0.0
    middle = len(SHIFTS) // 2
    shift = SHIFTS[correlation.argmax(0)]
    best = correlation.max(0)
    gain = np.clip(best, 0, 1) * (best - correlation[middle - 1 : middle + 2].max(0))
    gain[np.abs(shift) < STILL] = 0
    first = int(gain.argmax())
    other = np.where(np.sign(shift) == -np.sign(shift[first]), gain, 0)
    other[max(0, first - APART) : first + APART + 1] = 0
    return float(gain[first] + BACK * other.max())


def _rows(cleaned: Canonical, spine: Spine) -> Floats:
    """Return the rows of the column, smoothed along themselves and without their slow changes."""
    top = int(spine.levels[0].centre[1] - BEYOND * spine.pitch)
    bottom = int(spine.levels[-1].centre[1] + BEYOND * spine.pitch)
    rows = cleaned[max(0, top) : min(SIDE, bottom)].astype(np.float32)
    padded = np.pad(rows, ((0, 0), (2, 2)), mode="edge")
    smooth = padded[:, :-4] + padded[:, 4:]
    smooth += 2 * (padded[:, 1:-3] + padded[:, 2:-2] + padded[:, 3:-1])
    smooth /= 8
    sums = np.cumsum(np.pad(smooth, ((0, 0), (PLAIN + 1, PLAIN)), mode="edge"), 1)
    width = 2 * PLAIN + 1
    plain: Floats = smooth - (sums[:, width:] - sums[:, :-width]) / width
    return plain


def _correlations(rows: Floats, spine: Spine) -> Floats:
    """Return (25, n): the correlation of each block with the one below it, at each shift."""
    reach = int(SHIFTS[-1])
    middle = float(np.mean([level.centre[0] for level in spine.levels]))
    half = int(AROUND * spine.width / 2)
    left = int(np.clip(middle - half, reach, SIDE - reach - 20))
    right = int(np.clip(middle + half, left + 20, SIDE - reach))
    sums = np.cumsum(np.pad(rows, ((1, 0), (0, 0))), 0)
    blocks = (sums[BLOCK:] - sums[:-BLOCK]) / BLOCK
    above, below = blocks[:-BLOCK], blocks[BLOCK:]
    kept = above[:, left:right]
    strength = np.sqrt(np.vecdot(kept, kept))
    found = np.empty((len(SHIFTS), len(kept)), np.float32)
    for place, shift in enumerate(SHIFTS):
        moved = below[:, left + shift : right + shift]
        found[place] = np.vecdot(kept, moved)
        found[place] /= strength * np.sqrt(np.vecdot(moved, moved)) + 1e-3
    return found
