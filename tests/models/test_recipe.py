from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from models import recipe
from models.recipe import RecipeError, prepare
from models.scan import Scan


def ramp(height: int, width: int) -> np.ndarray:
    """Grey levels 0…255 in a pattern that no axis flip leaves alone."""
    rows, columns = np.mgrid[0:height, 0:width]
    return ((rows * 3 + columns * 7) % 256).astype(np.uint8)


def test_known_pixels_hold() -> None:
    """A changed value here means a changed recipe: give it another name."""
    canonical = prepare(Scan(ramp(389, 312), 8, "png"))

    assert canonical.shape == (224, 224)
    assert canonical.dtype == np.uint8
    assert [int(canonical[p]) for p in KNOWN_PIXELS] == list(KNOWN_PIXELS.values())


KNOWN_PIXELS = {(0, 0): 3, (0, 223): 128, (100, 37): 116, (223, 0): 141, (223, 223): 8}


def test_an_image_of_the_right_size_with_full_range_is_left_alone() -> None:
    pixels = ramp(224, 224)
    black, white = recipe.grey_range(pixels)

    canonical = prepare(Scan(pixels, 8, "png"))

    expected = np.clip(np.rint((pixels.astype(float) - black) * 255 / (white - black)), 0, 255)
    assert np.abs(canonical - expected).max() <= 1


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_bit_depth_does_not_matter(bits: int) -> None:
    deep = np.rint(ramp(300, 200).astype(float) * (2**bits - 1) / 255).astype(np.uint16)

    shallow = prepare(Scan(ramp(300, 200), 8, "png"))
    assert np.array_equal(prepare(Scan(deep, bits, "dicom")), shallow)


def test_twelve_bits_in_a_sixteen_bit_file_keep_their_depth() -> None:
    fine = np.arange(224 * 224, dtype=np.uint32).reshape(224, 224) % 4096

    canonical = prepare(Scan(fine.astype(np.uint16), 16, "png"))

    assert len(np.unique(canonical)) == 256


def test_window_of_an_export_does_not_matter() -> None:
    faint = (ramp(224, 224) // 4 + 60).astype(np.uint8)

    assert prepare(Scan(faint, 8, "png")).max() == 255
    assert prepare(Scan(faint, 8, "png")).min() == 0


def test_a_constant_image_stays_black_instead_of_dividing_by_nothing() -> None:
    assert not prepare(Scan(np.full((64, 64), 7, np.uint8), 8, "png")).any()


def test_png_round_trip_is_lossless() -> None:
    canonical = prepare(Scan(ramp(300, 200), 8, "png"))

    assert np.array_equal(recipe.decode(recipe.encode(canonical)), canonical)


def as_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "not a readable PNG", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\nrest", "not a readable PNG", id="only a signature"),
        pytest.param(recipe.encode(ramp(224, 224))[:-2000], "not a readable PNG", id="cut off"),
        pytest.param(as_png(Image.new("L", (225, 224))), "225×224 L", id="another size"),
        pytest.param(as_png(Image.new("RGB", (224, 224))), "224×224 RGB", id="colour"),
        pytest.param(as_png(Image.new("L", (224, 224))), "another recipe", id="no recipe named"),
    ],
)
def test_a_runner_refuses_what_the_recipe_did_not_make(data: bytes, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        recipe.decode(data)
