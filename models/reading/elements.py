"""A walk over DICOM data elements (PS3.5 section 7) that passes what it does not know.

pydicom's walk takes every length at its word and ends at the first stray mark, so that a sequence
or an icon miscounted by its writer hides the image behind it; it also builds what it passes, items
by the million, and warns and logs with the file's own text. Here a length that leads nowhere is
checked against what the sequence holds, marks that nobody waits for are stepped over, and nothing
is built: an element is where its value lies.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from pydicom.filereader import ENCODED_VR
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from models.image.errors import CorruptFileError

MAX_HEADS: Final = 30_000
"""Real data sets have hundreds; the worst of this many take a third of a second."""
MAX_DEPTH: Final = 64
SCANNED: Final = 256
"""Bytes looked through for a mark that cost as much as a head."""
UNDEFINED: Final = 0xFFFFFFFF
PIXEL_DATA: Final = 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
FIRST_MARK: Final = b"\xfe\xff\x00\xe0"
"""An item's, as all encoded pixels have it."""
MARKS: Final = frozenset((ITEM, ITEM_END, SEQUENCE_END))
LONG: Final = frozenset(vr.encode() for vr in EXPLICIT_VR_LENGTH_32)
MAY_HOLD_ITEMS: Final = frozenset((None, b"SQ", b"UN"))


class Head(NamedTuple):
    """How an element begins: its tag, its VR where that is written, and where its value lies."""

    tag: int
    vr: bytes | None
    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length


class Element(NamedTuple):
    """Where a value lies: from ``start`` to ``stop``. ``vr`` is None where the file has none;
    ``undefined`` tells that marks end it and not its length."""

    tag: int
    vr: str | None
    start: int
    stop: int
    undefined: bool = False


def head(data: bytes, offset: int, *, explicit: bool, little: bool = True) -> Head | None:
    """Return the head at ``offset`` (PS3.5 7.1.2, 7.1.3), None where ``data`` end within it or the
    VR is none."""
    if len(data) < offset + 8:
        return None
    found = next(_readings(data, offset, explicit=explicit, little=little))
    return None if explicit and found.vr not in ENCODED_VR else found


def has_vr(data: bytes, start: int) -> bool:
    """Tell whether the element at ``start`` is written with its VR, whatever was announced."""
    return data[start + 4 : start + 6] in ENCODED_VR


def _readings(data: bytes, offset: int, *, explicit: bool, little: bool) -> Iterator[Head]:
    """Yield how the head at ``offset`` can be understood, the standard's way first.

    Writers give long VRs short lengths and new VRs long ones, and leave VRs out amid explicit
    elements.
    """
    order = "<" if little else ">"
    group, number, length = struct.unpack_from(f"{order}HHI", data, offset)
    tag = group << 16 | number
    vr = data[offset + 4 : offset + 6]
    implicit = Head(tag, None, offset + 8, length)
    if not explicit or tag in MARKS:
        yield implicit
        return
    short = Head(tag, vr, offset + 8, struct.unpack_from(f"{order}H", data, offset + 6)[0])
    # Cut short by the end it is zeros and more, which fits nowhere.
    octets = data[offset + 8 : offset + 12]
    long = Head(tag, vr, offset + 12, int.from_bytes(octets, "little" if little else "big"))
    if vr in LONG:
        yield long
        yield short
    elif vr in ENCODED_VR:
        yield short
    elif b"AA" <= vr <= b"ZZ":
        yield short
        yield long
    else:
        yield implicit
        yield short
        yield long


