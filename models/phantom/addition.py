"""Mineral and metal that artefacts add to a vertebra, as patterns of relative density."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.phantom.artefact import Artefact
from models.phantom.field import Field, bell, clouds, step
from models.phantom.spine import FIRST, Grid, Spine

NEIGHBOUR = 3
"""Index of L4 among L1–L4: its screws are rodded to the vertebra above, all others below."""


def pattern(
    rng: np.random.Generator, artefact: Artefact, index: int, spine: Spine, grid: Grid
) -> Field:
    """Return what ``artefact`` adds around vertebra ``index`` (0 is L1), not yet scaled."""
    level = FIRST + index
    density = np.zeros(grid.shape, np.float32)
    x, y = spine.centres[level]
    half_width, half_height = spine.widths[level] / 2.0, spine.heights[level] / 2.0
    window = grid.window(x, y, 2.0 * half_width, 3.2 * half_height)
    across, along = spine.local(level, grid, window)
    if artefact is Artefact.OSTEOPHYTE:
        density[window] = _spurs(rng, across, along, half_width, half_height)
    elif artefact is Artefact.IMPLANT:
        other = level - 1 if index == NEIGHBOUR else level + 1
        _screws(rng, density, spine, (level, other), grid)
    elif artefact is Artefact.OBJECT:
        density[window] = _object(rng, across, along, half_width)
    elif artefact is Artefact.CONTRAST:
        radius = np.sqrt((across / (0.8 * half_width)) ** 2 + (along / (0.7 * half_height)) ** 2)
        uneven = 1.0 + 0.35 * clouds(rng, across.shape, 6.0 / grid.spacing)
        density[window] = step((1.0 - radius) / 0.12) * np.maximum(uneven, 0.1)
    return density


def _spurs(
    rng: np.random.Generator, across: Field, along: Field, half_width: float, half_height: float
) -> Field:
    """Sclerosis along the lower end-plate and a beak at one or both of its corners."""
    plate = bell((along - half_height * 0.95) / 2.4)
    lean = np.float32(rng.uniform(-0.6, 0.6))
    density = plate * (1.0 + lean * across / half_width) * step((half_width - np.abs(across)) / 1.2)
    for side in (-1.0, 1.0):
        size = rng.uniform(0.2, 1.0)
        off = (side * across - half_width * 0.93) / 3.2
        density += size * 1.6 * bell(np.hypot(off, (along - half_height) / 3.0))
    return np.maximum(density, 0.0).astype(np.float32)


def _screws(
    rng: np.random.Generator, density: Field, spine: Spine, levels: tuple[int, int], grid: Grid
) -> None:
    heads: list[list[NDArray[np.float64]]] = []
    for level in levels:
        x, y = spine.centres[level]
        half = spine.widths[level] / 2.0
        pair = []
        for side in (-1.0, 1.0):
            head = np.array([x + side * half * 0.68, y - 4.0])
            tip = np.array([x + side * half * rng.uniform(0.18, 0.30), y + rng.uniform(-3.0, 3.0)])
            _bar(density, grid, head, tip, 2.4)
            _bar(density, grid, head, head, 5.0)
            pair.append(head)
        heads.append(pair)
    for upper, lower in zip(*heads, strict=True):
        _bar(density, grid, upper, lower, 2.6)


def _bar(
    density: Field, grid: Grid, start: NDArray[np.float64], end: NDArray[np.float64], radius: float
) -> None:
    """Lay a metal bar with round ends; metal over metal is no brighter."""
    run = end - start
    length = float(run @ run)
    x, y = grid.x - np.float32(start[0]), grid.y - np.float32(start[1])
    along = np.clip((x * run[0] + y * run[1]) / max(length, 1e-6), 0.0, 1.0)
    distance = np.hypot(x - along * run[0], y - along * run[1])
    np.maximum(density, step((radius - distance) / 0.3), out=density)


def _object(rng: np.random.Generator, across: Field, along: Field, half_width: float) -> Field:
    """A button (disc with holes), a ring, or a zip (a row of teeth)."""
    x = across - np.float32(rng.uniform(-0.6, 0.6) * half_width)
    kind = rng.integers(3)
    radius = np.hypot(x, along)
    if kind == 0:
        holes = bell((np.abs(x) - 2.0) / 0.8) * bell((np.abs(along) - 2.0) / 0.8)
        return np.asarray(step((7.0 - radius) / 0.3) * (1.0 - holes), dtype=np.float32)
    if kind == 1:
        return bell((radius - 8.0) / 1.0)
    teeth = 0.55 + 0.45 * np.sign(np.sin(along * 2.2))
    return np.asarray(teeth * step((2.6 - np.abs(x)) / 0.3), dtype=np.float32)
