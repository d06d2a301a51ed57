from __future__ import annotations

import pytest

from models.image.errors import TooFewPixelsError, TooManyPixelsError
from models.reading import Limits
from tests.models.reading.refusals import refused


def test_defaults() -> None:
    assert Limits() == Limits(max_samples=20_000_000, min_side=32)
    assert repr(Limits()) == "Limits(max_samples=20000000, min_side=32)"


@pytest.mark.parametrize(
    "wrong", [{"max_samples": 0}, {"max_samples": 100_000_000}, {"min_side": 1}], ids=str
)
def test_limits_that_cannot_be_kept(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is allowed"):
        Limits(**wrong)


def test_the_edges_are_inside() -> None:
    limits = Limits(max_samples=3200, min_side=32)
    limits.check(32, 100)
    with refused(TooFewPixelsError, match="31×100"):
        limits.check(31, 100)
    with refused(TooManyPixelsError, match="33×100"):
        limits.check(33, 100)
    with refused(TooFewPixelsError, match="0×0"):
        limits.check(0, 0)
    limits.check(32, 33, 3)
    with refused(TooManyPixelsError, match="32×34 pixels of 3 samples; at most 3200"):
        limits.check(32, 34, 3)
