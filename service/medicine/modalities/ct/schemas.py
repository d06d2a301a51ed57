"""Value objects of CT: the slices that came, a region that was placed, and what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from service.errors import Fault, FieldsError
from service.language.locale import N_
from service.medicine.schemas import Part

Contrast = Literal["given", "none", "unknown"]
"""Of contrast medium. ``unknown``: the file names none, which is no word that none was given."""

RADII: Final = (2.0, 20.0)
"""Millimetres of a region's half axes: a trabecular body of L1 is about 40 by 30 mm."""

ALLOWED: Final[Mapping[str, str]] = {
    "slice": N_("the number of a slice that is kept"),
    "x": N_("a number, in pixels from the left"),
    "y": N_("a number, in pixels from the top"),
    "radius_x_mm": N_("a number from 2 to 20, in mm"),
    "radius_y_mm": N_("a number from 2 to 20, in mm"),
    "contrast": N_("given, none or unknown"),
    "region": N_("a region that lies in the slice, of 20 pixels or more"),
}
"""Every field of a region with what it takes."""


class RegionFieldsError(FieldsError):
    """The region cannot be taken; each fault's ``values`` say what is allowed."""

    code = "invalid_region"


class Region(Part):
    """An ellipse in a slice, as a reader places it in L1's trabecular body."""

    slice: Annotated[int, Field(ge=1, le=10_000)] = Field(description="1 is the uppermost.")
    x: Annotated[float, Field(ge=0, le=4096, allow_inf_nan=False)] = Field(
        description="Of the centre, in pixels from the left, 0 in the middle of the first."
    )
    y: Annotated[float, Field(ge=0, le=4096, allow_inf_nan=False)]
    radius_x_mm: Annotated[float, Field(ge=RADII[0], le=RADII[1], allow_inf_nan=False)]
    radius_y_mm: Annotated[float, Field(ge=RADII[0], le=RADII[1], allow_inf_nan=False)]


class Placed(Region):
    """A region that a reader accepts, with what they know of contrast medium."""

    contrast: Contrast | None = Field(
        None, description="Where the reader knows more than the file; null: what the file says."
    )


class Scan(Part):
    """What the header says of a series, and bears on its Hounsfield units."""

    vendor: str | None = None
    model: str | None = None
    acquired_on: date | None = None
    voltage_kv: float | None = None
    contrast: Contrast = "unknown"
    kernel: str | None = None
    thickness_mm: float | None = None


class SeriesAnswer(Part):
    """A series that waits to be measured, or was."""

    rows: int
    columns: int
    spacing_mm: tuple[float, float] = Field(description="From row to row and column to column.")
    slices: tuple[int, ...] = Field(description="Numbers of those that are kept; 1 is uppermost.")
    received: int = Field(description="How many slices came.")
    left_out: int = Field(description="Files of the upload that are no slices of it.")
    patient: Literal["same", "differs", "unknown"] = Field(
        description="Whether the files name the patient of the study facts."
    )
    scan: Scan


class Attenuation(Part):
    """Attenuation in a region of L1's trabecular body, in Hounsfield units."""

    region: Region
    mean_hu: float
    sd_hu: float = Field(description="Of the pixels.")
    se_hu: float = Field(description="Of the mean, as if pixels were independent: a lower bound.")
    low_hu: float
    high_hu: float
    pixels: int
    area_mm2: float
    scan: Scan
    contrast: Contrast


def read(sent: Mapping[str, Any]) -> Placed:
    """Return what was ``sent``, as JSON has it. Raises :class:`RegionFieldsError`."""
    try:
        return Placed.model_validate_json(json.dumps(sent), strict=True)
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False, include_input=False)
        faults = {str(one["loc"][0]) if one["loc"] else "region": one["type"] for one in told}
        raise RegionFieldsError(fault(name, code) for name, code in faults.items()) from None


def fault(field: str, code: str) -> Fault:
    """Return what is wrong with a field, and what it takes."""
    name = field if field in ALLOWED else "unknown field"
    allowed = ALLOWED.get(field) or ", ".join(Placed.model_fields)
    return Fault(name, code, "allowed is %(allowed)s", {"allowed": allowed})
