from __future__ import annotations

import numpy as np
import pytest

from models.image.recipe import SIDE
from models.vertebrae import graphics


def test_a_mask_comes_back_as_it_was() -> None:
    mask = np.random.default_rng(3).random((SIDE, SIDE)) < 0.1
    text = graphics.encode(mask)
    assert text.isascii()
    assert np.array_equal(graphics.decode(text), mask)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "é"])
def test_anything_else_is_no_mask(text: str) -> None:
    with pytest.raises(ValueError, match="mask"):
        graphics.decode(text)
