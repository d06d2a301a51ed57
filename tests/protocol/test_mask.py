from __future__ import annotations

import numpy as np
import pytest

from models.image.recipe import SIDE
from protocol import mask


def test_a_mask_comes_back_as_it_was() -> None:
    drawn = np.random.default_rng(3).random((SIDE, SIDE)) < 0.1
    text = mask.encode(drawn)
    assert text.isascii()
    assert np.array_equal(mask.decode(text), drawn)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "é"])
def test_anything_else_is_no_mask(text: str) -> None:
    with pytest.raises(ValueError, match="mask"):
        mask.decode(text)
