"""The highest rate at which a step still holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

STRIDE: Final = 1.3
"""From the guess to the next rate while none is known that holds, or none that fails; squared at
every further step, for a guess may be far off."""

PRECISION: Final = 1.05
"""Rates closer than this are not told apart."""

MOST_STEPS: Final = 9


@dataclass(frozen=True)
class Found:
    """``best`` is the highest rate that held, 0 where none did; ``tried`` all, in their order."""

    best: float
    tried: list[tuple[float, bool]]


def search(holds: Callable[[float], bool], guess: float, most: int = MOST_STEPS) -> Found:
    """Return the highest rate for which ``holds``, taken to fall from true to false once.

    Walks from ``guess`` until one rate holds and a higher one does not, then halves what lies
    between, in ratio, until it is within :data:`PRECISION`.
    """
    if guess <= 0:
        raise ValueError(f"guess is {guess}; a positive rate is needed")
    tried: list[tuple[float, bool]] = []
    low, high = 0.0, float("inf")
    rate, stride = guess, STRIDE
    while len(tried) < most:
        held = holds(rate)
        tried.append((rate, held))
        if held:
            low = rate
        else:
            high = rate
        if low and high <= low * PRECISION:
            break
        if not low:
            rate, stride = high / stride, stride**2
        elif high == float("inf"):
            rate, stride = low * stride, stride**2
        else:
            rate = (low * high) ** 0.5
    return Found(low, tried)
