"""pydicom's walk over DICOM data elements (PS3.5 section 7), kept from harm and from talking.

By itself pydicom shortens what runs past the end of a file, builds nested items by the million
(four megabytes of empty ones keep it busy for seven seconds and 400 megabytes), and warns and logs
with the file's own text. So it reads from a :class:`Source`, which refuses to give too little or to
be asked too often, and is told to stop behind what is wanted.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Final, NamedTuple

from pydicom.charset import default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import ENCODED_VR, data_element_generator, read_sequence_item
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from models.image.errors import CorruptFileError
from models.reading.guard import decoder_errors

MAX_READS: Final = 30_000
"""Real data sets take hundreds; pydicom builds the worst of this many in a third of a second."""
UNDEFINED: Final = 0xFFFFFFFF
ITEM, ITEM_BIG = b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"

Element = RawDataElement | DataElement
"""The latter for a sequence that came without a length, the former for everything else."""


class Head(NamedTuple):
    """How an element begins: its tag, and where its value lies."""

    tag: int
    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length


def head(data: bytes, offset: int, *, explicit: bool) -> Head | None:
    """Return the head of the little-endian element at ``offset`` (PS3.5 7.1.2, 7.1.3), None where
    ``data`` end within it or the VR is none."""
    octets = data[offset : offset + 12]
    if len(octets) < 8:
        return None
    tag = int.from_bytes(octets[:2], "little") << 16 | int.from_bytes(octets[2:4], "little")
    if not explicit:
        return Head(tag, offset + 8, int.from_bytes(octets[4:8], "little"))
    if octets[4:6] not in ENCODED_VR:
        return None
    if octets[4:6].decode() not in EXPLICIT_VR_LENGTH_32:
        return Head(tag, offset + 8, int.from_bytes(octets[6:8], "little"))
    if len(octets) < 12:
        return None
    return Head(tag, offset + 12, int.from_bytes(octets[8:12], "little"))


class Source(BytesIO):
    """Bytes to read elements from, one or two calls each.

    Raises :class:`CorruptFileError` where something is cut short by the end, and beyond
    ``MAX_READS`` calls.
    """

    def __init__(self, data: bytes, start: int = 0) -> None:
        super().__init__(data)
        self.seek(start)
        self._end = len(data)
        self._reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        found = super().read(size)
        self._reads += 1
        if self._reads > MAX_READS:
            raise CorruptFileError(f"The DICOM file has more than {MAX_READS // 2} elements.")
        # At the very end nothing is left to give, which is how a data set ends.
        if len(found) < (size or 0) and start != self._end:
            raise CorruptFileError("The DICOM file is truncated: an element runs past its end.")
        return found


def has_vr(data: bytes, start: int) -> bool:
    """Tell whether the element at ``start`` is written with its VR, whatever was announced."""
    return data[start + 4 : start + 6] in ENCODED_VR


def walk(
    source: Source,
    *,
    explicit: bool,
    little: bool,
    last: int,
    wanted: Iterable[int] = (),
) -> Iterator[Element]:
    """Yield the elements of the outermost level up to tag ``last``; with ``wanted``, these only.

    Raises :class:`CorruptFileError` when ``source`` does, and when pydicom cannot go on.
    """
    _hush()
    with decoder_errors("DICOM"):
        for element in data_element_generator(
            source,
            not explicit,
            little,
            stop_when=lambda tag, _vr, _length: tag > last,
            specific_tags=list(wanted) or None,
        ):
            # At the very end a source gives nothing without a word.
            if isinstance(element, RawDataElement) and element.length not in (
                UNDEFINED,
                len(element.value or b""),
            ):
                raise CorruptFileError("The DICOM file is truncated: it ends within a value.")
            yield element
            if element.tag == last:
                return


def first_item(element: Element) -> Dataset | None:
    """Return the first item of a sequence, None when it has none.

    Raises :class:`CorruptFileError` when it does not begin with an item.
    """
    if isinstance(element, DataElement):
        return next(iter(element.value), None)
    if not element.value:
        return None
    # pydicom takes any tag for an item's.
    if not element.value.startswith(ITEM if element.is_little_endian else ITEM_BIG):
        raise CorruptFileError("The DICOM file is damaged: a sequence is not made of items.")
    _hush()
    with decoder_errors("DICOM"):
        return read_sequence_item(
            Source(element.value),
            element.is_implicit_VR,
            element.is_little_endian,
            default_encoding,
        )


def _hush() -> None:
    """Keep what pydicom says of files to itself, in the whole process and from now on.

    Locally it cannot be done: ``warnings.catch_warnings`` is of the process too, and puts back
    what another thread relies on.
    """
    warnings.filterwarnings("ignore", module=r"pydicom\.")
    logging.getLogger("pydicom").addFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False
