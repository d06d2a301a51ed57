from __future__ import annotations

import io
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from models.image.errors import (
    CorruptFileError,
    MultipleFramesError,
    TooFewPixelsError,
    TooManyPixelsError,
    UnsupportedColourError,
    UnsupportedFormatError,
)
from models.reading import read
from models.reading.jpeg import MAX_SCANS
from tests.models.reading import files, lossless_encoder
from tests.models.reading.encodings import pattern
from tests.models.reading.refusals import refused

PICTURE = pattern()
WHOLE = files.pillow(PICTURE, "JPEG", quality=100)
COLOURS = np.dstack([PICTURE, PICTURE[::-1], 255 - PICTURE])


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def with_segments(*segments: bytes, data: bytes = WHOLE) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def with_size(height: int, width: int) -> bytes:
    frame = WHOLE.index(b"\xff\xc0")
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return WHOLE[: frame + 5] + size + WHOLE[frame + 9 :]


def without(data: bytes, marker: int) -> bytes:
    start = data.index(bytes([0xFF, marker]))
    return data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]


def test_colour_is_decoded_as_pillow_does() -> None:
    data = files.pillow(COLOURS, "JPEG", quality=95)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    np.testing.assert_array_equal(read(data).pixels, expected)


class TestColourTransform:
    """JFIF, Adobe's marker and component names say whether three channels are YCbCr."""

    YBR = files.pillow(COLOURS, "JPEG", quality=100, subsampling=0)
    RGB = files.pillow(COLOURS, "JPEG", quality=100, subsampling=0, keep_rgb=True)
    EXPECTED = np.asarray(Image.fromarray(COLOURS).convert("L")).astype(int)

    CASES: ClassVar = {
        "jfif": YBR,
        "nothing": without(YBR, 0xE0),
        "adobe ybr": with_segments(
            segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"), data=without(YBR, 0xE0)
        ),
        "adobe rgb": RGB,
        "components called rgb": without(RGB, 0xEE).replace(
            b"\x03\x01\x11\0\x02\x11\0\x03\x11\0", b"\x03R\x11\0G\x11\0B\x11\0"
        ),
    }

    @pytest.mark.parametrize("data", CASES.values(), ids=CASES)
    def test_is_undone(self, data: bytes) -> None:
        assert np.abs(read(data).pixels.astype(int) - self.EXPECTED).max() <= 3


def test_what_is_not_needed_never_reaches_the_decoder() -> None:
    clutter = [
        segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff" + files.PATIENT.encode()),
        segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(100)),
        segment(0xED, b"Photoshop 3.0\0" + bytes(100)),
        segment(0xFE, files.PATIENT.encode()),
    ]
    np.testing.assert_array_equal(read(with_segments(*clutter)).pixels, read(WHOLE).pixels)


def test_what_follows_the_end_is_not_read() -> None:
    np.testing.assert_array_equal(read(WHOLE + WHOLE[::-1]).pixels, read(WHOLE).pixels)


def test_fill_bytes_before_a_marker() -> None:
    filled = WHOLE.replace(b"\xff\xc0", b"\xff\xff\xff\xc0", 1)
    np.testing.assert_array_equal(read(filled).pixels, read(WHOLE).pixels)


def test_several_pictures() -> None:
    mpo = files.saved(
        Image.fromarray(PICTURE), "MPO", save_all=True, append_images=[Image.fromarray(PICTURE)]
    )
    with refused(MultipleFramesError, match="multi-picture"):
        read(mpo)


def test_four_colours() -> None:
    with refused(UnsupportedColourError, match="4 colour channels"):
        read(files.pillow(COLOURS, "JPEG", "CMYK"))


def test_twelve_bits() -> None:
    frame = WHOLE.index(b"\xff\xc0")
    with refused(UnsupportedColourError, match="12 bits"):
        read(WHOLE[: frame + 4] + b"\x0c" + WHOLE[frame + 5 :])


def test_a_rare_kind() -> None:
    with refused(UnsupportedFormatError, match="lossless; baseline, extended and progressive"):
        read(lossless_encoder.encode(PICTURE, 8))
    arithmetic = WHOLE.replace(b"\xff\xc0", b"\xff\xc9", 1)
    with refused(UnsupportedFormatError, match="arithmetic-coded"):
        read(arithmetic)


@pytest.mark.parametrize(
    ("height", "width", "error"),
    [
        (0, 66, TooFewPixelsError),
        (1, 1, TooFewPixelsError),
        (65500, 65500, TooManyPixelsError),
    ],
)
def test_the_size_is_checked_before_anything_is_decoded(
    height: int, width: int, error: type[TooFewPixelsError | TooManyPixelsError]
) -> None:
    with refused(error, match=f"{width}×{height}"):
        read(with_size(height, width))


