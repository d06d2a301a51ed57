"""A DICOM file (PS3.10 section 7) as far as it is needed: transfer syntax, elements, pixels."""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from models.image.errors import (
    CorruptFileError,
    InvalidTagError,
    MissingTagError,
    NoPixelDataError,
    TooManyPixelsError,
    UnsupportedSyntaxError,
)
from models.reading import elements, jpeg, jpeg2000
from models.reading.limits import Limits
from models.reading.syntaxes import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    SYNTAXES,
    UNSUPPORTED_NAMES,
    Codec,
    Syntax,
)
from models.reading.tags import Tag

PREAMBLE: Final = 128
PREFIX: Final = b"DICM"
META_GROUP, FIRST_GROUP = 0x0002, 0x0008
WANTED: Final = frozenset(Tag)
JPEG_START: Final = b"\xff\xd8"
CODESTREAMS: Final = (JPEG_START, jpeg2000.START, jpeg2000.JP2_SIGNATURE)
CODECS_OF_JPEG: Final[Mapping[int, Codec]] = {
    **dict.fromkeys(jpeg.DCT_FRAMES, "jpeg"),
    jpeg.LOSSLESS: "jpeg-lossless",
    jpeg.JPEG_LS: "jpeg-ls",
}
"""By the marker of their frame header."""
NUMBERS_OF_OTHER_KINDS: Final = (Tag.FloatPixelData, Tag.DoubleFloatPixelData)
LONGEST_FIRST: Final = 1024
"""Bytes; a file without preamble begins with a length, a character set or an identifier."""
LONGEST_TEXT: Final = 4096
"""Bytes of a code, an identifier or a list of windows."""
NUMBER: Final = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
"""Decimals (PS3.5 6.2), also with a comma, as writers of some languages have them."""
THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
"""One and a bit, or a thousand and more: nobody knows."""


class Value(NamedTuple):
    """A value as it stands in the file; ``vr`` is None where the file does not write it."""

    vr: str | None
    data: bytes


@dataclass(frozen=True, eq=False)
class Dataset:
    """The wanted elements of one data set or item, where they lie in ``source``.

    Getters return None for an element that is absent or empty, and raise :class:`InvalidTagError`
    for a value that is not of its kind.
    """

    source: elements.Source
    elements: Mapping[int, elements.Element]
    explicit: bool = True

    @property
    def little(self) -> bool:
        return self.source.little

    @property
    def order(self) -> Literal["<", ">"]:
        return "<" if self.little else ">"

    def __contains__(self, tag: Tag) -> bool:
        return bool(self.raw(tag).data)

    def raw(self, tag: Tag) -> Value:
        """Return the value as bytes; none when it is absent, or a sequence without length."""
        element = self.elements.get(tag)
        if element is None or element.undefined:
            return Value(None, b"")
        return Value(element.vr, self.source.data[element.start : element.stop])

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
        """Return the one whole number that the element holds: US, or what VR is written instead."""
        vr, data = self.raw(tag)
        if vr in ("IS", "DS"):
            return self._written_number(tag)
        if vr in ("UL", "SL") and len(data) == 4:
            return int.from_bytes(data, "little" if self.little else "big", signed=vr == "SL")
        numbers = self.integers(tag)
        if numbers is not None and len(numbers) != 1:
            raise InvalidTagError(f"{tag} has {len(numbers)} values; 1 is allowed.")
        return numbers[0] if numbers else None

    def _written_number(self, tag: Tag) -> int | None:
        numbers = self.decimals(tag)
        if not numbers:
            return None
        number, *others = numbers
        if others or number is None or number != int(number):
            raise InvalidTagError(f"{tag} holds something else than one whole number.")
        return int(number)

    def required(self, tag: Tag) -> int:
        """Return :meth:`integer`, or raise :class:`MissingTagError`."""
        number = self.integer(tag)
        if number is None:
            raise MissingTagError(f"{tag} is missing; the pixels cannot be understood without it.")
        return number

    def decimals(self, tag: Tag) -> tuple[float | None, ...]:
        """Return the numbers that are written as text (DS, IS), None for each that is blank or
        none; no numbers at all when the element is absent or blank."""
        text = self.text(tag)
        return () if text is None else tuple(_decimal(part) for part in text.split("\\"))

    def decimal(self, tag: Tag) -> float | None:
        """Return the first of :meth:`decimals`, None also where it is blank."""
        text = (self.text(tag) or "").split("\\")[0].strip(" \0")
        number = _decimal(text)
        if text and number is None:
            raise InvalidTagError(f"{tag} holds something else than a finite number.")
        return number

    def first_item(self, tag: Tag) -> Dataset | None:
        """Return the first item of a sequence."""
        sequence = self.elements.get(tag)
        if sequence is None:
            return None
        item = self.source.first_item(sequence, explicit=self.explicit)
        return None if item is None else Dataset(self.source, item, self.explicit)


