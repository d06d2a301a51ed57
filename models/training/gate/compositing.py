"""What spoils a scan, laid onto real scans and phantoms alike.

Phantoms teach a detector what metal or movement is, but not what surrounds it in a real scan; real
scans come without labels for either. A known artefact on a real scan closes part of that gap. It
remains synthetic: detection rates on composites say how well *these drawings* are found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from models.gate import Reason
from models.gate.spine import Course
from models.image import recipe
from models.image.recipe import SIDE
from models.image.scan import Scan
from models.phantom.field import blur

Image8 = NDArray[np.uint8]
Field = NDArray[np.float32]
Range = tuple[float, float]

INK: Final = 60
"""Grey levels by which a line of the scanner's overlay outshines what is around it."""


FLANK: Final = 30
"""Columns at a side of the field that show soft tissue alone."""


@dataclass(frozen=True)
class Spoiling:
    """Ranges to draw from, uniformly; lengths in canonical pixels, densities 0…1.

    =============  ==========================================================================
    ``dimmed``     what white bone becomes beside metal
    ``bar``        half width of a rod or screw
    ``rods``       distance of each rod from the midline
    ``span``       length of the rods: one to three vertebrae
    ``button``     half width of a button, ring or coin
    ``aside``      its distance from the midline
    ``contrast``   left of the image's contrast under noise
    ``grain``      σ of the noise, grey levels
    ``blur``       σ of the noise's own blur
    ``moved``      displacement of a block of rows
    ``rows``       height of that block
    ``margin``     the spine's place in an off-centre field, share of the width from a side
    ``kept``       share of the field's height that is left
    ``sclerosis``  grey levels by which an end-plate grows brighter
    =============  ==========================================================================
    """

    dimmed: Range = (0.45, 0.8)
    bar: Range = (2.0, 3.6)
    rods: Range = (16.0, 30.0)
    span: Range = (35.0, 90.0)
    button: Range = (6.0, 12.0)
    aside: Range = (-34.0, 34.0)
    contrast: Range = (0.45, 0.9)
    grain: Range = (35.0, 75.0)
    blur: Range = (0.4, 1.1)
    moved: Range = (4.0, 10.0)
    rows: Range = (14.0, 60.0)
    margin: Range = (0.04, 0.2)
    kept: Range = (0.5, 0.68)
    sclerosis: Range = (40.0, 90.0)


TRAINING: Final = Spoiling()
HELD_OUT: Final = Spoiling(
    dimmed=(0.4, 0.85),
    bar=(1.7, 4.2),
    rods=(13.0, 34.0),
    span=(30.0, 110.0),
    button=(5.0, 15.0),
    aside=(-42.0, 42.0),
    contrast=(0.35, 1.0),
    grain=(32.0, 90.0),
    blur=(0.3, 1.4),
    moved=(3.5, 12.0),
    rows=(10.0, 75.0),
    margin=(0.0, 0.22),
    kept=(0.45, 0.7),
    sclerosis=(32.0, 100.0),
)
"""Wider on both sides than ``TRAINING``: fainter cases and coarser ones."""


def _prepared(levels: Field) -> Image8:
    """Return ``levels`` as an export of a scanner would show them after the recipe."""
    pixels = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return recipe.frame(Scan(pixels, 8, "png"))


def lifted(image: Image8) -> tuple[Field, NDArray[np.bool_]]:
    """Return ``image`` without the scanner's lines and letters, and where these are.

    A scanner draws them after the fact: they neither move nor blur with the patient.
    """
    median = np.asarray(Image.fromarray(image).filter(ImageFilter.MedianFilter(5)), np.float32)
    ink = (image - median > INK) & (image > 140)
    return np.where(ink, median, image).astype(np.float32), ink


def _midline(image: Image8) -> NDArray[np.float64]:
    return Course.of(image.astype(np.float32) / np.float32(255)).midline


def _uniform(rng: np.random.Generator, bounds: Range) -> float:
    return float(rng.uniform(*bounds))


def _metal(image: Image8, mask: Image.Image, rng: np.random.Generator, by: Spoiling) -> Image8:
    """Lay ``mask`` (mode L, 255 is metal) over the scan, under the scanner's ink."""
    bone, ink = lifted(image)
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(_uniform(rng, (0.5, 1.0)))), np.float32)
    dim = bone * _uniform(rng, by.dimmed)
    levels = dim + (255 - dim) * soft / 255
    return _prepared(np.where(ink, 255, levels).astype(np.float32))


def implant(image: Image8, rng: np.random.Generator, by: Spoiling) -> Image8:
    """Two rods along the spine with a screw at each end of each."""
    midline = _midline(image)
    mask = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(mask)
    span, width = _uniform(rng, by.span), 2 * _uniform(rng, by.bar)
    top = rng.uniform(10, SIDE - 10 - span)
    rods, lean = _uniform(rng, by.rods), rng.uniform(-3, 3)
    for side in (-1, 1):
        ends = []
        for row in (top, top + span):
            column = float(midline[int(row)]) + side * (rods + lean)
            ends.append((column, row))
            tip = (column - side * rods * rng.uniform(0.3, 0.8), row + rng.uniform(-7, 7))
            pen.line([(column, row), tip], fill=255, width=max(round(width * 0.9), 2))
            pen.ellipse(_around(column, row, width * 0.9), fill=255)
        pen.line(ends, fill=255, width=round(width))
    return _metal(image, mask, rng, by)


