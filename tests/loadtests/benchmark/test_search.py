from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.benchmark.search import PRECISION, search


@given(true=st.floats(0.5, 200.0), off=st.floats(0.5, 1.5))
def test_finds_the_edge_to_its_precision(true: float, off: float) -> None:
    found = search(lambda rate: rate <= true, true * off)

    assert found.best <= true
    assert true / found.best <= PRECISION + 1e-9


def test_a_good_guess_needs_few_steps() -> None:
    assert len(search(lambda rate: rate <= 100.0, 98.0).tried) <= 7


@pytest.mark.parametrize("off", [0.2, 5.0])
def test_a_guess_far_off_still_comes_to_the_edge(off: float) -> None:
    found = search(lambda rate: rate <= 100.0, 100.0 * off)

    assert 100.0 / found.best <= PRECISION


def test_what_never_holds_is_nothing_and_ends() -> None:
    found = search(lambda _: False, 10.0, most=5)

    assert found.best == 0.0
    assert [held for _, held in found.tried] == [False] * 5


def test_what_always_holds_ends_as_well() -> None:
    found = search(lambda _: True, 10.0, most=5)

    assert found.best == max(rate for rate, _ in found.tried)
    assert len(found.tried) == 5


def test_no_guess_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="positive"):
        search(lambda _: True, 0.0)