def plain(code: str) -> str:
    """Return a code (CS) without what writers get wrong in one: case, blanks, underscores."""
    return code.upper().translate({ord(" "): None, ord("_"): None})


def _decimal(text: str) -> float | None:
    """Return a finite number, None for any other text."""
    text = text.strip(" \0")
    if not NUMBER.fullmatch(text) or THOUSANDS.fullmatch(text):
        return None
    number = float(text.replace(",", "."))
    # No grey level and no length comes near the bound; beyond it arithmetic overflows.
    return number if math.isfinite(number) and abs(number) <= 1e12 else None


@dataclass(frozen=True, eq=False)
class File:
    """A DICOM file; its Pixel Data (7FE0,0010) in one piece, or the encoded frame's bytes joined.

    ``vr`` is that of Pixel Data: with 8-bit pixels in big-endian words it matters. ``codec`` is
    the codestream's own, whatever transfer syntax was announced: each tells by itself what it is.
    """

    syntax: Syntax
    dataset: Dataset
    pixels: bytes
    vr: str | None
    codec: Codec

    @property
    def lossy(self) -> bool:
        return self.syntax.lossy or self.codec == "jpeg"


def looks_like_dicom(data: bytes) -> bool:
    """Tell whether ``data`` is DICOM: by its prefix, or by two elements that can be nothing else.

    Without the prefix of PS3.10 the first element must be of group 2 or 8, with a low number and
    a short value, and the second must follow in order and fit, as no text and no image begins. Only
    the heads of these two are looked at, wherever it is called and however large ``data`` is.
    """
    return _begins(data) is not None


def _begins(data: bytes) -> int | None:
    """Return where the first element stands, None where ``data`` are not DICOM."""
    if data[PREAMBLE : PREAMBLE + len(PREFIX)] == PREFIX:
        return PREAMBLE + len(PREFIX)
    # Some leave out the preamble, its prefix, or both.
    places = [len(PREFIX)] if data.startswith(PREFIX) else [0]
    if not any(data[:PREAMBLE]):
        places.append(PREAMBLE)
    return next((place for place in places if _are_elements(data, place)), None)


def _are_elements(data: bytes, start: int) -> bool:
    explicit = elements.has_vr(data, start)
    little = not explicit or data[start : start + 1] != b"\0"
    first = elements.head(data, start, explicit=explicit, little=little)
    if first is None or first.tag >> 16 not in (META_GROUP, FIRST_GROUP):
        return False
    if first.tag & 0xFFFF >= 0x0100 or first.length > LONGEST_FIRST:
        return False
    second = elements.head(data, first.end, explicit=explicit, little=little)
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
    syntax, start = _syntax(data, _begins(data) or 0)
    if syntax.deflated:
        data, start = _inflate(data[start:], limits), 0
    source = elements.Source(data, little=_is_little(data, start, syntax))
    explicit = syntax.explicit or elements.has_vr(data, start)
    found = {
        element.tag: element
        for element in source.elements(start, explicit=explicit)
        if element.tag in WANTED
    }
    element = found.get(Tag.PixelData)
    if element is None:
        other = next((tag for tag in NUMBERS_OF_OTHER_KINDS if tag in found), None)
        said = "an image is needed, not a report or document"
        if other is not None:
            said = f"it has {other}, which is no picture"
        raise NoPixelDataError(f"The DICOM file has no {Tag.PixelData}; {said}.")
    pixels, codec = _pixels(source, element, syntax)
    return File(syntax, Dataset(source, found, explicit), pixels, element.vr, codec)


def _is_little(data: bytes, start: int, syntax: Syntax) -> bool:
    """Tell whether the elements are little-endian, whatever was announced: of the numbers of
    groups, which begin with 8, the upper byte is zero."""
    group = data[start : start + 2]
    return syntax.little if len(group) < 2 or not any(group) else group[0] != 0


