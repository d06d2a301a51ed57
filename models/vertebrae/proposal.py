"""Where six points of each vertebra of a lateral image may lie: a start for a reader to move.

No model: edges of what is bright along the spine. The column is the brightest band of a body's
width from top to bottom (dynamic programming); along it bodies are bright and discs dark; end
plates are where brightness changes fastest, a parabola through them for each, and the front and the
back where it ends across. How often the grade of points that nobody moved is right was measured on
phantoms (``tests/models/vertebrae/test_proposal.py``), and on nothing else.

numpy alone: the front proposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.vertebrae.geometry import Point
from models.vertebrae.morphometry import LATERAL_LEVELS, LateralLevel, SixPoints

DEPTH: Final = 0.16
"""Of the image's width, about how deep a body is."""

TALL: Final = (0.35, 1.6)
"""Depths of a body between which its height lies."""

CONTRAST: Final = 0.05
"""Of the range of grey levels along the spine, by which a body stands out from its discs."""

PLATES: Final = 13
"""Places across a body at which its end plates are read."""

FEWEST: Final = 4
"""Bodies without which no line is laid through them."""

INNER: Final = 0.78
"""Middle share of the depth over which they are."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Column:
    """The straightened spine: ``values`` (along, across) and where its middle lies."""

    values: Floats
    middle: Floats
    down: Floats
    half: int


def propose(image: NDArray[np.uint8]) -> dict[LateralLevel, SixPoints]:
    """Return points of ``image`` (rows, columns), in its pixels; none where no row of bodies is.

    Levels are counted from the lowest body, which is taken for L4. The back is the side on which
    it is brighter beside the bodies.
    """
    grey = _smoothed(image.astype(np.float64), 1)
    depth = max(8, round(DEPTH * image.shape[1]))
    column = _straight(grey, _path(grey, depth), depth)
    bodies = _bodies(column)
    if len(bodies) >= FEWEST:
        # Once more along the bodies themselves: beyond the last one the band knows no way.
        column = _straight(grey, _through(column, bodies, len(grey)), depth)
        bodies = _bodies(column)
    if not bodies:
        return {}
    if _back_is_left(column, bodies):
        bodies = [(upper[::-1], lower[::-1]) for upper, lower in bodies]
    found: dict[LateralLevel, SixPoints] = {}
    for level, (upper, lower) in zip(reversed(LATERAL_LEVELS), reversed(bodies), strict=False):
        try:
            found[level] = SixPoints(_placed(column, upper), _placed(column, lower))
        except ValueError:
            continue
    return {level: found[level] for level in LATERAL_LEVELS if level in found}


_Plate = list[tuple[float, float]]
"""Along and across, three times."""


def _bodies(column: _Column) -> list[tuple[_Plate, _Plate]]:
    return [found for run in _runs(column) if (found := _body(column, *run)) is not None]


def _through(column: _Column, bodies: Sequence[tuple[_Plate, _Plate]], rows: int) -> Floats:
    """Return the column's place in each row, by a polynomial through the middles of ``bodies``."""
    middles = np.array([_point(column, *plate[1]) for body in bodies for plate in body])
    degree = 3 if len(bodies) > FEWEST else 2
    curve = np.polyfit(middles[:, 1] / rows, middles[:, 0], degree)
    return np.asarray(np.polyval(curve, (np.arange(rows) + 0.5) / rows))


def _smoothed(values: Floats, reach: int) -> Floats:
    for axis in (0, 1):
        values = _mean(values, reach, axis)
    return values


def _mean(values: Floats, reach: int, axis: int) -> Floats:
    """Return the running mean over 2·``reach`` + 1 along ``axis``; its ends are repeated."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = (reach + 1, reach)
    sums = np.cumsum(np.pad(values, padding, mode="edge"), axis)
    width = 2 * reach + 1
    upper = np.take(sums, np.arange(width, sums.shape[axis]), axis)
    lower = np.take(sums, np.arange(sums.shape[axis] - width), axis)
    return np.asarray((upper - lower) / width)


def _path(grey: Floats, depth: int) -> Floats:
    """Return the column's place in each row: the brightest band, by dynamic programming."""
    rows, columns = grey.shape
    band = _mean(_mean(grey, depth // 2, 1), depth // 2, 0)
    around = _mean(_mean(grey, depth, 1), depth // 2, 0)
    score = band - around + 0.25 * band
    best = score[0].copy()
    came = np.zeros((rows, columns), np.int64)
    for row in range(1, rows):
        choices = np.stack([np.roll(best, step) for step in (-1, 0, 1)])
        choices[0, -1] = choices[2, 0] = -np.inf
        picked = choices.argmax(0)
        came[row] = np.arange(columns) - (picked - 1)
        best = choices[picked, np.arange(columns)] + score[row]
    path = np.zeros(rows)
    at = int(best.argmax())
    for row in range(rows - 1, -1, -1):
        path[row] = at
        at = int(np.clip(came[row, at], 0, columns - 1))
    y = np.arange(rows) / rows
    return np.asarray(np.polyval(np.polyfit(y, path, 5), y)) + 0.5


def _straight(grey: Floats, path: Floats, depth: int) -> _Column:
    """Return the image along ``path``, the column's place in each row."""
    y = np.arange(len(path)) + 0.5
    slope = np.gradient(path)
    length = np.hypot(1, slope)
    along = np.concatenate([[0], np.cumsum(length[:-1])])
    steps = np.arange(0, along[-1])
    rows_at = np.interp(steps, along, y)
    middle = np.column_stack([np.interp(rows_at, y, path), rows_at])
    down = np.column_stack(
        [np.interp(rows_at, y, slope / length), np.interp(rows_at, y, 1 / length)]
    )
    half = depth
    across = np.arange(-half, half + 1)
    right = np.column_stack([down[:, 1], -down[:, 0]])
    x = middle[:, :1] + across * right[:, :1]
    z = middle[:, 1:] + across * right[:, 1:]
    return _Column(_sampled(grey, x, z), middle, down, half)


def _sampled(grey: Floats, x: Floats, y: Floats) -> Floats:
    """Return grey levels between pixels, bilinear; pixel (0, 0) has its middle at (0.5, 0.5)."""
    rows, columns = grey.shape
    x, y = np.clip(x - 0.5, 0, columns - 1.001), np.clip(y - 0.5, 0, rows - 1.001)
    left, top = x.astype(int), y.astype(int)
    fx, fy = x - left, y - top
    upper = grey[top, left] * (1 - fx) + grey[top, left + 1] * fx
    lower = grey[top + 1, left] * (1 - fx) + grey[top + 1, left + 1] * fx
    return np.asarray(upper * (1 - fy) + lower * fy)


def _runs(column: _Column) -> list[tuple[int, int]]:
    """Return where bodies begin and end along the spine."""
    inner = column.half // 3
    profile = column.values[:, column.half - inner : column.half + inner + 1].mean(1)
    reach = column.half
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(profile, reach, mode="edge"), 2 * reach + 1
    )
    high, low = np.percentile(windows, 85, axis=1), windows.min(1)
    bright = (profile > (high + low) / 2) & (high - low > CONTRAST * np.ptp(column.values))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], bright.astype(int), [0]])))
    depth = column.half
    return [
        (int(start), int(end))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if TALL[0] * depth <= end - start <= TALL[1] * depth
    ]


