"""JPEG segments (ITU-T T.81, and T.87 for JPEG-LS): checked, measured and stripped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from models.image.errors import (
    CorruptFileError,
    MultipleFramesError,
    UnsupportedColourError,
    UnsupportedFormatError,
)
from models.reading.header import Header
from models.reading.limits import Limits
from models.reading.tiff import exif_orientation

SOI, EOI, SOS, DHT, DRI, COM = 0xD8, 0xD9, 0xDA, 0xC4, 0xDD, 0xFE
APP0, APP1, APP2, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
BASELINE, EXTENDED, PROGRESSIVE, LOSSLESS, JPEG_LS = 0xC0, 0xC1, 0xC2, 0xC3, 0xF7
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC} | {JPEG_LS}
DCT_FRAMES: Final = (BASELINE, EXTENDED, PROGRESSIVE)

MAX_SCANS: Final = 32
"""Encoders write a dozen; each scan of a progressive JPEG costs a walk over all its pixels."""
MAX_SEGMENTS: Final = 10_000

_AFTER_ENTROPY: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""Ends entropy-coded data: any marker but a stuffed zero and the restarts.

Of the fill bytes before a marker the pattern takes the last alone: with any number of them it would
look again from each byte of a run that ends in no marker, and a second's worth is 10 kB.
"""
_FILL: Final = re.compile(rb"\xff*")

Transform = Literal["ybr", "rgb"]


class Component(NamedTuple):
    id: int
    horizontal: int
    vertical: int


@dataclass(frozen=True)
class Frame:
    """A frame header (T.81 B.2.2): what the codestream itself says of its size."""

    marker: int
    precision: int
    height: int
    width: int
    components: tuple[Component, ...]


class Segment(NamedTuple):
    """One marker segment; ``entropy`` holds the coded data behind a start of scan."""

    marker: int
    body: bytes
    entropy: bytes = b""

    def encode(self) -> bytes:
        length = (len(self.body) + 2).to_bytes(2, "big")
        return b"\xff" + bytes((self.marker,)) + length + self.body + self.entropy


def parse(data: bytes, limits: Limits) -> Header:
    """Return the header of the JPEG file in ``data``, its size checked against ``limits``.

    Raises :class:`CorruptFileError` when it is truncated or inconsistent,
    :class:`MultipleFramesError` for a multi-picture file, :class:`UnsupportedColourError` for
    anything but 8-bit grey and YCbCr or RGB, and :class:`UnsupportedFormatError` for a coding
    process that is not read.
    """
    found = list(segments(data))
    frame = frame_of(found)
    limits.check(frame.width, frame.height, len(frame.components))
    if frame.marker not in DCT_FRAMES:
        raise UnsupportedFormatError(
            "The JPEG is of a rare kind; baseline, extended and progressive JPEG are read."
        )
    if frame.precision != 8 or len(frame.components) not in (1, 3):
        raise UnsupportedColourError(
            f"The JPEG has {len(frame.components)} colour channels of {frame.precision} bits; "
            "1 (grey) or 3 (colour) of 8 bits are read."
        )
    # CIPA DC-007: more pictures follow behind the first one's end.
    if any(s.marker == APP2 and s.body.startswith(b"MPF\0") for s in found):
        raise MultipleFramesError("The JPEG is a multi-picture file; one image is allowed.")
    exif = next((s.body for s in found if s.marker == APP1 and s.body.startswith(b"Exif\0\0")), b"")
    return Header(
        width=frame.width,
        height=frame.height,
        sanitised=strip(found, transform_of(found, frame)),
        orientation=exif_orientation(exif),
        lossy=True,
    )


def segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG between its start and end marks.

    Raises :class:`CorruptFileError` when it is truncated or too finely chopped.
    """
    scans = 0
    offset = 2
    for _ in range(MAX_SEGMENTS):
        offset = _past_fill(data, offset)
        if len(data) < offset + 2:
            break
        if data[offset] != 0xFF:
            raise CorruptFileError("The JPEG is damaged: a marker is missing.")
        marker = data[offset + 1]
        if marker == EOI:
            return
        length = int.from_bytes(data[offset + 2 : offset + 4], "big")
        body = data[offset + 4 : offset + 2 + length]
        if length < 2 or len(body) < length - 2:
            break
        offset += 2 + length
        if marker != SOS:
            yield Segment(marker, body)
            continue
        scans += 1
        if scans > MAX_SCANS:
            raise CorruptFileError(f"The JPEG has more than {MAX_SCANS} scans.")
        end = _AFTER_ENTROPY.search(data, offset)
        if end is None:
            break
        yield Segment(marker, body, data[offset : end.start()].rstrip(b"\xff"))
        offset = end.start()
    raise CorruptFileError("The JPEG is truncated: it stops before its end mark.")


def _past_fill(data: bytes, offset: int) -> int:
    """Return where the last of the bytes FF at ``offset`` stands: those before it are fill bytes
    (T.81 B.1.1.2)."""
    found = _FILL.match(data, offset)
    return max(offset, found.end() - 1) if found else offset


def segments_before_scan(data: bytes) -> Iterator[Segment]:
    """Yield the segments up to the first scan: all that JPEG-LS, which stuffs bits, shares."""
    end = data.find(b"\xff\xda")
    yield from segments(data[: max(end, 2)] + b"\xff\xd9")


def frame_of(found: list[Segment]) -> Frame:
    """Return the one frame header among ``found`` segments.

    Raises :class:`CorruptFileError` when there is none, or more than one, or it is broken.
    """
    frames = [s for s in found if s.marker in FRAMES]
    if len(frames) != 1:
        raise CorruptFileError(f"The JPEG has {len(frames)} frame headers; one is needed.")
    marker, body, _ = frames[0]
    count = body[5] if len(body) > 5 else 0
    if not count or len(body) != 6 + 3 * count:
        raise CorruptFileError("The JPEG is damaged: its frame header is broken.")
    return Frame(
        marker=marker,
        precision=body[0],
        height=int.from_bytes(body[1:3], "big"),
        width=int.from_bytes(body[3:5], "big"),
        components=tuple(
            Component(body[i], body[i + 1] >> 4, body[i + 1] & 15)
            for i in range(6, 6 + 3 * count, 3)
        ),
    )


def transform_of(found: list[Segment], frame: Frame, default: Transform = "ybr") -> Transform:
    """Return how three channels are to be understood, in libjpeg's order of belief.

    JFIF is always YCbCr, Adobe's marker says, components called R, G and B are RGB, and the rest
    is ``default``: YCbCr for files, for DICOM what its Photometric Interpretation says.
    """
    if any(s.marker == APP0 and s.body.startswith(b"JFIF\0") for s in found):
        return "ybr"
    for segment in found:
        if segment.marker == APP14 and segment.body.startswith(b"Adobe") and len(segment.body) > 11:
            return "ybr" if segment.body[11] else "rgb"
    if bytes(c.id for c in frame.components).upper() == b"RGB":
        return "rgb"
    return default


def strip(found: list[Segment], transform: Transform) -> bytes:
    """Return the JPEG again without application data, its colour transform said outright."""
    adobe = Segment(APP14, b"Adobe\0\x64\0\0\0\0" + bytes((transform == "ybr",)))
    kept = (s for s in found if not APP0 <= s.marker <= APP15 and s.marker != COM)
    return b"".join((b"\xff\xd8", adobe.encode(), *(s.encode() for s in kept), b"\xff\xd9"))
