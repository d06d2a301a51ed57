"""Whether a request may join those that wait, decided when it comes and not when it is too late.

What a newcomer would wait is the number of images ahead of it times the measured time per image
(Little's law). Where that is longer than allowed it is refused at once, and told when the line
ahead of it will have been served.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

FREE: Final = 8
"""Images in hand that are never too many: a call's worth."""

ENOUGH: Final = 6.0
"""Finished images, older ones counting less, before the measured time says anything: the first
after a start are slow."""

FORGETTING_SECONDS: Final = 5.0
"""Busy time after which a measurement counts half."""


class CrowdedError(Exception):
    """There is no room; ``retry_after`` seconds from now there should be."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("no room")
        self.retry_after = retry_after


class Admission:
    """Counts images in hand and measures how fast they are finished, while there are any."""

    def __init__(self, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``longest``: seconds that an image may be expected to wait for those ahead of it."""
        self._longest: Final = longest
        self._clock = clock
        self._inside = 0
        self._busy_since = 0.0
        self._busy = 0.0
        self._finished = 0.0

    @property
    def inside(self) -> int:
        return self._inside

    @property
    def seconds_per_image(self) -> float | None:
        """Busy time per finished image; None before the first."""
        return self._busy / self._finished if self._finished else None

    @property
    def wait(self) -> float:
        """Seconds that an image that came now would wait, 0 before anything was measured."""
        return self._inside * (self.seconds_per_image or 0.0)

    @contextmanager
    def enter(self, *, always: bool = False) -> Iterator[None]:
        """Hold a place. Raises :class:`CrowdedError` unless ``always``."""
        known = self._finished >= ENOUGH and self._inside >= FREE
        if not always and known and self.wait > self._longest:
            raise CrowdedError(self.wait)
        if not self._inside:
            self._busy_since = self._clock()
        self._inside += 1
        done = False
        try:
            yield
            done = True
        finally:
            self._leave(done)

    def _leave(self, done: bool) -> None:
        now = self._clock()
        kept = 0.5 ** ((now - self._busy_since) / FORGETTING_SECONDS)
        self._busy = self._busy * kept + now - self._busy_since
        self._finished = self._finished * kept + done
        self._busy_since = now
        self._inside -= 1
