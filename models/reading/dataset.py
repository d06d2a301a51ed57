"""A DICOM file (PS3.10 section 7) as far as it is needed: transfer syntax, elements, pixels."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset as PydicomDataset
from pydicom.encaps import generate_fragments

from models.image.errors import (
    CorruptFileError,
    InvalidTagError,
    MissingTagError,
    NoPixelDataError,
    TooManyPixelsError,
    UnsupportedSyntaxError,
)
from models.reading import elements
from models.reading.guard import decoder_errors
from models.reading.limits import Limits
from models.reading.syntaxes import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    SYNTAXES,
    UNSUPPORTED_NAMES,
    Syntax,
)
from models.reading.tags import Tag

PREAMBLE: Final = 128
PREFIX: Final = b"DICM"
META_GROUP, FIRST_GROUP = 0x0002, 0x0008
LONGEST_FIRST: Final = 1024
"""Bytes; a file without preamble begins with a length, a character set or an identifier."""
LAST_OF_META: Final = 0x0002FFFF
LONGEST_TEXT: Final = 4096
"""Bytes of a code, an identifier or a list of windows."""


class Value(NamedTuple):
    """A value as it stands in the file; ``vr`` is None where the file does not write it."""

    vr: str | None
    data: bytes


@dataclass(frozen=True, eq=False)
class Dataset:
    """The wanted elements of one data set or item, as pydicom found them.

    They are converted here: pydicom's own conversion warns, and takes LUT Data for text or numbers
    as it finds their VR. Getters return None for an element that is absent or empty, and raise
    :class:`InvalidTagError` for a value that is not of its kind.
    """

    elements: PydicomDataset
    little: bool

    @property
    def order(self) -> Literal["<", ">"]:
        return "<" if self.little else ">"

    def __contains__(self, tag: Tag) -> bool:
        return bool(self.raw(tag).data)

    def raw(self, tag: Tag) -> Value:
        """Return the value as bytes; none when it is absent, or a sequence without length."""
        element = self.elements.get_item(tag, keep_deferred=True)
        if isinstance(element, RawDataElement):
            return Value(element.VR, element.value or b"")
        return Value(None, b"")

    def text(self, tag: Tag) -> str | None:
        data = self.raw(tag).data
        if len(data) > LONGEST_TEXT:
            raise InvalidTagError(
                f"{tag} is {len(data)} bytes long; at most {LONGEST_TEXT} are read."
            )
        return data.decode("latin-1").strip(" \0") or None

    def integers(self, tag: Tag, *, signed: bool = False) -> tuple[int, ...] | None:
        """Return 16-bit numbers (US or SS)."""
        data = self.raw(tag).data
        if len(data) % 2:
            raise InvalidTagError(f"{tag} is {len(data)} bytes long; an even number is needed.")
        kind = "h" if signed else "H"
        return struct.unpack(f"{self.order}{len(data) // 2}{kind}", data) or None

    def integer(self, tag: Tag) -> int | None:
        """Return the one unsigned 16-bit number that the element holds."""
        numbers = self.integers(tag)
        if numbers is not None and len(numbers) != 1:
            raise InvalidTagError(f"{tag} has {len(numbers)} values; 1 is allowed.")
        return numbers[0] if numbers else None

    def required(self, tag: Tag) -> int:
        """Return :meth:`integer`, or raise :class:`MissingTagError`."""
        number = self.integer(tag)
        if number is None:
            raise MissingTagError(f"{tag} is missing; the pixels cannot be understood without it.")
        return number

    def decimals(self, tag: Tag) -> tuple[float, ...] | None:
        """Return finite numbers that are written as text (DS, IS)."""
        text = self.text(tag)
        if text is None:
            return None
        try:
            numbers = tuple(float(part) for part in text.split("\\"))
        except ValueError:
            numbers = (math.nan,)
        # No grey level and no length comes near the bound; beyond it arithmetic overflows.
        if not all(math.isfinite(number) and abs(number) <= 1e12 for number in numbers):
            raise InvalidTagError(f"{tag} holds something else than finite numbers.")
        return numbers

    def decimal(self, tag: Tag) -> float | None:
        """Return the first of :meth:`decimals`."""
        numbers = self.decimals(tag)
        return numbers[0] if numbers else None

    def first_item(self, tag: Tag) -> Dataset | None:
        """Return the first item of a sequence."""
        sequence = self.elements.get_item(tag, keep_deferred=True)
        item = None if sequence is None else elements.first_item(sequence)
        return None if item is None else Dataset(item, self.little)


@dataclass(frozen=True, eq=False)
class File:
    """A DICOM file; its Pixel Data (7FE0,0010) in one piece, or the encoded frame's bytes joined.

    ``vr`` is that of Pixel Data: with 8-bit pixels in big-endian words it matters.
    """

    syntax: Syntax
    dataset: Dataset
    pixels: bytes
    vr: str | None


def looks_like_dicom(data: bytes) -> bool:
    """Tell whether ``data`` is DICOM: by its prefix, or by two elements that can be nothing else.

    Without the preamble of PS3.10 the first element must be of group 2 or 8, with a low number and
    a short value, and the second must follow in order and fit, as no text and no image begins. Only
    the heads of these two are looked at, wherever it is called and however large ``data`` is.
    """
    if data[PREAMBLE : PREAMBLE + len(PREFIX)] == PREFIX:
        return True
    explicit = elements.has_vr(data, 0)
    first = elements.head(data, 0, explicit=explicit)
    if first is None or first.tag >> 16 not in (META_GROUP, FIRST_GROUP):
        return False
    if first.tag & 0xFFFF >= 0x0100 or first.length > LONGEST_FIRST:
        return False
    second = elements.head(data, first.end, explicit=explicit)
    return (
        second is not None
        and first.tag < second.tag <= Tag.PixelData
        and (second.length == elements.UNDEFINED or second.end <= len(data))
    )


def parse(data: bytes, limits: Limits) -> File:
    """Return what is needed of the DICOM file in ``data``.

    Raises :class:`CorruptFileError` when it is truncated or not made of elements,
    :class:`NoPixelDataError` when Pixel Data is absent, :class:`UnsupportedSyntaxError` for a
    transfer syntax that is not read, and :class:`TooManyPixelsError` when a deflated one inflates
    to more than the largest allowed image.
    """
    start = PREAMBLE + len(PREFIX) if data[PREAMBLE : PREAMBLE + len(PREFIX)] == PREFIX else 0
    syntax, start = _syntax(data, start)
    if syntax.deflated:
        data, start = _inflate(data[start:], limits), 0
    found = elements.walk(
        elements.Source(data, start),
        explicit=syntax.explicit or elements.has_vr(data, start),
        little=syntax.little,
        last=Tag.PixelData,
        wanted=Tag,
    )
    dataset = PydicomDataset({element.tag: element for element in found})
    element = dataset.get_item(Tag.PixelData, keep_deferred=True)
    if element is None:
        raise NoPixelDataError(
            f"The DICOM file has no {Tag.PixelData}; an image is needed, not a report or document."
        )
    encoded = not isinstance(element, RawDataElement) or element.length == elements.UNDEFINED
    if encoded != (syntax.codec != "native"):
        raise CorruptFileError(
            "The DICOM file's Pixel Data is not encoded as its transfer syntax says."
        )
    pixels = element.value or b""
    if encoded:
        # PS3.5 A.4: the first item is an offset table; one frame may span all the others.
        with decoder_errors("DICOM"):
            pixels = b"".join(list(generate_fragments(pixels))[1:])
    return File(syntax, Dataset(dataset, syntax.little), pixels, element.VR)


def _syntax(data: bytes, start: int) -> tuple[Syntax, int]:
    """Return the transfer syntax that the file meta information names, and where that ends."""
    source = elements.Source(data, start)
    meta = elements.walk(
        source, explicit=True, little=True, last=LAST_OF_META, wanted=[Tag.TransferSyntaxUID]
    )
    found = {element.tag: element for element in meta}
    uid = Dataset(PydicomDataset(found), little=True).text(Tag.TransferSyntaxUID)
    start = source.tell()
    if not uid:
        # Nothing says; the default transfer syntax and its explicit sibling can be told apart.
        explicit = elements.has_vr(data, start)
        return SYNTAXES[EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE], start
    if uid not in SYNTAXES:
        raise UnsupportedSyntaxError(
            f"The DICOM file is encoded as {UNSUPPORTED_NAMES.get(uid, 'something unknown')}, "
            "which is not read; uncompressed, RLE, JPEG, JPEG-LS and JPEG 2000 are."
        )
    return SYNTAXES[uid], start


def _inflate(data: bytes, limits: Limits) -> bytes:
    """Return the data set of Deflated Explicit VR Little Endian (PS3.5 A.5)."""
    bound = 2 * limits.max_samples + 1024 * 1024
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(data, bound)
    except zlib.error:
        raise CorruptFileError("The deflated DICOM data set is damaged.") from None
    if inflater.unconsumed_tail:
        raise TooManyPixelsError(
            f"The deflated DICOM data set inflates to more than {bound} bytes, "
            f"more than {limits.max_samples} samples need."
        )
    if not inflater.eof:
        raise CorruptFileError("The deflated DICOM data set is truncated.")
    return inflated
