"""Where the vertebrae are, what is measured of each, and what of it to look at."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.vertebrae.findings import Code
from models.vertebrae.geometry import LevelName
from protocol.answers import Number, Probability, Version
from service.medicine.schemas import Part

Point = tuple[Number, Number]


class Level(Part):
    """One vertebra, in pixels of the image as it was sent."""

    level: LevelName
    outline: tuple[Point, ...]
    centre: Point
    height: Number = Field(description="Mean distance of the end plates, pixels.")
    width: Number = Field(description="Mean distance of the sides, pixels.")
    height_mm: Number | None = Field(
        description="Null unless the file has a pixel spacing of 0.4 to 1.0 mm."
    )
    tilt: Number = Field(description="Degrees, positive when the upper end leans to the right.")
    relative_density: Number = Field(
        description="How far the level stands above soft tissue, over the same of all levels: 1 "
        "is like the others. Of an image that was stretched: no measure of bone density."
    )
    confidence: Probability


class Finding(Part):
    """Something in the geometry that a reader should look at. No finding is a diagnosis."""

    code: Code
    level: LevelName | None
    value: Number
    rule: str = Field(description="What the value was held against.")


class Vertebrae(Part):
    """Where L1–L4 are. Coordinates are pixels of the image as it was sent: the origin is the top
    left corner of its top left pixel, x runs to the right, y down."""

    source: Literal["model", "drawn"]
    version: Version | None = Field(None, description="Of the model that outlined.")
    levels: tuple[Level, ...]
    axis_tilt: Number = Field(
        description="Degrees of the line through the centres of the top and the bottom vertebra, "
        "positive when its upper end leans to the image's right."
    )
    curve: Number = Field(
        description="Degrees between the column's directions at the top and the bottom vertebra: a "
        "DXA screening angle, supine; not a Cobb angle."
    )
    curve_interval: tuple[Number, Number] | None = Field(
        None,
        description="Degrees between which that angle lies at least 9 times of 10, as measured on "
        "phantoms and on turned copies of scans. "
        "Null where fewer than four levels were found, and in results of older versions, whose "
        "`curve` was between end plates and is too small.",
    )
    iliac_crests_visible: bool | None = Field(description="Null: not looked for.")
    findings: tuple[Finding, ...] = Field(
        description="What a reader should look at. `part_missing`, `levels_uncertain`, "
        "`turned` and `foreign_object` question the image: an outcome that would be normal "
        "is indeterminate then, never the reverse."
    )
    placement: tuple[tuple[Number, Number, Number], tuple[Number, Number, Number]] = Field(
        description="2×3 matrix that maps a point (u, v, 1) of the 224×224 image that the models "
        "saw to the image as it was sent."
    )
