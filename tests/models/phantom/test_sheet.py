from __future__ import annotations

import numpy as np
from PIL import Image

from models.phantom import Phantom
from models.phantom.sheet import PAGE, sheet


def test_a_page_is_mostly_paper_with_ink_and_the_image_on_it(clean: list[Phantom]) -> None:
    for phantom in (clean[0], clean[-1]):
        page = sheet(phantom)
        assert (page.shape, page.dtype) == ((PAGE[1], PAGE[0]), np.uint8)
        assert 0.5 < (page == 255).mean() < 0.9
        heading, table = page[30:110, 50:600], page[190:420, 430:800]
        for text in (heading, table):
            assert 0.01 < (text < 128).mean() < 0.3


def test_the_image_can_be_found_on_it(clean: list[Phantom]) -> None:
    phantom = clean[0]
    rows, columns = phantom.image.shape
    scale = min(0.45 * 750 / columns, 620 / rows)
    width, height = round(columns * scale), round(rows * scale)
    part = Image.fromarray(sheet(phantom)[190 : 190 + height, 50 : 50 + width])
    found = np.asarray(part.resize((columns, rows)), float)
    assert np.corrcoef(found.ravel(), phantom.image.ravel())[0, 1] > 0.9


def test_pages_of_two_phantoms_differ_in_their_figures(clean: list[Phantom]) -> None:
    one, other = (sheet(phantom)[190:420, 430:800] for phantom in clean[:2])
    assert not np.array_equal(one, other)
