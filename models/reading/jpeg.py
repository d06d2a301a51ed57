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
from models.reading import exif
from models.reading.header import Header
from models.reading.limits import Limits

SOI, EOI, SOS, DHT, DRI, COM = 0xD8, 0xD9, 0xDA, 0xC4, 0xDD, 0xFE
APP0, APP1, APP2, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
BASELINE, EXTENDED, PROGRESSIVE, LOSSLESS, JPEG_LS = 0xC0, 0xC1, 0xC2, 0xC3, 0xF7
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC} | {JPEG_LS}
DCT_FRAMES: Final = (BASELINE, EXTENDED, PROGRESSIVE)
PROCESSES: Final = {
    LOSSLESS: "lossless",
    JPEG_LS: "JPEG-LS",
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical"),
    **dict.fromkeys((0xC9, 0xCA, 0xCB), "arithmetic-coded"),
}

XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
MAX_SCANS: Final = 32
"""Encoders write a dozen; each scan of a progressive JPEG costs a walk over all its pixels."""
MAX_SCANS_WITHOUT_END: Final = 10
"""As many as encoders write in colour; without an end mark each is decoded four times."""
MAX_SEGMENTS: Final = 10_000

_MARKER: Final = re.compile(rb"\xff[\x01-\xfe]")
_AFTER_ENTROPY: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""Ends entropy-coded data: any marker but a stuffed zero and the restarts.

Of the fill bytes before a marker both patterns take the last alone: with any number of them they
would look again from each byte of a run that ends in no marker, and a second's worth is 10 kB.
"""
_ALONE: Final = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a segment, which mean nothing outside entropy-coded data."""
_OTHER_BITS: Final = tuple(bytes(octets) * 200 for octets in ((0x5A, 0x3C, 0xA7), (0xEE,), (0x24,)))
"""Coded data that continue whatever they are put behind, and none of them with zeros."""

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
            f"The JPEG is {PROCESSES[frame.marker]}; baseline, extended and progressive JPEG are "
            "read outside DICOM."
        )
    count = len(frame.components)
    if frame.precision != 8 or count not in (1, 3):
        raise UnsupportedColourError(
            f"The JPEG has {count} colour channel{'s' if count > 1 else ''} of {frame.precision} "
            "bits; 1 (grey) or 3 (colour) of 8 bits are read."
        )
    # CIPA DC-007: more pictures follow behind the first one's end.
    if any(s.marker == APP2 and s.body.startswith(b"MPF\0") for s in found):
        raise MultipleFramesError("The JPEG is a multi-picture file; one image is allowed.")
    stream, *others = streams(found, frame, transform_of(found, frame))
    applications = [s.body for s in found if s.marker == APP1]
    said = [exif.orientation(body) for body in applications if body.startswith(b"Exif\0")]
    told = (exif.in_xmp(body) for body in applications if body.startswith(XMP))
    return Header(
        width=frame.width,
        height=frame.height,
        sanitised=stream,
        others=tuple(others),
        orientation=exif.settled(said, told, "JPEG"),
        lossy=True,
    )


def segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG behind its start mark, its end mark as the last of them.

    Bytes between segments that belong to none are passed, as libjpeg does. Where the end mark is
    missing, the coded data of the last scan are all that is left. Raises :class:`CorruptFileError`
    when there is no scan, or the file is too finely chopped.
    """
    scans = 0
    offset = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, offset)
        if found is None:
            break
        marker, offset = data[found.end() - 1], found.end()
        if marker == EOI:
            yield Segment(marker, b"")
            return
        if marker == SOI:
            raise CorruptFileError("The JPEG is damaged: it begins a second time within itself.")
        if marker in _ALONE:
            continue
        length = int.from_bytes(data[offset : offset + 2], "big")
        body = data[offset + 2 : offset + length]
        if length < 2 or len(body) < length - 2:
            break
        offset += length
        if marker != SOS:
            yield Segment(marker, body)
            continue
        scans += 1
        if scans > MAX_SCANS:
            raise CorruptFileError(f"The JPEG has more than {MAX_SCANS} scans.")
        end = _AFTER_ENTROPY.search(data, offset)
        stop = end.start() if end else len(data)
        yield Segment(marker, body, data[offset:stop].rstrip(b"\xff"))
        offset = stop
    if not scans:
        raise _truncated()


def _truncated() -> CorruptFileError:
    return CorruptFileError("The JPEG is truncated: it stops before its end mark.")


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


def streams(found: list[Segment], frame: Frame, transform: Transform) -> list[bytes]:
    """Return a lossy JPEG again without application data, its colour transform said outright.

    Without an end mark libjpeg makes up what may be missing in front of it, and says nothing. So
    there are several then, each with other bits there: where all decode alike nothing was missing.

    Raises :class:`CorruptFileError` when the end mark is missing and not all scans are there.
    """
    adobe = Segment(APP14, b"Adobe\0\x64\0\0\0\0" + bytes((transform == "ybr",)))
    kept = [s for s in found if not APP0 <= s.marker <= APP15 and s.marker not in (COM, EOI)]
    whole = b"".join((b"\xff\xd8", adobe.encode(), *(s.encode() for s in kept)))
    tails = (b"",) if found[-1].marker == EOI else (b"", *_OTHER_BITS)
    if len(tails) > 1 and not (
        kept[-1].marker == SOS and _has_all_scans(kept, frame) and _has_all_restarts(kept, frame)
    ):
        raise _truncated()
    return [whole + tail + b"\xff\xd9" for tail in tails]


def _has_all_scans(found: list[Segment], frame: Frame) -> bool:
    """Tell whether every coefficient of every component has come with all of its bits (G.1.1.1)."""
    missing = {component.id: [True] * 64 for component in frame.components}
    scans = [s.body for s in found if s.marker == SOS and len(s.body) > 3]
    for body in scans:
        first, last, approximation = body[-3:]
        for id_ in body[1:-3:2]:
            for place in range(first, min(last, 63) + 1):
                missing.setdefault(id_, [True] * 64)[place] = approximation & 15 > 0
    return len(scans) <= MAX_SCANS_WITHOUT_END and not any(
        any(places) for places in missing.values()
    )


def _has_all_restarts(found: list[Segment], frame: Frame) -> bool:
    """Tell whether the last scan has as many restart markers as its size needs (A.2, E.1.4): at one
    that is missing libjpeg makes up all that follows, whatever does."""
    intervals = [s.body for s in found if s.marker == DRI]
    interval = int.from_bytes(intervals[-1], "big") if intervals else 0
    if not interval:
        return True
    widest = max(component.horizontal for component in frame.components)
    highest = max(component.vertical for component in frame.components)
    ids = found[-1].body[1:-3:2]
    across, down = 8 * widest, 8 * highest
    if len(ids) == 1:
        # A scan of one component is cut into its own blocks.
        (one,) = (c for c in frame.components if c.id == ids[0])
        across, down = across // one.horizontal, down // one.vertical
    units = -(-frame.width // across) * -(-frame.height // down)
    restarts = sum(found[-1].entropy.count(bytes((0xFF, 0xD0 + n))) for n in range(8))
    return restarts == -(-units // interval) - 1
