from __future__ import annotations

from itertools import product

import pytest

from service.medicine.guidance.logic import NO, YES, Because, Finding, every, fact, neither, some

UNKNOWN = Finding(None, missing=("a",))
ALSO = Finding(None, missing=("b", "a"))


@pytest.mark.parametrize(("one", "other"), list(product([True, False, None], repeat=2)))
def test_kleene(one: bool | None, other: bool | None) -> None:
    both = (Finding(one), Finding(other))
    rank = {False: 0, None: 1, True: 2}
    assert rank[every(*both).truth] == min(rank[one], rank[other])
    assert rank[some(*both).truth] == max(rank[one], rank[other])
    assert rank[neither(*both).truth] == 2 - max(rank[one], rank[other])


def test_what_decides_is_not_asked_for() -> None:
    assert every(UNKNOWN, NO) == NO
    assert some(UNKNOWN, YES) == YES
    assert every(UNKNOWN, YES, ALSO).missing == ("a", "b")
    assert some(UNKNOWN, NO).missing == ("a",)


def test_reasons_are_those_that_hold() -> None:
    young = fact("age", 30, lambda age: age < 40)
    low = fact("t", -3.0, lambda t: t < -2.5)
    high = fact("t", -3.0, lambda t: t > 0)
    assert every(young, low).because == (Because("age", 30), Because("t", -3.0))
    assert some(young, high).because == (Because("age", 30),)
    assert fact("age", None, lambda _: True) == Finding(None, missing=("age",))
