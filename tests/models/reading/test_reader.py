"""The whole way: one picture, however it comes, and everything that is none."""

from __future__ import annotations

import gzip
import io
import logging
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from models.image.errors import (
    ConstantImageError,
    EmptyFileError,
    TooFewPixelsError,
    TooManyPixelsError,
    UnsupportedFormatError,
)
from models.reading import Limits, read, sniff
from tests.models.reading import files
from tests.models.reading.encodings import ENCODINGS, KNOWN_POINTS, LOSSY, pattern, rgb
from tests.models.reading.refusals import refused

PICTURE = pattern()
FILES = {name: encode(PICTURE) for name, encode in ENCODINGS.items()}

every_encoding = pytest.mark.parametrize("encoding", ENCODINGS)


@every_encoding
def test_the_same_picture_in_every_encoding(encoding: str) -> None:
    scan = read(FILES[encoding])
    assert scan.pixels.shape == PICTURE.shape
    assert scan.pixels.dtype == (np.uint8 if scan.bits == 8 else np.uint16)
    assert scan.pixels.flags.c_contiguous
    assert scan.lossy == (encoding in LOSSY)
    shown = scan.pixels / (2**scan.bits - 1) * 255
    if encoding in LOSSY:
        assert np.abs(shown - PICTURE).max() <= 3
    elif scan.bits in (8, 16):
        np.testing.assert_allclose(shown, PICTURE, atol=1e-9)
    else:
        assert np.abs(shown - PICTURE).max() <= 0.5


@every_encoding
def test_known_points(encoding: str) -> None:
    scan = read(FILES[encoding])
    white = 2**scan.bits - 1
    tolerance = white * (3 if encoding in LOSSY else 0.5) / 255
    for point, grey in KNOWN_POINTS.items():
        assert abs(int(scan.pixels[point]) - grey / 255 * white) <= tolerance, point


@pytest.mark.parametrize(
    ("encoding", "bits"),
    [
        ("png8", 8),
        ("png16", 16),
        ("png-rgb16", 8),
        ("tiff16", 16),
        ("dicom-8bit-in-16", 8),
        ("dicom-monochrome1-12bit", 12),
        ("dicom-signed-16bit-rescaled", 16),
        ("dicom-jpeg-2000-12bit", 12),
        ("dicom-palette", 8),
    ],
)
def test_bits_are_those_of_the_display(encoding: str, bits: int) -> None:
    scan = read(FILES[encoding])
    assert scan.bits == bits
    assert scan.pixels.max() == 2**bits - 1


@every_encoding
def test_sniff_tells_the_format(encoding: str) -> None:
    assert sniff(FILES[encoding]) == encoding.split("-", maxsplit=1)[0].rstrip("0123456789")
    assert read(FILES[encoding]).format == sniff(FILES[encoding])


def test_equal_pixels_are_equal_scans_whatever_held_them() -> None:
    """Colour fringes, as printers and screen captures leave them, become the same grey."""
    noise = np.random.default_rng(7).integers(0, 256, (40, 50, 3), np.uint8)
    noise[1, 1], noise[2, 2] = (1, 1, 2), (255, 255, 255)
    expected = np.asarray(Image.fromarray(noise).convert("L"))
    for data in (
        files.pillow(noise, "PNG"),
        files.pillow(noise, "TIFF"),
        files.pillow(np.dstack([noise, np.full((40, 50), 255, np.uint8)]), "PNG"),
        files.colour_dicom(noise.tobytes(), (40, 50)),
        files.colour_dicom(noise.transpose(2, 0, 1).tobytes(), (40, 50), PlanarConfiguration=1),
    ):
        np.testing.assert_array_equal(read(data).pixels, expected)


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("scan.png", FILES["png8"])
    return buffer.getvalue()


NOT_SCANS = {
    "text": (b"The spine is fine.\n" * 20, "unknown kind"),
    "html": (b"<!doctype html><title>404</title>", "web page"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
    "json": (b'{"error": "not found"}', "JSON"),
    "pdf": (b"%PDF-1.7\n" + b"0" * 200, "PDF"),
    "zip": (_zip(), "ZIP"),
    "gzip": (gzip.compress(FILES["png8"]), "gzip"),
    "gif": (files.pillow(PICTURE, "GIF"), "GIF"),
    "webp": (files.pillow(PICTURE, "WEBP"), "WebP"),
    "bmp": (files.pillow(PICTURE, "BMP"), "BMP"),
    "jpeg 2000": (files.pillow(PICTURE, "JPEG2000"), "JPEG 2000"),
    "zeros": (b"\0" * 1000, "unknown kind"),
    "one byte": (b"\x89", "unknown kind"),
    "group 8 and then nothing": (b"\x08\0\x05\0CS\x0a\0ISO_IR 100", "unknown kind"),
}


@pytest.mark.parametrize(("data", "said"), NOT_SCANS.values(), ids=NOT_SCANS)
def test_what_is_no_scan_is_named(data: bytes, said: str) -> None:
    assert sniff(data) is None
    with refused(UnsupportedFormatError, match=said):
        read(data)


def test_an_empty_file() -> None:
    assert sniff(b"") is None
    with refused(EmptyFileError):
        read(b"")


def _constant() -> dict[str, bytes]:
    flat, high = np.full((40, 40), 7, np.uint8), np.full((40, 40), 65535, np.uint16)
    above_window = np.tile(np.array([[200, 255]], np.uint8), (40, 20))
    return {
        "png": files.pillow(flat, "PNG"),
        "png of equal luma": files.pillow(rgb(flat), "PNG"),
        "jpeg": files.pillow(flat, "JPEG"),
        "tiff of 16 bits": files.pillow(high, "TIFF"),
        "dicom": files.grey_dicom(flat),
        "dicom that its window makes white": files.grey_dicom(
            above_window, WindowCenter="50", WindowWidth="100"
        ),
    }


@pytest.mark.parametrize("data", _constant().values(), ids=_constant())
def test_a_constant_image(data: bytes) -> None:
    with refused(ConstantImageError):
        read(data)


ONE_OF_EACH = ("png8", "jpeg-grey", "tiff8", "dicom-monochrome2-8bit", "dicom-rle")


@pytest.mark.parametrize("encoding", ONE_OF_EACH)
@pytest.mark.parametrize(("height", "width"), [(1, 2), (31, 66), (53, 30)])
def test_too_small(encoding: str, height: int, width: int) -> None:
    with refused(TooFewPixelsError, match=f"{width}×{height}"):
        read(ENCODINGS[encoding](np.ascontiguousarray(PICTURE[:height, :width])))


@pytest.mark.parametrize("encoding", ONE_OF_EACH)
def test_too_large_for_the_limit(encoding: str) -> None:
    height, width = PICTURE.shape
    assert read(FILES[encoding], Limits(max_samples=height * width)).width == width
    with refused(TooManyPixelsError, match=f"{width}×{height}"):
        read(FILES[encoding], Limits(max_samples=height * width - 1))


@every_encoding
def test_nothing_of_the_file_is_logged(encoding: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    read(FILES[encoding])
    assert not caplog.records


def test_the_front_can_import_this() -> None:
    """No learning library comes along."""
    code = "import models.reading, sys; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "models" in loaded
    unwanted = {"tensorflow", "keras", "openvino", "bentoml", "sklearn", "gdcm"}
    assert unwanted.isdisjoint(loaded)
