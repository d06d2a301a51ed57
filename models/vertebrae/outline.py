"""From the maps of the vertebrae network to outlined levels and the mask of drawn graphics.

A pixel alone hardly knows its level: vertebrae look alike. So the levels are found together: the
maps are averaged across the column, which leaves a profile along the spine, and the five boundaries
of L1–L4 are the chain of rows that the profiles of boundaries and levels agree on best (dynamic
programming, as in Schmidt et al., MICCAI 2007, for chains of vertebrae).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from models.image.recipe import SIDE, Canonical
from models.vertebrae import strokes
from models.vertebrae.geometry import LEVELS, UNKNOWN, Level, Outlined, Point, Sides, Spine

OTHER: Final = 5
"""The class of vertebrae above L1 and below L4; 0 is background, 1–4 are L1–L4."""

GRAPHICS: Final = 6
BOUNDARY: Final = 7
"""Channels behind the classes: drawn graphics, and where one vertebra ends and the next begins."""

SMALLEST: Final = 1500
"""Pixels of a frame (224×224) that L1–L4 together have at least: a third of the least in training.
"""

SHORTEST: Final = 14
LONGEST: Final = 64
"""Pixels of a frame from one boundary to the next."""

LEAST: Final = 0.02
"""Probability that a level has everywhere: one row that says otherwise must not decide."""

EVENNESS: Final = 0.12
"""What a step that is a tenth longer or shorter than the one before costs, in the units of a
boundary's probability."""

BIN: Final = 2
"""Pixels along the spine that the chain of boundaries is looked for in; each is refined after."""

REACH: Final = 6
"""Pixels along the spine in which a boundary's own tilt is looked for."""

STIFFNESS: Final = 2000.0
"""Square pixels that speak for a boundary straight across the column."""

STEEPEST: Final = 0.25
"""Slope of a boundary against the column's axis at most."""

BESIDE: Final = 0.8
"""Widths of the column from its middle within which its sides are looked for: ribs and pelvis join
it farther out."""

EVERY: Final = 2
"""Rows of a frame from one point of a side to the next."""

Maps = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """``levels`` (224, 224) uint8: 1–4 where L1–L4 were found, else 0; ``confidence`` (4,), the
    probability of each level among those that it could be; ``column`` (224, 224) bool: vertebrae,
    of whichever level."""

    levels: NDArray[np.uint8]
    confidence: NDArray[np.float64]
    column: NDArray[np.bool_]