def forgotten(image: Image8, rng: np.random.Generator, by: Spoiling) -> Image8:
    """A button, a ring, a zip or a coin on or beside the spine."""
    row = rng.uniform(20, SIDE - 20)
    column = float(_midline(image)[int(row)]) + _uniform(rng, by.aside)
    radius = _uniform(rng, by.button)
    mask = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(mask)
    kind = rng.integers(4)
    if kind == 0:
        pen.ellipse(_around(column, row, radius), fill=255)
        for right, down in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            pen.ellipse(
                _around(column + 0.3 * right * radius, row + 0.3 * down * radius, 1.2), fill=0
            )
    elif kind == 1:
        pen.ellipse(_around(column, row, radius), outline=255, width=round(rng.uniform(2, 4)))
    elif kind == 2:
        pen.ellipse(_around(column, row, radius * 0.8), fill=255)
    else:
        for tooth in range(int(rng.integers(8, 24))):
            y = row - 40 + 4 * tooth
            pen.rectangle([column - 3, y, column + 3, y + 2], fill=255)
    return _metal(image, mask, rng, by)


def _around(column: float, row: float, radius: float) -> tuple[float, float, float, float]:
    return (column - radius, row - radius, column + radius, row + radius)


def obese(image: Image8, rng: np.random.Generator, by: Spoiling) -> Image8:
    """Few photons: contrast goes, grain comes, denser bone the noisier."""
    bone, ink = lifted(image)
    grain = blur(rng.standard_normal((SIDE, SIDE), dtype=np.float32), _uniform(rng, by.blur))
    coarse = grain / grain.std() * _uniform(rng, by.grain)
    levels = 90 + (bone - 90) * _uniform(rng, by.contrast) + coarse * np.sqrt(0.6 + bone / 255)
    return _prepared(np.where(ink, 255, levels).astype(np.float32))


def moving(image: Image8, rng: np.random.Generator, by: Spoiling) -> Image8:
    """Rows shifted sideways while the patient moved, and perhaps not moved back."""
    bone, ink = lifted(image)
    height = round(_uniform(rng, by.rows))
    first = int(rng.integers(10, SIDE - 10 - height))
    last = SIDE if rng.random() < 0.25 else first + height
    walk = np.cumsum(rng.normal(0.0, 0.5, last - first))
    shift = _uniform(rng, by.moved) * rng.choice([-1, 1])
    moved = bone.copy()
    for index, row in enumerate(range(first, last)):
        moved[row] = np.roll(bone[row], round(float(shift + walk[index])))
    return _prepared(np.where(ink, image, moved).astype(np.float32))


def off_centre(image: Image8, rng: np.random.Generator, by: Spoiling) -> Image8:
    """The spine lies at the field's side: cropped there, or moved and soft tissue continued."""
    middle = float(_midline(image).mean())
    margin = _uniform(rng, by.margin)
    if rng.random() < 0.5:
        # The share of columns to keep puts the middle at ``margin`` of the new width.
        first = round(np.clip((middle - margin * SIDE) / (1 - margin), 0, SIDE * 0.7))
        cut = Image.fromarray(image[:, first:]).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        levels = np.asarray(cut, np.float32)
    else:
        beyond = np.arange(SIDE) + round(middle - margin * SIDE) - (SIDE - 1)
        # Soft tissue to and fro within its last columns, inside the frame that some exports have.
        swing = FLANK - 4 - np.abs(beyond % (2 * (FLANK - 4)) - (FLANK - 4))
        columns = np.where(beyond <= -4, beyond, -4 - swing) + SIDE - 1
        levels = image[:, columns].astype(np.float32)
    return _prepared(levels if rng.random() < 0.5 else levels[:, ::-1])


def cut_short(image: Image8, rng: np.random.Generator, by: Spoiling) -> Image8:
    """The scan began too high or ended too early: a good third of the field is missing."""
    kept = round(_uniform(rng, by.kept) * SIDE)
    cut = image[:kept] if rng.random() < 0.5 else image[-kept:]
    resized = Image.fromarray(cut).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return _prepared(np.asarray(resized, np.float32))


def worn(image: Image8, rng: np.random.Generator, by: Spoiling) -> Image8:
    """Sclerosis along one or two end-plates, with a beak at a corner."""
    bone, ink = lifted(image)
    midline = _midline(image)
    rows, columns = np.indices((SIDE, SIDE), sparse=True)
    added = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(int(rng.integers(1, 3))):
        row = rng.uniform(40, SIDE - 30)
        centre, half = float(midline[int(row)]), rng.uniform(30, 40)
        plate = np.exp(-0.5 * ((rows - row) / rng.uniform(4, 10)) ** 2)
        inside = 1 / (1 + np.exp((np.abs(columns - centre) - half) / 2))
        side = rng.choice([-1, 1])
        off = np.hypot(columns - centre - side * half, rows - row) / rng.uniform(4, 8)
        added += _uniform(rng, by.sclerosis) * (plate * inside + 0.8 * np.exp(-0.5 * off**2))
    return _prepared(np.where(ink, image, bone + added).astype(np.float32))


SPOILERS: Final[Mapping[Reason, Callable[[Image8, np.random.Generator, Spoiling], Image8]]] = {
    Reason.IMPLANT: implant,
    Reason.OBJECTS_NOT_REMOVED: forgotten,
    Reason.OBESITY_NOISE: obese,
    Reason.MOVEMENT: moving,
    Reason.OFF_CENTRE: off_centre,
    Reason.SCAN_AREA: cut_short,
    Reason.DEGENERATIVE: worn,
}
"""Each makes a spoilt canonical image (224, 224) uint8 of a good one."""
