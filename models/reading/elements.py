"""A walk over DICOM data elements (PS3.5 section 7) that steps over all it is not asked for.

Why not ``pydicom.dcmread``: it builds every nested item (four megabytes of empty ones keep it busy
for seven seconds and 400 megabytes), it shortens elements that run past the end of the file, and it
warns and logs with the file's own text, through filters that are global to the process. The tests
hold this walk against pydicom, on every file that pydicom brings along.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from models.errors import CorruptFileError

MAX_ELEMENTS: Final = 200_000
"""Real data sets hold hundreds; the walk over this many still takes well under a second."""
MAX_DEPTH: Final = 32

ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
DELIMITER_GROUP: Final = 0xFFFE
UNDEFINED: Final = 0xFFFFFFFF
LONG_VRS: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
SHORT_VRS: Final = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)
_VR: Final = re.compile(rb"[A-Z]{2}")


class Coding(NamedTuple):
    """How elements are written: with their VR or without, in which byte order."""

    explicit: bool
    little: bool

    @property
    def order(self) -> str:
        return "<" if self.little else ">"


EXPLICIT_LITTLE: Final = Coding(explicit=True, little=True)
IMPLICIT_LITTLE: Final = Coding(explicit=False, little=True)


class Element(NamedTuple):
    """Where an element lies: its value from ``start`` to ``stop``, the next from ``following``.

    ``vr`` is empty where the file does not write it. ``undefined`` tells that the value came
    without a length: items or fragments, whose end mark ``stop`` leaves out.
    """

    tag: int
    vr: bytes
    start: int
    stop: int
    following: int
    undefined: bool


def has_vr(data: bytes, start: int) -> bool:
    """Tell whether the element at ``start`` is written with its VR, whatever was announced."""
    return data[start + 4 : start + 6] in LONG_VRS | SHORT_VRS


def walk(data: bytes, start: int, coding: Coding, *, group: int | None = None) -> Iterator[Element]:
    """Yield the elements of one level, from ``start`` to the end of the item or of ``data``.

    With ``group`` it ends ahead of the first element of another, which may be coded otherwise.

    Raises :class:`CorruptFileError` at an element that runs past the end, at a broken sequence,
    and beyond ``MAX_ELEMENTS``.
    """
    seen = 0
    while start < len(data):
        seen += 1
        tag, vr, length, value = _head(data, start, coding)
        if tag == ITEM_END or group not in (None, tag >> 16):
            return
        if tag >> 16 == DELIMITER_GROUP:
            raise CorruptFileError("The DICOM file is damaged: a delimiter stands alone.")
        if length == UNDEFINED:
            start, nested = _past_sequence(data, value, _within(vr, coding))
            stop = start - 8
            seen += nested
        else:
            start = stop = value + length
        if start > len(data):
            raise CorruptFileError("The DICOM file is truncated: an element runs past its end.")
        if seen > MAX_ELEMENTS:
            raise CorruptFileError(f"The DICOM file has more than {MAX_ELEMENTS} elements.")
        yield Element(tag, vr, value, stop, start, length == UNDEFINED)


def items(data: bytes, vr: bytes, coding: Coding) -> Iterator[tuple[bytes, Coding]]:
    """Yield the items of a sequence value, or the fragments of encapsulated pixels.

    Raises :class:`CorruptFileError` when ``data`` is not made of items.
    """
    coding = _within(vr, coding)
    start = 0
    while start < len(data):
        tag, _, length, value = _head(data, start, coding)
        stop = len(data) if length == UNDEFINED else value + length
        if tag != ITEM or stop > len(data):
            raise CorruptFileError("The DICOM file is damaged: a sequence is not made of items.")
        yield data[value:stop], coding
        start = stop


def _within(vr: bytes, coding: Coding) -> Coding:
    """Return the coding inside a sequence; one of unknown VR is implicit (PS3.5 6.2.2 note 2)."""
    return IMPLICIT_LITTLE if vr == b"UN" else coding


def _head(data: bytes, start: int, coding: Coding) -> tuple[int, bytes, int, int]:
    """Return tag, VR, length, and where the value starts."""
    head = data[start : start + 12]
    if len(head) < 8:
        raise CorruptFileError("The DICOM file is truncated: it ends within an element.")
    group, number, length = struct.unpack(f"{coding.order}HHI", head[:8])
    tag, vr = group << 16 | number, head[4:6]
    # Some writers fall back to implicit VR midway. Two capitals there are then half a length of
    # more than 16 kilobytes, which outside Pixel Data nobody writes.
    if not coding.explicit or group == DELIMITER_GROUP or not _VR.fullmatch(vr):
        return tag, b"", length, start + 8
    if vr not in LONG_VRS:
        return tag, vr, struct.unpack(f"{coding.order}H", head[6:8])[0], start + 8
    if len(head) < 12:
        raise CorruptFileError("The DICOM file is truncated: it ends within an element.")
    return tag, vr, struct.unpack(f"{coding.order}I", head[8:12])[0], start + 12


def _past_sequence(data: bytes, start: int, coding: Coding) -> tuple[int, int]:
    """Return where the sequence (or fragments) at ``start`` has ended, and in how many elements.

    What lies open is kept on a list, not on the call stack: the file decides how deep it goes.
    """
    open_items = [False]
    codings = [coding]
    for seen in range(MAX_ELEMENTS):
        in_item, coding = open_items[-1], codings[-1]
        tag, vr, length, value = _head(data, start, coding)
        start = value if length == UNDEFINED else value + length
        if tag == (ITEM_END if in_item else SEQUENCE_END):
            open_items.pop()
            codings.pop()
            if not open_items:
                return start, seen
        elif (tag >> 16 == DELIMITER_GROUP) if in_item else (tag != ITEM):
            raise CorruptFileError("The DICOM file is damaged: a sequence is broken off.")
        elif length == UNDEFINED:
            open_items.append(not in_item)
            codings.append(_within(vr, coding))
            if len(open_items) > MAX_DEPTH:
                raise CorruptFileError(f"The DICOM file nests items more than {MAX_DEPTH} deep.")
    raise CorruptFileError(f"The DICOM file has more than {MAX_ELEMENTS} nested elements.")