class Source:
    """Bytes with elements in them, written ``little``-endian or not.

    All walks over one source share what they may cost: beyond ``MAX_HEADS`` heads or ``MAX_DEPTH``
    sequences inside each other they raise :class:`CorruptFileError`, as they do where a value is
    cut short by the end.
    """

    def __init__(self, data: bytes, *, little: bool = True) -> None:
        self.data = data
        self.little = little
        self._left = MAX_HEADS
        self._mark = struct.Struct("<HH" if little else ">HH")
        self._length = struct.Struct("<I" if little else ">I")

    def elements(
        self, start: int, end: int | None = None, *, explicit: bool, group: int | None = None
    ) -> Iterator[Element]:
        """Yield the outermost elements from ``start`` on, those of one ``group`` or all, with
        Pixel Data as the last of them.

        What is left of Pixel Data that the end cuts short is its value: whether it will do, only
        the pixels tell.
        """
        offset, end = start, len(self.data) if end is None else end
        while offset < end:
            tag = self._tag(offset, end)
            if group is not None and tag >> 16 != group:
                return
            if tag in MARKS:
                offset = self._past_mark(offset, end, explicit, 0)
                continue
            found = self._head(offset, end, explicit)
            vr = found.vr.decode("latin-1") if found.vr else None
            undefined = found.length == UNDEFINED
            if found.tag == PIXEL_DATA:
                yield Element(found.tag, vr, found.start, min(found.end, end), undefined)
                return
            offset = self._past(found, end, explicit, 0)
            yield Element(found.tag, vr, found.start, offset, undefined)

    def first_item(self, sequence: Element, *, explicit: bool) -> dict[int, Element] | None:
        """Return the elements of a sequence's first item, None when it has none.

        Raises :class:`CorruptFileError` when it does not begin with an item.
        """
        start, end = sequence.start, sequence.stop
        if start == end or self._tag(start, end) == SEQUENCE_END:
            return None
        if self._tag(start, end) != ITEM:
            raise CorruptFileError("The DICOM file is damaged: a sequence is not made of items.")
        stop = self._past_item(start, end, explicit, 0)
        if stop is None:
            raise _cut()
        if self._length_at(start) == UNDEFINED and self._tag(stop - 8, end) == ITEM_END:
            stop -= 8
        return {found.tag: found for found in self.elements(start + 8, stop, explicit=explicit)}

    def fragments(self, element: Element) -> list[bytes]:
        """Return the items of an encapsulated value (PS3.5 A.4), the offset table among them.

        The mark behind the last may be missing, and the last may be cut short: each codestream
        knows whether it is whole. Raises :class:`CorruptFileError` where no item stands.
        """
        found, _ = self._items(element.start, element.stop)
        if not found:
            raise CorruptFileError("The DICOM file's encoded Pixel Data hold no fragment.")
        return [self.data[start:stop] for start, stop in found]

    def _items(self, offset: int, end: int) -> tuple[list[tuple[int, int]], int]:
        """Return where the values of plain items lie, and where what follows them does."""
        found = []
        while self._tag(offset, end) == ITEM and offset + 8 <= end:
            self._spend()
            start, stop = offset + 8, offset + 8 + self._length_at(offset)
            found.append((start, min(stop, end)))
            # The byte that makes an odd length even is not always counted.
            odd = stop % 2 and self._tag(stop, end) not in MARKS
            offset = stop + 1 if odd and self._tag(stop + 1, end) in MARKS else stop
        return found, offset + 8 if self._tag(offset, end) == SEQUENCE_END else offset

    def _spend(self, heads: int = 1) -> None:
        self._left -= heads
        if self._left < 0:
            raise CorruptFileError(f"The DICOM file has more than {MAX_HEADS} elements.")

    def _tag(self, offset: int, end: int) -> int:
        """Return the tag at ``offset``, 0 where none fits."""
        if offset + 4 > end:
            return 0
        group, number = self._mark.unpack_from(self.data, offset)
        return int(group << 16 | number)

    def _length_at(self, offset: int) -> int:
        return int(self._length.unpack_from(self.data, offset + 4)[0])

    def _head(self, offset: int, end: int, explicit: bool) -> Head:
        """Return the first reading of a head that something follows on, or else the standard's."""
        self._spend()
        if offset + 8 > end:
            raise _cut()
        readings = list(_readings(self.data, offset, explicit=explicit, little=self.little))
        if len(readings) == 1:
            return readings[0]
        return next((one for one in readings if self._leads_on(one, end, explicit)), readings[0])

    def _leads_on(self, found: Head, end: int, explicit: bool) -> bool:
        if found.tag == PIXEL_DATA:
            return True
        if found.length == UNDEFINED:
            return found.vr in MAY_HOLD_ITEMS or self._tag(found.start, end) in MARKS
        return self._tag(found.end, end) in MARKS or self._follows(found.end, end, found, explicit)

    def _follows(self, offset: int, end: int, before: Head, explicit: bool) -> bool:
        """Tell whether at ``offset`` the elements end, or one follows in order that fits."""
        if offset + 8 > end:
            return offset == end
        found = next(_readings(self.data, offset, explicit=explicit, little=self.little))
        return (
            found.tag not in MARKS
            and found.tag > before.tag
            and (not explicit or found.vr in ENCODED_VR)
            and (found.length == UNDEFINED or found.end <= end or found.tag == PIXEL_DATA)
        )

    def _past(self, found: Head, end: int, explicit: bool, depth: int) -> int:
        """Return where the element behind ``found`` begins, by its length or by what it holds."""
        if found.length == UNDEFINED:
            return self._past_undefined(found, end, explicit, depth)
        if self._follows(found.end, end, found, explicit):
            return found.end
        # Inside an item without length its end is what follows.
        if depth and self._tag(found.end, end) == ITEM_END:
            return found.end
        if found.vr in MAY_HOLD_ITEMS and self._tag(found.start, end) in MARKS:
            stop = self._past_items(found.start, end, explicit, depth)
            if stop is not None and self._follows(stop, end, found, explicit):
                return stop
        if found.length % 2 and self._follows(found.end + 1, end, found, explicit):
            return found.end + 1
        if found.end > end:
            raise _cut()
        return found.end

    def _past_undefined(self, found: Head, end: int, explicit: bool, depth: int) -> int:
        begins = self._tag(found.start, end) in MARKS
        if found.vr == b"SQ" or (found.vr in MAY_HOLD_ITEMS and begins and found.tag != PIXEL_DATA):
            stop = self._past_items(found.start, end, explicit, depth)
            if stop is None:
                raise CorruptFileError("The DICOM file is damaged: a sequence has no end.")
            return stop
        _, stop = self._items(found.start, end)
        if begins and stop <= end:
            return stop
        # Neither a sequence nor fragments: all up to the mark.
        place = self.data.find(self._mark.pack(0xFFFE, 0xE0DD), found.start, end)
        self._spend((place if place >= 0 else end) // SCANNED - found.start // SCANNED)
        if place < 0:
            raise _cut()
        return place + 8

    def _past_items(self, offset: int, end: int, explicit: bool, depth: int) -> int | None:
        """Return what follows a sequence's items and its own end mark, None where it has none."""
        if depth >= MAX_DEPTH:
            raise CorruptFileError(f"The DICOM file nests more than {MAX_DEPTH} sequences.")
        items = 0
        while offset < end:
            self._spend()
            tag = self._tag(offset, end)
            if tag == SEQUENCE_END:
                return offset + 8
            if tag == ITEM_END and items:
                offset += 8
            elif tag == ITEM:
                stop = self._past_item(offset, end, explicit, depth)
                if stop is None:
                    return None
                offset, items = stop, items + 1
            else:
                break
        return offset if items and offset <= end else None

    def _past_item(self, offset: int, end: int, explicit: bool, depth: int) -> int | None:
        if offset + 8 > end:
            return None
        length = self._length_at(offset)
        stop = offset + 8 + length
        if length != UNDEFINED and (
            self._tag(stop, end) in MARKS
            or self._follows(stop, end, Head(0, None, offset, length), explicit)
        ):
            return stop
        counted = length != UNDEFINED
        found = self._past_content(offset + 8, end, explicit, depth + 1, in_order=counted)
        return stop if found is None and counted and stop <= end else found

    def _past_content(
        self, offset: int, end: int, explicit: bool, depth: int, *, in_order: bool
    ) -> int | None:
        """Return what follows an item's elements and its own end mark, None where nothing does.

        Where its length is wrong they end where their order does.
        """
        last = -1
        while offset < end:
            tag = self._tag(offset, end)
            if tag == ITEM_END:
                return offset + 8
            if tag in MARKS or (in_order and tag <= last):
                return offset
            offset = self._past(self._head(offset, end, explicit), end, explicit, depth)
            last = tag
        return offset if in_order and offset == end else None

    def _past_mark(self, offset: int, end: int, explicit: bool, depth: int) -> int:
        """Return what follows a mark that nobody waits for, with an item all of it."""
        self._spend()
        if self._tag(offset, end) != ITEM:
            return offset + 8
        stop = self._past_item(offset, end, explicit, depth)
        if stop is None:
            raise _cut()
        return stop


def _cut() -> CorruptFileError:
    return CorruptFileError("The DICOM file is truncated: an element runs past its end.")
