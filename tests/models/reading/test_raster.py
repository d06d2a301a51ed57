from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from models.image.errors import UnsupportedFormatError
from models.reading import read
from tests.models.reading import files
from tests.models.reading.encodings import pattern
from tests.models.reading.refusals import refused

PICTURE = pattern()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    return tags


def turned(kind: str, orientation: int) -> bytes:
    options: dict[str, Any] = {"exif": exif(orientation)}
    if kind == "TIFF":
        options = {"tiffinfo": {274: orientation}}
    if kind == "JPEG":
        options["quality"] = 100
    return files.pillow(PICTURE, kind, **options)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_orientation_is_carried_out(kind: str, orientation: int) -> None:
    plain = Image.fromarray(read(turned(kind, 1)).pixels)
    plain.getexif()[ExifTags.Base.Orientation] = orientation
    expected = np.asarray(ImageOps.exif_transpose(plain))
    scan = read(turned(kind, orientation))
    np.testing.assert_array_equal(scan.pixels, expected)
    assert scan.pixels.flags.c_contiguous
    assert (scan.height, scan.width) == expected.shape


@pytest.mark.parametrize("orientation", [0, 9, 65535])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_an_orientation_that_does_not_exist_turns_nothing(kind: str, orientation: int) -> None:
    expected = read(turned(kind, 1)).pixels
    np.testing.assert_array_equal(read(turned(kind, orientation)).pixels, expected)


XMP = b'<rdf:Description tiff:Orientation="6"/>'
HEXADECIMAL = b"\nexif\n 38\n" + exif(6).tobytes().hex().encode()


def in_text(kind: str, orientation: int | None) -> Iterator[bytes]:
    """Yield ``kind`` of a picture that a text turns, each with ``orientation`` in EXIF or none."""
    options: dict[str, Any] = {} if orientation is None else {"exif": exif(orientation)}
    if kind == "JPEG":
        yield files.pillow(PICTURE, kind, xmp=XMP, **options)
    elif kind == "TIFF":
        tag = {} if orientation is None else {274: orientation}
        yield files.pillow(PICTURE, kind, tiffinfo={700: XMP, **tag})
    else:
        for keyword, text in (
            ("XML:com.adobe.xmp", XMP),
            ("Raw profile type exif", HEXADECIMAL),
            ("Raw profile type APP1", HEXADECIMAL),
            ("Raw profile type xmp", b"\nxmp\n 39\n" + XMP.hex().encode()),
        ):
            for deflated in (False, True):
                for add in (PngInfo.add_text, PngInfo.add_itxt):
                    info = PngInfo()
                    add(info, keyword, text.decode(), zip=deflated)
                    yield files.pillow(PICTURE, kind, pnginfo=info, **options)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_an_orientation_in_a_text_is_not_lost_in_silence(kind: str) -> None:
    """Pillow heeds it, browsers do not: where EXIF speaks of it as well, that holds."""
    for data in in_text(kind, None):
        with refused(UnsupportedFormatError, match=f"The {kind} says in a text alone"):
            read(data)
    for orientation in (1, 8):
        expected = read(turned(kind, orientation)).pixels
        for data in in_text(kind, orientation):
            if kind == "JPEG":
                assert read(data).pixels.shape == expected.shape
            else:
                np.testing.assert_array_equal(read(data).pixels, expected)


def test_dots_per_inch_are_no_spacing() -> None:
    for kind in ("PNG", "JPEG", "TIFF"):
        scan = read(files.pillow(PICTURE, kind, dpi=(300, 300)))
        assert scan.spacing is None
        assert scan.tags == {}


def test_settings_global_to_pillow_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does reading change them: others in the process have their own."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    for kind in ("PNG", "JPEG"):
        assert read(files.pillow(PICTURE, kind)).pixels.shape == PICTURE.shape
    assert Image.MAX_IMAGE_PIXELS == 5


def test_pillow_would_say_the_same() -> None:
    """Scans of the training set were read so: a colour PNG through ``convert("L")``."""
    noise = np.random.default_rng(5).integers(0, 256, (64, 48, 3), np.uint8)
    data = files.pillow(noise, "PNG")
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(read(data).pixels, np.asarray(image.convert("L")))
