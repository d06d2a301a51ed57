"""Writers of files with every field open: for what ordinary encoders refuse to write.

Each takes the pixels as they are to stand in the file, and leaves every claim about them to the
caller.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int16]

PATIENT = "DOE^JANE"
"""Stands in every DICOM file made here, and must stand nowhere else."""


def pillow(pixels: Pixels, kind: str, mode: str | None = None, **options: Any) -> bytes:
    """Return ``pixels`` as Pillow saves them, converted to ``mode`` first."""
    image = Image.fromarray(pixels)
    return saved(image.convert(mode) if mode else image, kind, **options)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(
    size: tuple[int, int],
    depth: int,
    colour: int,
    lines: Iterable[bytes],
    *,
    before: Sequence[tuple[bytes, bytes]] = (),
    after: Sequence[tuple[bytes, bytes]] = (),
) -> bytes:
    """Return a PNG of ``size`` (width, height) with chunks ``before`` and ``after`` its pixels."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + line for line in lines))
    chunks = [(b"IHDR", header), *before, (b"IDAT", data), *after, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    checked = kind + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))


def tiff(
    data: bytes, tags: Mapping[int, int | Sequence[int]], *, order: str = "<", following: int = 0
) -> bytes:
    """Return a TIFF of one strip, ``data``, unless ``tags`` say otherwise; numbers are LONG."""
    strip = {} if 324 in tags else {273: 8, 279: len(data)}
    entries = sorted((strip | dict(tags)).items())
    start = 8 + len(data) + len(data) % 2
    table, outside = b"", b""
    for tag, value in entries:
        numbers = [value] if isinstance(value, int) else list(value)
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(packed) > 4:
            offset = start + 2 + 12 * len(entries) + 4 + len(outside)
            outside += packed
            packed = struct.pack(f"{order}I", offset)
        table += struct.pack(f"{order}HHI", tag, 4, len(numbers)) + packed
    return b"".join(
        (
            b"II*\0" if order == "<" else b"MM\0*",
            struct.pack(f"{order}I", start),
            data + b"\0" * (len(data) % 2),
            struct.pack(f"{order}H", len(entries)),
            table,
            struct.pack(f"{order}I", following),
            outside,
        )
    )


def tiff_tags(width: int, height: int, bits: int = 8, photometric: int = 1) -> dict[int, int]:
    return {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 277: 1, 278: height}


def dicom(
    pixels: bytes | None,
    *,
    syntax: str = ExplicitVRLittleEndian,
    encoded: bool = False,
    **elements: Any,
) -> bytes:
    """Return a Secondary Capture object with ``pixels``; None for ``elements`` that are to lack.

    Defaults describe 8-bit MONOCHROME2 and lack nothing but Rows and Columns.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = "1.2.3.4.5"
    dataset.PatientName = PATIENT
    dataset.PatientID = "4711"
    dataset.StudyDate = "20240229"
    dataset.InstitutionName = "General Hospital"
    dataset.Modality = "BMD"
    defaults: dict[str, Any] = {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": elements.get("BitsStored", 8) - 1 if elements.get("BitsStored", 8) else None,
        "PixelRepresentation": 0,
    }
    for keyword, value in (defaults | elements).items():
        if value is not None:
            setattr(dataset, keyword, value)
    if pixels is not None:
        dataset.PixelData = encapsulate([pixels]) if encoded else pixels + b"\0" * (len(pixels) % 2)
        wide = elements.get("BitsAllocated", 8) == 16 and not encoded
        dataset["PixelData"].VR = "OW" if wide else "OB"
        dataset["PixelData"].is_undefined_length = encoded
    return written(dataset)


def written(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def relabelled(data: bytes, syntax: str) -> bytes:
    """Return a DICOM file under another transfer syntax, its pixels as they were."""
    start = data.index(b"\x02\x00\x10\x00UI")
    (length,) = struct.unpack("<H", data[start + 6 : start + 8])
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    head = data[start : start + 6] + struct.pack("<H", len(value))
    return data[:start] + head + value + data[start + 8 + length :]


def grey_dicom(pixels: Pixels, **elements: Any) -> bytes:
    """Return ``pixels``, (rows, columns), as native DICOM; their dtype tells bits and sign."""
    bits = 8 * pixels.dtype.itemsize
    claims = {
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": bits,
        "BitsStored": bits,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
    }
    return dicom(pixels.tobytes(), **(claims | elements))


def colour_dicom(pixels: bytes, shape: tuple[int, int], **elements: Any) -> bytes:
    """Return ``pixels`` of ``shape`` (rows, columns) as DICOM of three 8-bit samples."""
    claims = {
        "Rows": shape[0],
        "Columns": shape[1],
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0,
    }
    return dicom(pixels, **(claims | elements))
