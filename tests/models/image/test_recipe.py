from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models import phantom
from models.image import recipe
from models.image.recipe import RecipeError, frame
from models.image.scan import Scan
from models.phantom import Artefact, Phantom
from models.vertebrae.geometry import LEVELS, Level, Spine


def ramp(height: int, width: int) -> np.ndarray:
    """Grey levels 0…255 in a pattern that no axis flip leaves alone."""
    rows, columns = np.mgrid[0:height, 0:width]
    return ((rows * 3 + columns * 7) % 256).astype(np.uint8)


def test_known_pixels_hold() -> None:
    """A changed value here means a changed recipe: give it another name."""
    canonical = frame(Scan(ramp(389, 312), 8, "png"))

    assert canonical.shape == (224, 224)
    assert canonical.dtype == np.uint8
    assert [int(canonical[p]) for p in KNOWN_PIXELS] == list(KNOWN_PIXELS.values())


KNOWN_PIXELS = {(0, 0): 3, (0, 223): 128, (100, 37): 116, (223, 0): 141, (223, 223): 8}


def test_an_image_of_the_right_size_with_full_range_is_left_alone() -> None:
    pixels = ramp(224, 224)
    black, white = recipe.grey_range(pixels)

    canonical = frame(Scan(pixels, 8, "png"))

    expected = np.clip(np.rint((pixels.astype(float) - black) * 255 / (white - black)), 0, 255)
    assert np.abs(canonical - expected).max() <= 1


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_bit_depth_does_not_matter(bits: int) -> None:
    deep = np.rint(ramp(300, 200).astype(float) * (2**bits - 1) / 255).astype(np.uint16)

    shallow = frame(Scan(ramp(300, 200), 8, "png"))
    assert np.array_equal(frame(Scan(deep, bits, "dicom")), shallow)


def test_twelve_bits_in_a_sixteen_bit_file_keep_their_depth() -> None:
    fine = np.arange(224 * 224, dtype=np.uint32).reshape(224, 224) % 4096

    canonical = frame(Scan(fine.astype(np.uint16), 16, "png"))

    assert len(np.unique(canonical)) == 256


def test_window_of_an_export_does_not_matter() -> None:
    faint = (ramp(224, 224) // 4 + 60).astype(np.uint8)

    assert frame(Scan(faint, 8, "png")).max() == 255
    assert frame(Scan(faint, 8, "png")).min() == 0


def test_a_constant_image_stays_black_instead_of_dividing_by_nothing() -> None:
    assert not frame(Scan(np.full((64, 64), 7, np.uint8), 8, "png")).any()


def test_png_round_trip_is_lossless() -> None:
    canonical = frame(Scan(ramp(300, 200), 8, "png"))

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


def lumbar(seed: int = 3) -> Phantom:
    return phantom.draw(np.random.default_rng(seed), artefact=Artefact.NONE, overlay=False)


def canonical(image: np.ndarray, spine: Spine, graphics: np.ndarray | None = None) -> np.ndarray:
    mask = np.zeros((224, 224), bool) if graphics is None else graphics
    return recipe.prepare(Scan(image, 8, "png"), spine, mask)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference in grey levels where L1–L4 and the tissue beside them lie."""
    where = (recipe.ROWS, recipe.COLUMNS)
    return float(np.abs(one[where].astype(float) - other[where]).mean())


def test_known_pixels_of_a_canonical_image_hold() -> None:
    """As above. The image is drawn here: a phantom's pixels may change without the recipe."""
    rows, columns = np.mgrid[0:300, 0:200]
    levels = 128 + 90 * np.sin(rows / 7) * np.cos(columns / 11)
    spine = Spine(
        tuple(
            Level(name, (), (100 + 3 * n, 90 + 30 * n), 1500.0, 1.0)
            for n, name in enumerate(LEVELS)
        )
    )

    made = canonical(levels.astype(np.uint8), spine)

    assert {p: int(made[p]) for p in CANONICAL_PIXELS} == pytest.approx(CANONICAL_PIXELS, abs=1)


CANONICAL_PIXELS = {(112, 112): 83, (60, 80): 21, (150, 140): 108, (100, 60): 77}


@pytest.mark.parametrize("factor", [0.75, 1.5, 2.0, 4.0])
def test_the_size_of_an_export_does_not_matter(factor: float) -> None:
    one = lumbar()
    height, width = one.image.shape
    size = (round(width * factor), round(height * factor))
    resized = np.asarray(Image.fromarray(one.image).resize(size, Image.Resampling.BICUBIC))

    # The spine is told in pixels of a frame, which every size shares.
    assert apart(canonical(resized, one.spine), canonical(one.image, one.spine)) < 4


@pytest.mark.parametrize("degrees", [-5, 3])
def test_a_turned_spine_stands_upright(degrees: float) -> None:
    one = lumbar()
    turned = Image.fromarray(one.image).rotate(degrees, Image.Resampling.BICUBIC)
    mask = Image.fromarray(one.vertebrae).rotate(degrees, Image.Resampling.NEAREST)
    again = replace(one, image=np.asarray(turned), vertebrae=np.asarray(mask))

    assert apart(again.canonical, one.canonical) < 6


def test_what_lies_beside_the_column_changes_nothing() -> None:
    one = lumbar()
    brighter = one.image.copy()
    brighter[:12] = 255

    assert apart(canonical(brighter, one.spine), one.canonical) < 0.5


def test_graphics_take_no_part() -> None:
    one = lumbar()
    drawn, mask = one.image.copy(), np.zeros(one.image.shape, np.uint8)
    middle = one.image.shape[0] // 2
    for row in (middle - 30, middle, middle + 30):
        drawn[row], mask[row] = 255, 255
    graphics = np.asarray(Image.fromarray(mask).resize((224, 224), Image.Resampling.BOX)) > 20

    plain, known, unknown = (
        canonical(one.image, one.spine),
        canonical(drawn, one.spine, graphics),
        canonical(drawn, one.spine),
    )

    assert apart(known, plain) < 0.6 * apart(unknown, plain)


def test_a_cleaned_frame_keeps_what_was_not_drawn_on() -> None:
    framed = frame(lumbar().scan)
    graphics = np.zeros((224, 224), bool)
    graphics[100, 20:200] = True

    whole = recipe.cleaned(framed, graphics)

    far = np.ones((224, 224), bool)
    far[98:103] = False
    assert np.array_equal(whole[far], framed[far])
    assert np.array_equal(recipe.cleaned(framed, np.zeros_like(graphics)), framed)


def test_a_spine_at_the_image_s_edge_is_laid_out_all_the_same() -> None:
    one = lumbar()
    moved = Spine(
        tuple(
            replace(level, centre=(level.centre[0], level.centre[1] - 90))
            for level in one.spine.levels
        )
    )

    made = canonical(one.image, moved)

    assert made.shape == (224, 224)
    assert made.dtype == np.uint8
