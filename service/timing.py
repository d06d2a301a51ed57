"""Timers: how long steps took, in milliseconds by their name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def timed(timings: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        timings[name] = milliseconds(time.perf_counter() - start)


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
