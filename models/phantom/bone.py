"""Relative areal density of one vertebra: body, end-plates, disc and posterior elements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.phantom.field import Field, bell, step
from models.phantom.spine import Grid, Spine

EDGE_MM = 0.9
PLATE_MM = 1.6
"""End-plates are cut at a slant by the beam, so that they fade more slowly than the sides."""


@dataclass(frozen=True)
class Build:
    """How a vertebra is made. ``frail`` is 0 for dense bone and 1 for thin: the spongy core goes
    first, and rims, rings and end-plates stand out. ``rotation`` moves the spinous process off the
    midline, in half widths. ``posterior`` is False after a laminectomy."""

    frail: float
    rotation: float
    posterior: bool = True
    collapsed: bool = False


def vertebra(
    rng: np.random.Generator, spine: Spine, level: int, grid: Grid, build: Build
) -> tuple[tuple[slice, slice], Field]:
    """Return the window that ``level`` touches and its relative density there.

    ``rng`` is the person's own, so that a bone looks the same in every image of one patient.
    """
    # One draw of fixed length: artefacts must not shift the draws of the next level.
    vary = [float(value) for value in np.clip(rng.normal(0.0, 1.0, 24), -2.0, 2.0)]
    above, below = spine.extent(level)
    half_height = float(spine.heights[level]) / 2.0
    half_width = float(spine.widths[level]) / 2.0
    reach = max(above, below) + 9.0
    x, y = (float(value) for value in spine.centres[level])
    window = grid.window(x, y, half_width * 1.7, reach)
    across, along = spine.local(level, grid, window)
    left, right = spine.half_widths(level, along)
    inset = np.where(across < 0.0, left, right) - np.abs(across)
    p, q = across / half_width, along / half_height

    density = _body(p, q, inset, half_height, build)
    density += _disc(along, above, below, half_height) * step(inset / EDGE_MM)
    density *= _spongy(p, q, build, vary)
    if build.posterior:
        density += _posterior(p, q, build, vary)
    return window, np.maximum(density, 0.0)


def _body(p: Field, q: Field, inset: Field, half_height: float, build: Build) -> Field:
    """An ellipse seen from the front, in a cortical shell, between two end-plates."""
    thickness = 0.55 + 0.45 * np.sqrt(np.clip(1.0 - p * p, 0.0, 1.0))
    core = (0.74 - 0.12 * build.frail) * thickness
    rim = (0.16 + 0.06 * build.frail) * bell((inset - 1.6) / 1.3)
    # End-plates are slightly concave; in a collapsed body strongly so.
    sag = (0.22 if build.collapsed else 0.07) * (1.0 - p * p)
    from_plate = np.abs(q) + sag - 1.0
    plates = (0.14 + 0.08 * build.frail) * bell((from_plate + 0.12) / 0.13)
    inside = step(-from_plate * half_height / PLATE_MM) * step(inset / EDGE_MM)
    return np.asarray((core + rim + plates) * inside, dtype=np.float32)


def _disc(along: Field, above: float, below: float, half_height: float) -> Field:
    """What bone overlies the discs: a darker band from end-plate to end-plate."""
    between = step((np.abs(along) - half_height) / PLATE_MM)
    mine = step((along + above) / 0.5) * step((below - along) / 0.5)
    return np.asarray(0.52 * between * mine, dtype=np.float32)


def _spongy(p: Field, q: Field, build: Build, vary: list[float]) -> Field:
    """The darker middle, where no posterior element overlies the body."""
    x = p - (0.6 * build.rotation + 0.03 * vary[0])
    y = q - (-0.30 + 0.05 * vary[1])
    depth = 0.36 + 0.06 * vary[2] + 0.04 * build.frail
    hole = bell((x / (0.36 + 0.04 * vary[3])) ** 2 + (y / (0.38 + 0.04 * vary[4])) ** 2)
    return np.asarray(1.0 - depth * hole, dtype=np.float32)


def _posterior(p: Field, q: Field, build: Build, vary: list[float]) -> Field:
    """Pedicle rings, facets, laminae and the spinous process; transverse processes faintly."""
    density = np.zeros_like(p)
    turn = build.rotation
    for index, side in enumerate((-1.0, 1.0)):
        v = vary[5 + 6 * index : 11 + 6 * index]
        # Turning towards one side moves both pedicles the other way in the projection.
        x0 = side * (0.66 + 0.02 * v[0]) + 0.35 * turn
        radius = np.sqrt(((p - x0) / (0.17 + 0.012 * v[1])) ** 2 + ((q + 0.18) / (0.42)) ** 2)
        density += (0.34 + 0.06 * v[2] + 0.06 * build.frail) * bell((radius - 1.0) / 0.42)
        lower = bell((p - side * 0.60 - 0.35 * turn) / 0.13) * bell((q - 0.85 - 0.05 * v[3]) / 0.34)
        upper = bell((p - side * 0.66 - 0.35 * turn) / 0.13) * bell((q + 0.98) / 0.26)
        density += (0.30 + 0.07 * v[4]) * lower + 0.26 * upper
        # The lamina runs from the pedicle inwards and down to the spinous process.
        centre = q - (0.36 - 0.25 * (np.abs(p) - 0.3))
        inward = step((side * p - 0.02) / 0.05) * step((0.62 - side * p) / 0.05)
        density += 0.13 * bell(centre / 0.20) * inward
        outward = step((side * p - 0.9) / 0.04) * step((1.45 + 0.1 * v[5] - side * p) / 0.06)
        density += 0.07 * bell((q + 0.12) / 0.16) * outward
    lean = 0.06 * vary[17]
    axis = p - turn - 0.02 * vary[18] - lean * (q - 0.6)
    width = np.clip(0.05 + 0.05 * (q - 0.1), 0.045, 0.11)
    length = step((q - 0.02 + 0.08 * vary[19]) / 0.08) * step((1.32 + 0.1 * vary[20] - q) / 0.10)
    density += (0.46 + 0.10 * vary[21]) * bell(axis / width) * length
    return np.asarray(density, dtype=np.float32)