def scans(count: int) -> bytes:
    """Return a progressive JPEG whose last scan is repeated to make ``count``."""
    data = files.pillow(PICTURE, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    missing = count - data.count(b"\xff\xda")
    return data[:-2] + data[last:-2] * missing + data[-2:]


EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
LENIENT = {
    "no end": WHOLE[:-2],
    "half an end": WHOLE[:-1],
    "padding for an end": WHOLE[:-2] + bytes(3),
    "padding before the end": WHOLE[:-2] + bytes(99) + WHOLE[-2:],
    "fill bytes before the end": WHOLE[:-2] + b"\xff" * 99 + WHOLE[-2:],
    "octets between segments": with_segments(segment(0xFE, b""), b"\0\0\1junk\xff\0"),
    "a segment longer than it says": with_segments(b"\xff\xee\0\x08Adobe\0\x64\0\0\0\0\0"),
    "a restart marker out of place": with_segments(b"\xff\xd3"),
    "a marker of its own out of place": with_segments(b"\xff\x01"),
    "a profile of one part of three": with_segments(segment(0xE2, b"ICC_PROFILE\0\2\3")),
    "half of JFIF's": with_segments(segment(0xE0, b"JFI")),
    "half of Adobe's": with_segments(segment(0xEE, b"Adobe\0")),
    "an empty EXIF": with_segments(segment(0xE1, b"Exif\0\0")),
    "restarts of no interval": with_segments(segment(0xDD, b"\0\0")),
}


@pytest.mark.parametrize("data", LENIENT.values(), ids=LENIENT)
def test_what_no_pixel_depends_on_may_be_broken(data: bytes) -> None:
    np.testing.assert_array_equal(read(data).pixels, read(WHOLE).pixels)


def test_the_first_exif_that_turns_it_holds() -> None:
    exifs = (b"Exif\0\0", b"Exif\0\0MM\0*", EXIF, EXIF.replace(b"\0\6", b"\0\3"))
    data = with_segments(*(segment(0xE1, exif) for exif in exifs))
    np.testing.assert_array_equal(read(data).pixels, np.rot90(read(WHOLE).pixels, -1))


ENCODERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "few codes": {"optimize": True},
    "a restart a row": {"restart_marker_rows": 1},
    "a restart every other block": {"restart_marker_blocks": 2},
    "progressive": {"progressive": True},
    "progressive with restarts": {"progressive": True, "restart_marker_blocks": 3},
}


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("options", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize("quality", [30, 95])
def test_pixels_that_are_missing_are_not_made_up(
    options: dict[str, Any], colour: bool, quality: int
) -> None:
    """Without its end mark a JPEG is read only where nothing else is missing."""
    for pixels in (PICTURE, np.random.default_rng(4).integers(0, 256, (40, 56), np.uint8)):
        shown = np.dstack([pixels, pixels[::-1], 255 - pixels]) if colour else pixels
        data = files.pillow(shown, "JPEG", quality=quality, **options)
        expected = read(data).pixels
        np.testing.assert_array_equal(read(data[:-2]).pixels, expected)
        for cut in range(3, 300):
            try:
                found = read(data[:-cut]).pixels
            except CorruptFileError:
                continue
            # The last bits may be padding alone, or coded nothing.
            np.testing.assert_array_equal(found, expected)
            assert cut < 10


def test_scans_that_are_missing() -> None:
    data = files.pillow(PICTURE, "JPEG", progressive=True)
    places = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    for place in places[1:]:
        with refused(CorruptFileError, match="truncated"):
            read(data[:place])


BROKEN = {
    "half the pixels": WHOLE[: len(WHOLE) // 2],
    "no pixels": WHOLE[: WHOLE.index(b"\xff\xda")] + b"\xff\xd9",
    "no frame": without(WHOLE, 0xC0),
    "two frames": with_segments(WHOLE[WHOLE.index(b"\xff\xc0") :][:13]),
    "a frame cut short": WHOLE.replace(b"\xff\xc0\x00\x0b", b"\xff\xc0\x00\x09"),
    "a frame without components": with_segments(
        segment(0xC0, b"\x08\0\x40\0\x40\0"), data=without(WHOLE, 0xC0)
    ),
    "a segment beyond the end": with_segments(b"\xff\xfe\xff\xff"),
    "a segment of impossible length": with_segments(b"\xff\xfe\x00\x01"),
    "a second beginning": with_segments(segment(0xFE, b""), b"\xff\xd8"),
    "segments without end": with_segments(segment(0xFE, b"") * 10_001),
    "scans without end": scans(MAX_SCANS + 1),
    "only a signature": WHOLE[:3],
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    with refused(CorruptFileError):
        read(data)


def test_as_many_scans_as_are_allowed() -> None:
    assert read(scans(MAX_SCANS)).pixels.shape == PICTURE.shape