def _body(column: _Column, start: int, end: int) -> tuple[_Plate, _Plate] | None:
    """Return the upper and the lower end plate of the body between ``start`` and ``end``."""
    third = max(1, (end - start) // 4)
    across = _smoothed(column.values, 1)[start + third : end - third].mean(0)
    change = np.gradient(across)
    middle = column.half
    left = int(change[: middle - middle // 4].argmax())
    right = middle + middle // 4 + int(change[middle + middle // 4 :].argmin())
    if right - left < middle // 2:
        return None
    front, back = _finer(change, left), _finer(-change, right)
    centre, half = (front + back) / 2, (back - front) / 2
    places = centre + half * INNER * np.linspace(-1, 1, PLATES)
    reach = max(3, (end - start) // 4)
    plates = []
    for at, sign in ((start, 1), (end, -1)):
        low, high = max(0, at - reach), min(len(column.values) - 1, at + reach)
        if high - low < 4:
            return None
        lines = column.values[low : high + 1]
        found = []
        for place in places:
            nearest = round(place)
            line = lines[:, max(0, nearest - 1) : nearest + 2].mean(1)
            steps = sign * np.gradient(line)
            found.append(low + _finer(steps, int(steps.argmax())))
        plates.append(_fitted(places - centre, np.array(found), half))
    upper, lower = (
        [(along, place) for along, place in zip(plate, (front, centre, back), strict=True)]
        for plate in plates
    )
    return upper, lower


def _finer(values: Floats, at: int) -> float:
    """Return where the parabola through the greatest of ``values`` and its neighbours peaks."""
    if not 0 < at < len(values) - 1:
        return float(at)
    before, peak, after = values[at - 1 : at + 2]
    bend = before - 2 * peak + after
    return at + (0.5 * float(before - after) / float(bend) if bend < 0 else 0.0)


def _fitted(places: Floats, found: Floats, half: float) -> list[float]:
    """Return a parabola through what was ``found``, at both ends and the middle of the body.

    Places that lie far off are left out, twice.
    """
    keep = np.ones(len(found), bool)
    curve = np.polyfit(places, found, 2)
    for _ in range(2):
        off = np.abs(found - np.polyval(curve, places))
        keep = off <= max(1.0, 2.5 * float(np.median(off[keep])))
        if np.count_nonzero(keep) < PLATES // 2:
            break
        curve = np.polyfit(places[keep], found[keep], 2)
    return [float(np.polyval(curve, place)) for place in (-half, 0.0, half)]


def _placed(column: _Column, plate: Sequence[tuple[float, float]]) -> tuple[Point, Point, Point]:
    """Return points of the straightened spine in pixels of the image."""
    first, second, third = (_point(column, along, across) for along, across in plate)
    return first, second, third


def _point(column: _Column, along: float, across: float) -> Point:
    steps = np.arange(len(column.middle))
    x, y, dx, dy = (
        float(np.interp(along, steps, values)) for values in (*column.middle.T, *column.down.T)
    )
    off = across - column.half
    beyond = along - float(np.clip(along, 0, len(steps) - 1))
    return x + off * dy + beyond * dx, y - off * dx + beyond * dy


def _back_is_left(column: _Column, bodies: Sequence[tuple[_Plate, _Plate]]) -> bool:
    """Return whether it is brighter to the left of the bodies than to their right."""
    left, right = [], []
    for upper, lower in bodies:
        rows = slice(max(0, round(upper[1][0])), max(1, round(lower[1][0])))
        first, last = round(upper[0][1]), round(upper[2][1])
        left.append(column.values[rows, : max(1, first - 3)].mean())
        right.append(
            column.values[rows, last + 4 :].mean() if last + 4 < column.values.shape[1] else 0
        )
    return float(np.mean(left)) > float(np.mean(right))