def _pixels(
    source: elements.Source, element: elements.Element, syntax: Syntax
) -> tuple[bytes, Codec]:
    native = syntax.codec == "native"
    # Some writers count what fragments take, marks and all.
    begins = source.data.startswith(elements.FIRST_MARK, element.start, element.stop)
    in_items = element.undefined or (begins and (not native or _is_made_of_items(source, element)))
    if in_items:
        # PS3.5 A.4: the first item is an offset table; one frame may span all the others.
        first, *others = source.fragments(element)
        joined = b"".join((first, *others) if _is_codestream(first) else others)
        codec = _codec(joined) or syntax.codec
        if codec != "native":
            return joined, codec
    if in_items == native:
        raise CorruptFileError(
            f"The DICOM file's Pixel Data comes {'in fragments' if in_items else 'in one piece'}; "
            f"its transfer syntax has it {'in one piece' if native else 'in fragments'}."
        )
    return source.data[element.start : element.stop], syntax.codec


def _is_made_of_items(source: elements.Source, element: elements.Element) -> bool:
    """Tell whether a value of known length is items from one end to the other."""
    length = sum(len(fragment) + 8 for fragment in source.fragments(element))
    # With the mark behind the last, or without.
    return element.stop - element.start - length in (0, 8)


def _codec(stream: bytes) -> Codec | None:
    """Return what ``stream`` is by itself, None where it does not tell."""
    if stream.startswith((jpeg2000.START, jpeg2000.JP2_SIGNATURE)):
        return "jpeg-2000"
    if _is_rle(stream):
        return "rle"
    if not stream.startswith(JPEG_START):
        return None
    try:
        markers = {segment.marker for segment in jpeg.segments_before_scan(stream)}
    except CorruptFileError:
        return None
    found = markers & CODECS_OF_JPEG.keys()
    return CODECS_OF_JPEG[found.pop()] if len(found) == 1 else None


def _is_codestream(item: bytes) -> bool:
    """Tell whether an item is no offset table: those begin with a zero and are of few numbers."""
    return item.startswith(CODESTREAMS) or _is_rle(item)


def _is_rle(item: bytes) -> bool:
    """Tell whether an item begins as RLE does (PS3.5 G.5): so many segments, the first behind the
    64 bytes that say so."""
    return item[1:8] == b"\0\0\0\x40\0\0\0"


def _syntax(data: bytes, start: int) -> tuple[Syntax, int]:
    """Return the transfer syntax that the file meta information names, and where that ends."""
    source = elements.Source(data)
    meta = {}
    for element in source.elements(start, explicit=True, group=META_GROUP):
        meta[element.tag] = element
        start = element.stop
    uid = Dataset(source, meta).text(Tag.TransferSyntaxUID)
    if not uid:
        # Nothing says; the default transfer syntax and its explicit siblings can be told apart.
        if not elements.has_vr(data, start):
            return SYNTAXES[IMPLICIT_LITTLE], start
        # Groups are even and low: big-endian ones begin with a zero.
        return SYNTAXES[
            EXPLICIT_BIG if data[start : start + 1] == b"\0" else EXPLICIT_LITTLE
        ], start
    if uid not in SYNTAXES:
        raise UnsupportedSyntaxError(
            f"The DICOM file is encoded as {UNSUPPORTED_NAMES.get(uid, 'something unknown')}, "
            "which is not read; uncompressed, RLE, JPEG, JPEG-LS and JPEG 2000 are."
        )
    return SYNTAXES[uid], start


def _inflate(data: bytes, limits: Limits) -> bytes:
    """Return the data set of Deflated Explicit VR Little Endian (PS3.5 A.5).

    Writers have put zlib's header before it, or left it as it was. Its end may be missing: whether
    all pixels are there, they tell themselves.
    """
    bound = 2 * limits.max_samples + 1024 * 1024
    for window in (-zlib.MAX_WBITS, zlib.MAX_WBITS):
        inflater = zlib.decompressobj(window)
        try:
            inflated = inflater.decompress(data, bound)
        except zlib.error:
            continue
        if inflater.unconsumed_tail:
            raise TooManyPixelsError(
                f"The deflated DICOM data set inflates to more than {bound} bytes, "
                f"more than {limits.max_samples} samples need."
            )
        return inflated
    if elements.has_vr(data, 0):
        return data
    raise CorruptFileError("The deflated DICOM data set is damaged.")
