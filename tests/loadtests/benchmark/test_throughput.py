"""What is made of a pace that moves."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from loadtests.benchmark.modes.throughput import ATTEMPTS, combined, steady


class Offered:
    """A bench that notes what it is asked for, on a machine of ``paces``."""

    def __init__(self, paces: Iterable[float]) -> None:
        self.rates: list[float] = []
        self._left = iter(paces)

    def pace(self) -> float:
        return next(self._left)

    def step(self, rate: float) -> SimpleNamespace:
        self.rates.append(rate)
        return SimpleNamespace(rate=rate)


def offered(share: float, *paces: float) -> tuple[list[float], float]:
    before, *later = paces
    bench: Any = Offered(later)
    step, around, after = steady(bench, share, before)
    assert step.rate == bench.rates[-1]
    assert after == later[len(bench.rates) - 1]
    return bench.rates, around


def test_a_step_offers_a_share_of_the_pace_before_it() -> None:
    assert offered(0.5, 20.0, 22.0) == ([10.0], 21.0)


@pytest.mark.parametrize("after", [10.0, 40.0])
def test_a_step_during_which_the_pace_moved_is_done_again(after: float) -> None:
    assert offered(0.5, 20.0, after, after) == ([10.0, 0.5 * after], after)


def test_a_pace_that_never_rests_does_not_hold_up_the_benchmark() -> None:
    rates, pace = offered(0.5, *[20.0, 10.0] * ATTEMPTS)

    assert (rates, pace) == (([10.0, 5.0] * ATTEMPTS)[:ATTEMPTS], 15.0)


def test_rounds_are_combined_by_shares_of_each_rounds_own_pace() -> None:
    def found(rate: float, share: float) -> dict[str, Any]:
        return {
            "images_per_second": rate,
            "share_of_limit": share,
            "at_best": None,
            "at_half": None,
            "peak_memory_bytes": 1,
            "start_seconds": 1.0,
            "checked": {"answers": 1, "largest": 0.0, "changed": 0, "missing": 0, "holds": True},
        }

    figures = combined([found(5.0, 0.5), found(20.0, 0.8), found(8.0, 0.6), {"error": "gone"}])

    assert (figures["images_per_second"], figures["share_of_limit"]) == (8.0, 0.6)