def segment(maps: Maps) -> Segmentation:
    """Return which pixel belongs to which level, of ``maps`` (224, 224, 8) logits."""
    # Channels first: sums over a short last axis take ten times as long.
    channels = np.ascontiguousarray(np.moveaxis(maps, -1, 0))
    raised = np.exp(channels[: OTHER + 1] - channels[: OTHER + 1].max(0))
    probabilities = raised / raised.sum(0)
    levels = np.zeros(maps.shape[:2], np.uint8)
    nothing = Segmentation(levels, np.zeros(len(LEVELS)), np.zeros(levels.shape, bool))
    lumbar = probabilities[1:OTHER].sum(0)
    found = _largest(lumbar > 0.5)
    if np.count_nonzero(found) < SMALLEST:
        return nothing
    sine, cosine = _axis(np.where(found, lumbar, 0))
    column = _largest(ndimage.binary_opening(probabilities[0] < 0.5, iterations=2))
    rows, columns = np.nonzero(column)
    along = (columns + 0.5) * sine + (rows + 0.5) * cosine
    across = (columns + 0.5) * cosine - (rows + 0.5) * sine
    own = found[rows, columns]
    if np.count_nonzero(own) < SMALLEST:
        return nothing
    middle = float(across[own].mean())
    near = np.abs(across - middle) < 2 * across[own].std() + 8
    rows, columns, along, across = rows[near], columns[near], along[near], across[near] - middle
    base = float(np.floor(along.min()))
    along -= base
    boundary = 1 / (1 + np.exp(-channels[BOUNDARY, rows, columns]))
    profile, likely = _profiles(
        along.astype(np.intp), probabilities[1:OTHER, rows, columns], boundary
    )
    binned = _binned(profile)
    if len(binned) <= len(LEVELS) * (SHORTEST // BIN):
        # What is found is shorter than four levels can be, as where a spine is seen from its side.
        return nothing
    chain, confidence = _chain(binned, _binned(likely))
    number = np.zeros(len(rows), np.uint8)
    for coarse in chain:
        at = _refined(profile, coarse * BIN)
        number += along - at > _slope(boundary, along - at, across) * across
    number[number > len(LEVELS)] = 0
    levels[rows, columns] = number
    for one in range(1, len(LEVELS) + 1):
        levels[(levels == one) & ~_largest(levels == one)] = 0
    return Segmentation(levels, confidence, column)


def outline(maps: Maps, framed: Canonical) -> Outlined:
    """Return the levels and graphics of ``framed``, of which ``maps`` (224, 224, 8) are, in its
    pixels."""
    found = segment(maps)
    graphics = strokes.ink(framed, maps[..., GRAPHICS])
    levels = tuple(
        _level(name, found.levels == number, float(found.confidence[number - 1]))
        for number, name in enumerate(LEVELS, start=1)
        if np.count_nonzero(found.levels == number) >= SMALLEST // 10
    )
    try:
        spine = Spine(levels)
    except ValueError:
        return Outlined(None, graphics)
    return Outlined(replace(spine, sides=_sides(found.column, spine)), graphics)


def _sides(column: NDArray[np.bool_], spine: Spine) -> Sides:
    """Return the rim of ``column`` in each :data:`EVERY` th row, without the image's outermost."""
    if len(spine.levels) < len(LEVELS):
        return UNKNOWN
    centres = np.array([level.centre for level in spine.levels])
    first, last = centres[0, 1], centres[-1, 1]
    reach = 1.5 * spine.pitch
    rows = np.arange(max(1, int(first - reach)), min(SIDE - 2, int(last + reach)) + 1, EVERY)
    middles = rows + 0.5
    # The middle runs straight on beyond the outer centres: a parabola would leave the column.
    inner = np.clip(middles, first, last)
    curve = np.polyfit(centres[:, 1], centres[:, 0], 2)
    middle = np.polyval(curve, inner) + np.polyval(np.polyder(curve), inner) * (middles - inner)
    apart = np.abs(np.arange(SIDE) + 0.5 - middle[:, None])
    inside = column[rows] & (apart < BESIDE * spine.width)
    seen = inside.any(1)
    inside, middles = inside[seen], middles[seen]
    left, right = inside.argmax(1), SIDE - inside[:, ::-1].argmax(1)
    return (
        tuple(zip(left.astype(float).tolist(), middles.tolist(), strict=True)),
        tuple(zip(right.astype(float).tolist(), middles.tolist(), strict=True)),
    )


def _axis(weight: NDArray[np.floating]) -> tuple[float, float]:
    """Return sine and cosine of the angle by which the middle of ``weight`` runs off the vertical,
    positive when it runs to the right on its way down."""
    total = weight.sum(1)
    rows = np.flatnonzero(total > total.max() / 4)
    middles = (weight[rows] @ (np.arange(weight.shape[1]) + 0.5)) / total[rows]
    slope = float(np.polyfit(rows + 0.5, middles, 1)[0])
    length = float(np.hypot(1, slope))
    return slope / length, 1 / length


def _profiles(
    place: NDArray[np.intp], levels: Maps, boundary: Maps
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return along the axis the mean probability of a boundary (n,) and log of levels (4, n).

    ``place`` (pixels,) says where along the axis each pixel of the column lies.
    """
    length = int(place.max()) + 1
    covered = np.maximum(np.bincount(place, minlength=length), 1)

    def mean(values: Maps) -> NDArray[np.float64]:
        return np.asarray(np.bincount(place, values, minlength=length) / covered)

    likely = np.stack([mean(values) for values in levels])
    return mean(boundary), np.log(np.maximum(likely, LEAST))


def _binned(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of :data:`BIN` neighbours along the last axis."""
    length = values.shape[-1] // BIN * BIN
    return np.asarray(values[..., :length].reshape(*values.shape[:-1], -1, BIN).mean(-1))


def _refined(profile: NDArray[np.float64], at: float) -> float:
    """Return the centroid of the boundary near ``at`` along the axis."""
    near = np.arange(max(0, round(at) - 2), min(len(profile), round(at) + 2 + BIN))
    weight = profile[near] + 1e-3
    return float(weight @ (near + 0.5) / weight.sum())


def _chain(
    boundary: NDArray[np.float64], levels: NDArray[np.float64]
) -> tuple[list[int], NDArray[np.float64]]:
    """Return the five boundaries along the axis, in bins, and how sure each level is.

    The profiles are long enough for four levels of :data:`SHORTEST` pixels.

    A chain's score is the sum of its boundaries' probabilities, of the mean log probability of each
    level between them, and of a penalty on uneven steps.
    """
    length = len(boundary)
    sums = np.concatenate([np.zeros((len(levels), 1)), np.cumsum(levels, 1)], 1)
    steps = _steps()
    starts = np.arange(length)
    # best[k][t, s]: of chains whose boundary k is at t and last step is s.
    best = np.full((length, len(steps)), -np.inf)
    came: list[NDArray[np.intp]] = []
    for number in range(len(levels)):
        before = starts[:, None] - steps[None]
        valid = before >= 0
        origin = np.clip(before, 0, None)
        gain = (sums[number][starts][:, None] - sums[number][origin]) / steps + boundary[:, None]
        if number == 0:
            score = gain + boundary[origin]
            came.append(np.zeros(score.shape, np.intp))
        else:
            # (t', s') → s: what an uneven step costs.
            moved = best[:, :, None] - _uneven()[None]
            chosen = moved.argmax(1)
            reached = np.take_along_axis(moved, chosen[:, None], 1)[:, 0]
            picked = np.arange(len(steps))[None]
            score = gain + reached[origin, picked]
            came.append(chosen[origin, picked])
        best = np.where(valid, score, -np.inf)
    at, step = np.unravel_index(int(best.argmax()), best.shape)
    chain = [int(at)]
    for number in range(len(levels) - 1, -1, -1):
        previous = chain[0] - int(steps[step])
        step = came[number][chain[0], step]
        chain.insert(0, previous)
    return chain, _confidence(chain, sums)


def _confidence(chain: list[int], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each vertebra of ``chain`` the share of its level among the four levels."""
    means = np.array([(sums[:, b] - sums[:, a]) / (b - a) for a, b in pairwise(chain)])
    raised = np.exp(means)
    return np.asarray(np.diag(raised) / raised.sum(1))


@cache
def _steps() -> NDArray[np.intp]:
    """Return the bins that a level may span."""
    return np.arange(SHORTEST // BIN, LONGEST // BIN + 1)


@cache
def _uneven() -> NDArray[np.float64]:
    steps = _steps()
    ratio = np.log(steps[:, None] / steps[None])
    return np.asarray(EVENNESS * (ratio / 0.1) ** 2 / 2)


def _slope(
    weight: NDArray[np.floating], off: NDArray[np.float64], across: NDArray[np.float64]
) -> float:
    """Return how steeply a boundary near ``off`` = 0 crosses the column, by weighted least squares
    through its middle."""
    near = np.abs(off) <= REACH
    weight, off, across = weight[near], off[near], across[near]
    total = float(weight @ across**2) + STIFFNESS
    return float(np.clip(float(weight @ (across * off)) / total, -STEEPEST, STEEPEST))


def _level(name: str, mask: NDArray[np.bool_], confidence: float) -> Level:
    area = float(np.count_nonzero(mask))
    rows, columns = np.nonzero(mask)
    return Level(
        level=LEVELS[LEVELS.index(name)],
        outline=_polygon(mask),
        centre=(float(columns.mean() + 0.5), float(rows.mean() + 0.5)),
        area=area,
        confidence=confidence,
    )


def _polygon(mask: NDArray[np.bool_]) -> tuple[Point, ...]:
    """Return the outer boundary of ``mask``, clockwise: its left and right edge in each row."""
    rows = np.flatnonzero(mask.any(1))
    left = mask[rows].argmax(1)
    right = mask.shape[1] - mask[rows, ::-1].argmax(1)
    top, bottom = float(rows[0]), float(rows[-1] + 1)
    middles = rows + 0.5
    down = [(float(x), float(y)) for x, y in zip(right, middles, strict=True)]
    up = [(float(x), float(y)) for x, y in zip(left, middles, strict=True)][::-1]
    return (
        (float(left[0]), top),
        (float(right[0]), top),
        *down,
        (float(right[-1]), bottom),
        (float(left[-1]), bottom),
        *up,
    )


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest connected piece of ``mask``."""
    pieces, count = ndimage.label(mask)
    if count < 2:
        return np.asarray(mask, bool)
    return np.asarray(pieces == 1 + np.bincount(pieces.ravel())[1:].argmax())
