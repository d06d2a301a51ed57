"""Admission control: rejects a request on arrival when its expected wait exceeds the limit.

The expected wait is the number of images in flight times the measured time per image (Little's
law). Who is rejected is told after how long those ahead will have been served: that is known when
it comes, and no use once it has waited in vain.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

ALWAYS_ADMITTED: Final = 8
"""Images in flight that are never too many: a call's worth."""

WARM_UP: Final = 6.0
"""Finished images, older ones counting less, before the measured time says anything: the first
after a start are slow."""

HALF_LIFE_SECONDS: Final = 5.0
"""Busy time after which a measurement counts half."""


class AdmissionRejectedError(Exception):
    """The expected wait is too long; ``retry_after`` seconds from now it should not be."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("expected wait too long")
        self.retry_after = retry_after


class Admission:
    """Counts images in flight, and measures an exponentially weighted time per image."""

    def __init__(self, max_wait: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``max_wait``: seconds that an image may be expected to wait for those ahead of it."""
        self._max_wait: Final = max_wait
        self._clock = clock
        self._in_flight = 0
        self._busy_since = 0.0
        self._busy = 0.0
        self._finished = 0.0

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def seconds_per_image(self) -> float | None:
        """Busy time per finished image; None before the first."""
        return self._busy / self._finished if self._finished else None

    @property
    def wait(self) -> float:
        """Seconds that an image that came now would wait, 0 before anything was measured."""
        return self._in_flight * (self.seconds_per_image or 0.0)

    @contextmanager
    def enter(self, *, always: bool = False) -> Iterator[None]:
        """Hold a place. Raises :class:`AdmissionRejectedError` unless ``always``."""
        known = self._finished >= WARM_UP and self._in_flight >= ALWAYS_ADMITTED
        if not always and known and self.wait > self._max_wait:
            raise AdmissionRejectedError(self.wait)
        if not self._in_flight:
            self._busy_since = self._clock()
        self._in_flight += 1
        done = False
        try:
            yield
            done = True
        finally:
            self._leave(done)

    def _leave(self, done: bool) -> None:
        now = self._clock()
        kept = 0.5 ** ((now - self._busy_since) / HALF_LIFE_SECONDS)
        self._busy = self._busy * kept + now - self._busy_since
        self._finished = self._finished * kept + done
        self._busy_since = now
        self._in_flight -= 1
