"""An invented spine that lies where the recipe puts every other: to warm up on, and to try with."""

from __future__ import annotations

from typing import Final

from models.image.recipe import PITCH, SIDE, WIDTH
from models.vertebrae.geometry import LEVELS, Level, Point, Spine

TALL: Final = 30.0
"""Pixels from end plate to end plate; the rest of the pitch is disc."""


def nominal(confidence: float = 0.95) -> Spine:
    """Return L1–L4 as four upright blocks in the middle of a frame."""
    return Spine(
        tuple(
            _block(number, SIDE / 2 + (number - (len(LEVELS) - 1) / 2) * PITCH, confidence)
            for number in range(len(LEVELS))
        )
    )


def _block(number: int, middle: float, confidence: float) -> Level:
    left, right = (SIDE - WIDTH) / 2, (SIDE + WIDTH) / 2
    top, bottom = middle - TALL / 2, middle + TALL / 2
    corners: tuple[Point, ...] = ((left, top), (right, top), (right, bottom), (left, bottom))
    # The whole pitch counts: a column's width is its area over its length.
    return Level(LEVELS[number], corners, (SIDE / 2, middle), WIDTH * PITCH, confidence)
