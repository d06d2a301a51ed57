"""What is kept of an image as it was sent: the pixels where they were, bounded, and no names."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from models.gate.reason import Reason
from models.image.cropping import Box
from models.image.scan import Scan
from models.reading import Limits
from models.vertebrae.geometry import Outlined
from models.vertebrae.nominal import nominal
from service.medicine import preparation, sent
from service.medicine.sent import Kept, SentImage
from tests.service.kit import images

ALL = Kept("as_sent", 2**20)
SPINE = Kept("spine", 2**20)
NO_GRAPHICS = np.zeros((224, 224), bool)


def pixels(found: SentImage | None) -> NDArray[np.uint8]:
    assert found is not None
    with Image.open(io.BytesIO(found.png)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        return np.asarray(image)


def scan(grey: NDArray[Any], bits: int = 8, **more: Any) -> Scan:
    return Scan(grey, bits, "png", **more)


def test_pixels_of_8_bits_are_kept_as_they_are() -> None:
    found = sent.whole(scan(images.picture()), ALL)
    assert np.array_equal(pixels(found), images.picture())
    assert found is not None
    assert found.box == Box(0, 0, images.WIDTH, images.HEIGHT)


def test_more_bits_are_rounded_and_a_narrow_range_is_stretched() -> None:
    eight = images.picture()
    wide = scan(((eight.astype(np.uint32) * 4095 + 127) // 255).astype(np.uint16), 12)
    assert np.array_equal(pixels(sent.whole(wide, ALL)), eight)
    narrow = scan(eight.astype(np.uint16) * 2 + 1000, 16)
    shown = pixels(sent.whole(narrow, ALL))
    assert shown.min() == 0
    assert shown.max() == 255
    assert len(np.unique(shown)) > 200


def test_what_fills_fewer_bits_than_a_byte_is_as_bright() -> None:
    assert pixels(sent.whole(scan(images.picture() // 16, 4), ALL)).max() >= 250


@pytest.mark.parametrize("extent", ["spine", "none"])
def test_the_whole_is_kept_only_where_that_is_asked_for(extent: Any) -> None:
    assert sent.whole(scan(images.picture()), Kept(extent, 2**20)) is None


def test_a_large_image_is_kept_with_fewer_pixels_where_it_was() -> None:
    large = images.waves(3000, 2400)
    found = sent.whole(scan(large), replace(ALL, most=2**23))
    assert max(pixels(found).shape) == sent.LONGEST
    assert found is not None
    assert found.box == Box(0, 0, 2400, 3000)


def test_no_more_bytes_are_kept_than_allowed() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1500, 1200)).astype(np.uint8)
    found = sent.whole(scan(noise), replace(ALL, most=2**18))
    assert found is not None
    assert len(found.png) <= 2**18
    assert found.box == Box(0, 0, 1200, 1500)
    # Rather nothing than a stamp.
    assert sent.whole(scan(noise), replace(ALL, most=1000)) is None


def test_nothing_of_a_header_is_kept() -> None:
    buffer = io.BytesIO()
    told = PngInfo()
    told.add_text("Patient", "Doe^Jane^Secret")
    Image.fromarray(images.picture()).save(buffer, "PNG", pnginfo=told)
    framed = preparation.frame(buffer.getvalue(), "0" * 64, Limits(), ALL)
    assert framed.sent is not None
    assert b"Doe^Jane" not in framed.sent.png
    with Image.open(io.BytesIO(framed.sent.png)) as image:
        assert image.info == {}


@pytest.mark.parametrize("reason", list(Reason))
def test_of_a_page_or_a_photograph_nothing_is_kept(reason: Reason) -> None:
    found = sent.whole(scan(images.picture()), ALL)
    shows_names = reason in (Reason.BURNED_IN_SHEET, Reason.PHOTOGRAPH)
    assert (sent.unless_text(found, (reason.value,)) is None) is shows_names


def test_the_spine_alone_lies_where_it_was_and_without_what_is_drawn_on_it() -> None:
    grey = np.full((320, 256), 90, np.uint8)
    spine = nominal()
    drawn = NO_GRAPHICS.copy()
    drawn[110:114, 100:130] = True
    box = Box(30, 20, 512, 640)
    found = sent.column(scan(grey), box, spine, drawn, SPINE)
    shown = pixels(found)
    assert found is not None
    points = np.array([point for one in spine.levels for point in one.outline]) / 224
    low, high = points.min(0) * (512, 640) + (30, 20), points.max(0) * (512, 640) + (30, 20)
    # All of it is inside, and what is far from it is not.
    assert found.box.left < low[0] < high[0] < found.box.left + found.box.width
    assert found.box.top < low[1] < high[1] < found.box.top + found.box.height
    assert found.box.width < 512
    assert (found.box.width, found.box.height) == (2 * shown.shape[1], 2 * shown.shape[0])
    # The drawn line is black, the middle of it where it was in the image as sent.
    x, y = 30 + 115 / 224 * 512, 20 + 112 / 224 * 640
    assert shown[int((y - found.box.top) / 2), int((x - found.box.left) / 2)] == 0
    assert np.count_nonzero(shown) > 0.5 * shown.size
    assert sent.column(scan(grey), box, spine, drawn, ALL) is None


def test_words_are_hidden_whole_and_not_letter_by_letter() -> None:
    letters = Image.new("1", (224, 224))
    pen = ImageDraw.Draw(letters)
    pen.text((92, 104), "DOE JANE", fill=1, font=ImageFont.load_default(size=11))
    strokes = np.asarray(letters)
    rows, columns = np.nonzero(strokes)
    grey = np.full((224, 224), 90, np.uint8)
    found = sent.column(scan(grey), Box(0, 0, 224, 224), nominal(), strokes, SPINE)
    assert found is not None
    shown = pixels(found)
    word = shown[
        rows.min() - found.box.top : rows.max() + 1 - found.box.top,
        columns.min() - found.box.left : columns.max() + 1 - found.box.left,
    ]
    assert not word.any()
    assert np.count_nonzero(shown == 0) < 2 * word.size


def test_the_spine_is_kept_of_what_was_judged_alone() -> None:
    outlined = Outlined(nominal(), NO_GRAPHICS)
    framed = preparation.frame(images.png(), "0" * 64, Limits(), SPINE)
    assert framed.sent is None
    made = preparation.prepare(framed, outlined, "sha256:" + "0" * 64, SPINE)
    assert made.sent is not None
    refused = preparation.frame(images.no_spine(), "0" * 64, Limits(), SPINE)
    assert preparation.prepare(refused, outlined, "sha256:" + "0" * 64, SPINE).sent is None


@pytest.mark.parametrize(
    ("spacing", "told"),
    [((0.6, 0.5), (0.6, 0.5)), ((1.9, 1.9), None), ((0.6, 0.1), None), (None, None)],
)
def test_only_a_spacing_that_can_be_believed_is_kept(spacing: Any, told: Any) -> None:
    found = sent.whole(scan(images.picture(), spacing=spacing), ALL)
    assert found is not None
    assert found.spacing == told
