"""What is told of each vertebra and of the column: sizes, angles, density against the others.

All is computed from the outlines and centres that the network gave (:class:`Spine`), in pixels of
the image *as it was sent* (domain.md §2.4); formulas stand at the functions. Let a vertebra's axis
be the direction of the column at its centre: the tangent of the parabola through the levels'
centres, each coordinate a quadratic function of the level's index by least squares.

numpy and Pillow alone: the front tells of every image, and has no SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.image.recipe import SIDE, Canonical, place
from models.vertebrae import curvature
from models.vertebrae.geometry import LEVELS, LevelName, Placement, Point, Spine
from models.vertebrae.tissue import FLOOR, beside

SPACING: Final = (0.4, 1.0)
"""Millimetres a pixel between which a file's spacing is believed (domain.md §2.1)."""

INNER: Final = 0.6
"""Middle share of a vertebra's width, or height, over which its end plates, or sides, are read:
corners are where outlines are least sure."""

LINES: Final = 15
"""Parallels along which the distance of two opposite sides is read."""

Matrix = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class LevelReport:
    """One vertebra. Lengths in pixels of the image as sent, ``height_mm`` None where no pixel
    spacing is believed; ``tilt`` in degrees, positive when the upper end leans to the right.

    ``relative_density`` is how far the level stands above soft tissue in the canonical image, over
    the same of all levels: 1 is like the others. It is no measure of density.
    """

    level: LevelName
    outline: tuple[Point, ...]
    centre: Point
    height: float
    width: float
    height_mm: float | None
    tilt: float
    relative_density: float
    confidence: float


@dataclass(frozen=True)
class Report:
    """The column: ``axis_tilt`` is of the line through the centres of the top and the bottom
    vertebra, ``curve`` the angle between the column's directions at the first and the last level,
    of which ``curve_half`` is half an interval (:mod:`~models.vertebrae.curvature`), all in
    degrees; ``placement`` maps canonical pixels (u, v, 1) to the image as sent.

    The curve is a screening angle in the frontal plane. A Cobb angle is drawn along the most tilted
    end plates, wherever they are, and is usually larger (domain.md §2.3).
    """

    levels: tuple[LevelReport, ...]
    axis_tilt: float
    curve: float
    curve_half: float
    placement: Matrix


def describe(
    spine: Spine,
    width: int,
    height: int,
    canonical: Canonical,
    spacing: tuple[float, float] | None = None,
    corner: Point = (0.0, 0.0),
) -> Report:
    """Return what is told of ``spine``, as it was found in the frame of an image of ``width`` ×
    ``height`` pixels, whose canonical image is ``canonical``; ``spacing`` is (row, column) in mm.

    ``corner`` is where that image begins in the one that was sent.
    """
    sent = spine.scaled(width / SIDE, height / SIDE).moved(*corner)
    placement = replace(place(spine, width, height), spine=sent)
    axes = tangents(sent)
    believed = spacing is not None and all(SPACING[0] <= one <= SPACING[1] for one in spacing)
    levels = []
    for level, axis, density in zip(
        sent.levels, axes, densities(canonical, placement), strict=True
    ):
        measured = measure(level.outline, level.centre, axis)
        levels.append(
            LevelReport(
                level=level.level,
                outline=level.outline,
                centre=level.centre,
                height=measured.height,
                width=measured.width,
                height_mm=_millimetres(measured, spacing) if believed and spacing else None,
                tilt=measured.tilt,
                relative_density=density,
                confidence=level.confidence,
            )
        )
    curve, half = curved(sent)
    return Report(
        levels=tuple(levels),
        axis_tilt=sent.axis_tilt,
        curve=curve,
        curve_half=half,
        placement=matrix(placement),
    )


def matrix(placement: Placement) -> Matrix:
    """Return the placement's matrix as numbers that JSON can hold."""
    first, second = ((float(a), float(b), float(c)) for a, b, c in placement.matrix)
    return first, second


def curved(spine: Spine) -> tuple[float, float]:
    """Return the curve in degrees and half its interval; ``spine`` is in pixels of the image as
    sent."""
    turned = curvature.turn(spine)
    if turned is not None:
        return abs(turned), curvature.HALF
    axes = tangents(spine)
    return abs(lean(axes[-1]) - lean(axes[0])), curvature.HALF_BY_CENTRES


