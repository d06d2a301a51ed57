"""A slice of CT (CT Image Storage, PS3.3 A.3) with what makes its values Hounsfield units.

Nothing is assumed: a slice without rescale, place or spacing is refused, and so is one whose values
are said to be anything but Hounsfield units. Values stay as they are stored; slope and intercept
are the slice's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image.errors import InvalidTagError, MissingTagError
from models.reading import codecs, dataset, frame
from models.reading.dataset import Dataset
from models.reading.limits import Limits
from models.reading.tags import Tag

SOP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.2"
"""CT Image Storage; Enhanced CT holds many slices in one file."""
LARGEST_SIDE: Final = 2048
MAX_SPACING: Final = 5.0
"""Millimetres; a pixel of more shows no trabecular bone."""
MOST_OBLIQUE: Final = 0.9
"""Least cosine between a slice's normal and the patient's long axis: gantries tilt by 25° at most,
and what lies otherwise is a sagittal or coronal reformation."""
LONGEST_CODE: Final = 64


@dataclass(frozen=True, eq=False)
class Slice:
    """``stored`` is (rows, columns), int16 or uint16; ``rescale`` slope and intercept to Hounsfield
    units. ``position`` is in mm along the patient's long axis, towards the head; ``spacing`` (row,
    column) in mm; ``voltage`` in kV. ``contrast`` tells that the file names a contrast medium: that
    it names none says little."""

    stored: NDArray[np.int16] | NDArray[np.uint16]
    rescale: tuple[float, float]
    position: float
    spacing: tuple[float, float]
    thickness: float | None
    voltage: float | None
    contrast: bool
    kernel: str | None
    series: str


def read(data: bytes, limits: Limits) -> Slice:
    """Return the slice in ``data``.

    Raises :class:`~models.image.errors.ScanError`: as :func:`models.reading.dicom.read`, and
    :class:`MissingTagError` or :class:`InvalidTagError` for what is no slice in Hounsfield units.
    """
    file = dataset.parse(data, limits)
    head = file.dataset
    _check_kind(head)
    described = frame.describe(head, limits)
    if described.photometric != "MONOCHROME2":
        raise InvalidTagError(f"{Tag.PhotometricInterpretation} is not MONOCHROME2, as CT has it.")
    if max(described.rows, described.columns) > LARGEST_SIDE:
        raise InvalidTagError(f"A slice has more than {LARGEST_SIDE} rows or columns.")
    rescale, spacing, position = _rescale(head), _spacing(head), _position(head)
    codes = codecs.decode(file, described).astype(np.uint16, copy=False)
    if described.signed:
        # Two's complement of as many bits as are stored.
        shift = 16 - described.bits
        stored: NDArray[np.int16] | NDArray[np.uint16] = (codes << shift).view(np.int16) >> shift
    else:
        stored = codes
    return Slice(
        stored=stored,
        rescale=rescale,
        position=position,
        spacing=spacing,
        thickness=_positive(head, Tag.SliceThickness),
        voltage=_positive(head, Tag.KVP),
        contrast=head.text(Tag.ContrastBolusAgent) is not None,
        kernel=_code(head, Tag.ConvolutionKernel),
        series=head.text(Tag.SeriesInstanceUID) or "",
    )


def _check_kind(head: Dataset) -> None:
    if head.text(Tag.SOPClassUID) != SOP_CLASS:
        raise InvalidTagError(f"{Tag.SOPClassUID} is not that of a slice of CT ({SOP_CLASS}).")
    if "LOCALIZER" in (head.text(Tag.ImageType) or "").upper().split("\\"):
        raise InvalidTagError(f"{Tag.ImageType} says that this is a localizer, not a slice.")
    unit = head.text(Tag.RescaleType)
    if unit not in (None, "HU"):
        raise InvalidTagError(f"{Tag.RescaleType} is not HU: the values are no Hounsfield units.")
    if Tag.ModalityLUTSequence in head:
        raise InvalidTagError(f"{Tag.ModalityLUTSequence} is there; CT has a slope and intercept.")


def _rescale(head: Dataset) -> tuple[float, float]:
    found = head.decimal(Tag.RescaleSlope), head.decimal(Tag.RescaleIntercept)
    slope, intercept = found
    for tag, value in zip((Tag.RescaleSlope, Tag.RescaleIntercept), found, strict=True):
        if value is None:
            raise MissingTagError(f"{tag} is missing; without it there are no Hounsfield units.")
    if slope is None or intercept is None or not 1e-3 <= slope <= 1e3 or abs(intercept) > 1e5:
        raise InvalidTagError(f"{Tag.RescaleSlope} or {Tag.RescaleIntercept} is implausible.")
    return slope, intercept


def _spacing(head: Dataset) -> tuple[float, float]:
    values = head.decimals(Tag.PixelSpacing)
    if len(values) != 2:
        raise MissingTagError(f"{Tag.PixelSpacing} is missing; a region has no size without it.")
    row, column = values
    if not (row and column and 0 < row <= MAX_SPACING and 0 < column <= MAX_SPACING):
        raise InvalidTagError(f"{Tag.PixelSpacing} is implausible.")
    return row, column


def _position(head: Dataset) -> float:
    """Return the place along the patient's axis of an axial slice (C.7.6.2.1.1)."""
    place, direction = (
        [0.0 if value is None else value for value in head.decimals(tag)]
        for tag in (Tag.ImagePositionPatient, Tag.ImageOrientationPatient)
    )
    if len(place) != 3 or len(direction) != 6:
        raise MissingTagError(
            f"{Tag.ImagePositionPatient} or {Tag.ImageOrientationPatient} is missing; a slice has "
            "no place without them."
        )
    normal = np.cross(direction[:3], direction[3:])
    if not MOST_OBLIQUE <= abs(float(normal[2])) <= 1.01:
        raise InvalidTagError(f"{Tag.ImageOrientationPatient} says that the slice is not axial.")
    return float(place[2])


def _positive(head: Dataset, tag: Tag) -> float | None:
    try:
        value = head.decimal(tag)
    except InvalidTagError:
        return None
    return value if value is not None and 0 < value <= 1000 else None


def _code(head: Dataset, tag: Tag) -> str | None:
    text = (head.text(tag) or "").split("\\")[0].strip()
    return text if 0 < len(text) <= LONGEST_CODE and text.isascii() and text.isprintable() else None
