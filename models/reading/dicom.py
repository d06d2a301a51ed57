"""DICOM image objects to a scan: Secondary Capture, DX, CR and whatever else holds one frame."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image.errors import InvalidTagError
from models.image.scan import Scan
from models.reading import codecs, dataset, display, frame, lookup
from models.reading.colour import luma
from models.reading.dataset import Dataset
from models.reading.limits import Limits
from models.reading.tags import Tag
from models.reading.types import Pixels

# What bears on the pixels or on what they may be used for. Each is a code or a number by its
# nature (CS, UI); what does not look like one is somebody's note, and is left out.
TAGS: Final = (
    Tag.SOPClassUID,
    Tag.Modality,
    Tag.PresentationIntentType,
    Tag.BodyPartExamined,
    Tag.ViewPosition,
    Tag.PhotometricInterpretation,
    Tag.BurnedInAnnotation,
    Tag.LossyImageCompression,
)
CODE: Final = re.compile(r"[A-Z0-9 _.]{1,64}", re.ASCII)
MAX_SPACING: Final = 10.0
"""Millimetres; a pixel of a centimetre shows no vertebra, and 0 or less is no distance."""


def read(data: bytes, limits: Limits) -> Scan:
    """Return the scan in ``data``, a DICOM file with or without its preamble.

    Grey goes through modality LUT, VOI LUT and inversion (:mod:`~models.reading.display`) and
    becomes (rows, columns) uint8 when 8 bits tell it, else uint16. Colour, which has none of these
    (PS3.3 C.7.6.3.1.2), is reduced to luma: uint8. ``spacing`` is Pixel Spacing, or at the
    detector Imager Pixel Spacing. Nothing that identifies a person or an examination is kept.

    Raises :class:`~models.image.errors.ScanError` as the modules
    :mod:`~models.reading.dataset`, :mod:`~models.reading.frame`, :mod:`~models.reading.codecs`
    and :mod:`~models.reading.display` do.
    """
    file = dataset.parse(data, limits)
    described = frame.describe(file.dataset, limits)
    pixels: Pixels
    bits = 8
    if described.photometric in frame.MONOCHROME:
        table, bits = display.table(file.dataset, described)
        pixels = lookup.through(table, codecs.decode(file, described))
    elif described.photometric == frame.PALETTE:
        greys = luma(_palette(file.dataset)[np.newaxis])[0]
        pixels = lookup.through(greys, codecs.decode(file, described))
    else:
        pixels = luma(codecs.decode(file, described).astype(np.uint8, copy=False))
    return Scan(
        pixels=pixels,
        bits=bits,
        format="dicom",
        spacing=_spacing(file.dataset),
        tags=_tags(file.dataset) | {Tag.TransferSyntaxUID.name: file.syntax.uid},
        lossy=file.lossy or _text(file.dataset, Tag.LossyImageCompression) == "01",
    )


def _palette(data: Dataset) -> NDArray[np.uint8]:
    """Return the colour of each of 65536 stored values, (65536, 3) uint8 (C.7.6.3.1.5).

    Of 16-bit colours the upper byte is kept, as displays and Pillow do. Writers have said 16 of
    values that fit in 8, which would all be black, and 8 of wider ones, which would all be white.
    """
    tables = [
        lookup.read(data, descriptor, entries, signed=False)
        for descriptor, entries in (
            (Tag.RedPaletteColorLookupTableDescriptor, Tag.RedPaletteColorLookupTableData),
            (Tag.GreenPaletteColorLookupTableDescriptor, Tag.GreenPaletteColorLookupTableData),
            (Tag.BluePaletteColorLookupTableDescriptor, Tag.BluePaletteColorLookupTableData),
        )
    ]
    if len({(table.first, len(table.entries), table.bits) for table in tables}) > 1:
        raise InvalidTagError("The three palette descriptors differ; they need to be the same.")
    bits, values = tables[0].bits, np.arange(1 << 16)
    is_wide = max(int(table.entries.max()) for table in tables) > 0xFF
    if is_wide != (bits > 8):
        bits = 16 if is_wide else 8
        tables = [replace(table, bits=bits) for table in tables]
    colours = np.stack([table(values) >> (bits - 8) for table in tables], axis=-1)
    return colours.astype(np.uint8)


def _spacing(data: Dataset) -> tuple[float, float] | None:
    """Return row and column distance (10.7.1.3), None when no tag has a plausible one."""
    for tag in (Tag.PixelSpacing, Tag.ImagerPixelSpacing):
        try:
            row, column = data.decimals(tag)
        except ValueError:
            continue
        if row and column and 0 < row <= MAX_SPACING and 0 < column <= MAX_SPACING:
            return row, column
    return None


def _tags(data: Dataset) -> dict[str, str]:
    texts = {tag.name: _text(data, tag) for tag in TAGS}
    return {name: text for name, text in texts.items() if CODE.fullmatch(text)}


def _text(data: Dataset, tag: Tag) -> str:
    """Return the text of a tag that no pixel depends on, none where it is too long for one."""
    try:
        return data.text(tag) or ""
    except InvalidTagError:
        return ""