def tangents(spine: Spine) -> NDArray[np.float64]:
    """Return (n, 2): the column's direction at each level, downwards, of length 1."""
    indices = np.array([LEVELS.index(one.level) for one in spine.levels], float)
    centres = np.array([one.centre for one in spine.levels])
    square, linear, _ = np.polyfit(indices, centres, 2)
    along = 2 * square * indices[:, None] + linear
    return np.asarray(along / np.hypot(along[:, 0], along[:, 1])[:, None])


def lean(direction: NDArray[np.float64]) -> float:
    """Return degrees by which ``direction`` (x, y), downwards, leans: positive when its upper end
    lies to the image's right."""
    return math.degrees(math.atan2(-direction[0], direction[1]))


@dataclass(frozen=True)
class Measures:
    """A polygon against an axis; ``direction`` is its own axis, downwards, of length 1."""

    height: float
    width: float
    tilt: float
    direction: tuple[float, float]


def measure(outline: Sequence[Point], centre: Point, axis: NDArray[np.float64]) -> Measures:
    """Return height, width and tilt of a vertebra.

    With u across the axis and v along it, the upper and the lower end plate are read at
    :data:`LINES` places over the middle :data:`INNER` of the width, and a straight line is fitted
    to each. ``tilt`` is the axis' lean less the mean slope of the two, as an angle α; ``height`` is
    their mean distance times cos α. ``width`` is likewise the mean distance of the two sides over
    the middle :data:`INNER` of the height, times cos α.
    """
    across = np.array([axis[1], -axis[0]])
    local = (np.asarray(outline, float) - centre) @ np.column_stack([across, axis])
    places, upper, lower = _sides(local)
    _, left, right = _sides(local[:, ::-1])
    slope = (np.polyfit(places, upper, 1)[0] + np.polyfit(places, lower, 1)[0]) / 2
    angle = math.atan(slope)
    own = np.asarray(axis) * math.cos(angle) - across * math.sin(angle)
    return Measures(
        height=float((lower - upper).mean()) * math.cos(angle),
        width=float((right - left).mean()) * math.cos(angle),
        tilt=lean(own),
        direction=(float(own[0]), float(own[1])),
    )


def _sides(
    polygon: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return places along the first coordinate, and the polygon's least and greatest second
    coordinate at each."""
    start, end = polygon, np.roll(polygon, -1, axis=0)
    low, high = polygon[:, 0].min(), polygon[:, 0].max()
    rim = (high - low) * (1 - INNER) / 2
    places = np.linspace(low + rim, high - rim, LINES)
    run = end[:, 0] - start[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (places[:, None] - start[:, 0]) / run
    crosses = (share >= 0) & (share <= 1) & (run != 0)
    at = start[:, 1] + np.where(crosses, share, 0) * (end[:, 1] - start[:, 1])
    return (
        places,
        np.where(crosses, at, np.inf).min(1),
        np.where(crosses, at, -np.inf).max(1),
    )


def _millimetres(measured: Measures, spacing: tuple[float, float]) -> float:
    """Return the height along the vertebra's own axis where pixels are ``spacing`` apart."""
    down, right = spacing
    return measured.height * math.hypot(measured.direction[0] * right, measured.direction[1] * down)


def densities(canonical: Canonical, placement: Placement) -> list[float]:
    """Return how far each level stands above soft tissue, over the same of all levels.

    (mean grey inside the level − m) / (mean grey inside all levels − m), where m is the median grey
    of :func:`~models.vertebrae.tissue.beside` the column. Grey levels are those of the
    canonical image, whose stretch cancels out.
    """
    outlines = [one.outline for one in placement.spine.levels]
    moved = placement.to_canonical([point for outline in outlines for point in outline])
    ends = np.cumsum([len(outline) for outline in outlines])[:-1]
    masks = [_filled(polygon) for polygon in np.split(moved, ends)]
    column = np.logical_or.reduce(masks)
    if not column.any():
        return [1.0] * len(masks)
    image = canonical.astype(np.float32)
    soft = beside(column)
    ground = float(np.median(image[soft])) if soft.any() else 0.0
    raised = max(float(image[column].mean()) - ground, FLOOR)
    return [(float(image[one].mean()) - ground) / raised if one.any() else 1.0 for one in masks]


def _filled(polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (224, 224): the pixels whose middles lie about inside ``polygon``."""
    drawn = Image.new("1", (SIDE, SIDE))
    ImageDraw.Draw(drawn).polygon([(float(x) - 0.5, float(y) - 0.5) for x, y in polygon], fill=1)
    return np.asarray(drawn, bool)
