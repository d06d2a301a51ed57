"""Elliptic region of interest in a slice, and the attenuation in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST_PIXELS: Final = 20
"""Of a region: fewer have no spread worth telling."""


class RegionError(ValueError):
    """The region is not in the slice, or too small."""


@dataclass(frozen=True, kw_only=True)
class Ellipse:
    """``x`` and ``y`` are the centre in pixels, 0 in the middle of the first one; ``radius_x`` and
    ``radius_y`` in pixels along columns and rows."""

    x: float
    y: float
    radius_x: float
    radius_y: float

    def inside(self, rows: int, columns: int) -> NDArray[np.bool_]:
        """Return the pixels whose middle is in the ellipse, (rows, columns).

        Raises :class:`RegionError` where it reaches beyond the slice.
        """
        if not (
            self.radius_x > 0
            and self.radius_y > 0
            and self.x - self.radius_x >= 0
            and self.x + self.radius_x <= columns - 1
            and self.y - self.radius_y >= 0
            and self.y + self.radius_y <= rows - 1
        ):
            raise RegionError("The region reaches beyond the slice.")
        y, x = np.ogrid[:rows, :columns]
        return ((x - self.x) / self.radius_x) ** 2 + ((y - self.y) / self.radius_y) ** 2 <= 1.0


@dataclass(frozen=True, kw_only=True)
class Attenuation:
    """In Hounsfield units; ``sd`` of the pixels, ``se`` of the mean as if they were independent,
    which noise in CT is not: a lower bound. ``area`` in mm²."""

    mean: float
    sd: float
    se: float
    low: float
    high: float
    pixels: int
    area: float


def measure(
    stored: NDArray[np.integer],
    rescale: tuple[float, float],
    region: Ellipse,
    spacing: tuple[float, float],
) -> Attenuation:
    """Return the attenuation of ``stored`` values, (rows, columns), in ``region``.

    ``rescale`` is the slope and intercept that make them Hounsfield units (PS3.3 C.11.1.1.2);
    ``spacing`` the millimetres from row to row and from column to column. Raises
    :class:`RegionError`.
    """
    slope, intercept = rescale
    values = stored[region.inside(*stored.shape)].astype(np.float64) * slope + intercept
    if len(values) < LEAST_PIXELS:
        raise RegionError(f"The region has {len(values)} pixels; {LEAST_PIXELS} are needed.")
    sd = float(values.std(ddof=1))
    return Attenuation(
        mean=float(values.mean()),
        sd=sd,
        se=sd / math.sqrt(len(values)),
        low=float(values.min()),
        high=float(values.max()),
        pixels=len(values),
        area=len(values) * spacing[0] * spacing[1],
    )
