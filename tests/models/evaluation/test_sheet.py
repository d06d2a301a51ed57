"""The picture of scans beside their copies in docs/agreement.md."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from models.commands.agreement import PICTURED, picture
from models.evaluation.sheet import ACROSS, GAP, HEAD, lined
from models.image.recipe import SIDE

SHOWN = Path(__file__).parents[3] / "docs" / "agreement.png"
LARGEST = 150_000
WIDE, HIGH = 2 * SIDE + 2 * GAP, SIDE + HEAD + GAP


def test_every_kind_is_shown_with_its_copy() -> None:
    drawn = picture()
    assert len(drawn) < LARGEST
    sheet = Image.open(io.BytesIO(drawn)).convert("RGB")
    with Image.open(SHOWN) as shown:
        assert sheet.size == (ACROSS * WIDE, 2 * HIGH) == shown.size
    pixels = np.asarray(sheet).astype(int)
    for number in range(len(PICTURED)):
        left, top = number % ACROSS * WIDE, number // ACROSS * HIGH + HEAD
        pair = pixels[top : top + SIDE, left : left + 2 * SIDE + 2]
        scan, copy = pair[:, :SIDE], pair[:, SIDE + 2 :]
        for one in (scan, copy):
            outlined = one[..., 2] - one[..., 0] > 100
            assert np.count_nonzero(outlined) > 4 * SIDE / 2
        assert np.abs(scan - copy).max() > 100


def test_lines_lie_outside_the_bone_as_scanners_draw_them() -> None:
    scan, drawn = lined()
    beside = drawn.ink & (drawn.levels == 0)
    assert np.count_nonzero(beside) > 200
    assert (scan.pixels[drawn.ink] == 226).all()
    assert (scan.pixels[~drawn.ink] == drawn.clean[~drawn.ink]).all()


def test_what_the_page_shows_is_small() -> None:
    assert SHOWN.stat().st_size < LARGEST
