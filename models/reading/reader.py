"""From the bytes of a file to a scan, whatever the format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.image.errors import ConstantImageError, EmptyFileError, UnsupportedFormatError
from models.image.scan import Format, Scan
from models.reading import dicom, kinds, png, raster
from models.reading.dataset import looks_like_dicom
from models.reading.limits import Limits

MAGIC: Final[Mapping[bytes, Format]] = {
    png.SIGNATURE: "png",
    b"\xff\xd8\xff": "jpeg",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
}

SNIFFED: Final = 4096
"""Bytes that tell the format: as much of an upload as is looked at outside a decoder."""


def sniff(data: bytes) -> Format | None:
    """Return the format that ``data`` begins as, or None. Names and media types count nothing."""
    # A DICOM preamble may itself look like TIFF (PS3.10 7.1).
    if looks_like_dicom(data):
        return "dicom"
    return next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), None)


def read(data: bytes, limits: Limits = Limits()) -> Scan:  # noqa: B008 - frozen
    """Return the one scan in ``data``: a PNG, JPEG, TIFF or DICOM file.

    ``Scan.pixels`` is (height, width), black 0 and white 2**``Scan.bits`` - 1: uint8 for 8 bits and
    for colour, which is reduced to ITU-R 601-2 luma, else uint16. The same picture gives the same
    pixels in every lossless format.

    Sizes are held against ``limits`` before anything is decoded. Whatever is wrong raises a
    subclass of :class:`~models.image.errors.ScanError`, and nothing else is raised, warned of or
    logged that the file says; :mod:`models.image.errors` lists them.
    """
    if not data:
        raise EmptyFileError("The file is empty; a PNG, JPEG, TIFF or DICOM file is needed.")
    kind = sniff(data)
    if kind is None:
        raise UnsupportedFormatError(
            f"The file is {kinds.name(data) or 'of an unknown kind'}; "
            "PNG, JPEG, TIFF and DICOM are read."
        )
    scan = dicom.read(data, limits) if kind == "dicom" else raster.read(data, kind, limits)
    if scan.pixels.min() == scan.pixels.max():
        raise ConstantImageError("Every pixel of the image is the same; there is nothing to judge.")
    return scan
