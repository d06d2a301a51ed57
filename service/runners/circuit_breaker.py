"""Circuit breaker: after failures in a row a runner is not called for a while.

::

    closed     ──  calls fail, one after another  ──▶  open: calls fail at once
    open       ──  after some seconds             ──▶  half open: one call may try
    half open  ──  it is answered                 ──▶  closed
               ──  it fails                       ──▶  open, for twice as long

Probes of the runner's readiness open and close it as well (:meth:`CircuitBreaker.record_probe`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

FAILURES: Final = 3
"""Calls in a row that fail before the circuit opens."""

LONGEST_SECONDS: Final = 30.0


class CircuitBreaker:
    """Closed, open or half open, by how calls and probes went."""

    def __init__(
        self,
        seconds: float,
        changed: Callable[[bool], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``seconds``: how long it stays open at first. ``changed`` is told whether it is open."""
        self._first: Final = seconds
        self._changed = changed
        self._clock = clock
        self._failures = 0
        self._seconds = seconds
        self._opened: float | None = None
        self._trying = False
        changed(False)

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    def allows(self) -> bool:
        """Return whether a call may be made now. Of an open one that is due, one caller is told so
        and must report how it went."""
        if self._opened is None:
            return True
        if self._trying or self._clock() - self._opened < self._seconds:
            return False
        self._trying = True
        return True

    def record_success(self) -> None:
        self._failures = 0
        self._seconds = self._first
        self._trying = False
        if self._opened is not None:
            self._opened = None
            self._changed(False)

    def record_failure(self) -> None:
        self._failures += 1
        if self._opened is not None:
            if self._trying:
                self._trying = False
                self._seconds = min(self._seconds * 2, LONGEST_SECONDS)
                self._opened = self._clock()
        elif self._failures >= FAILURES:
            self._open()

    def record_cancelled(self) -> None:
        """The call that was to try was cancelled: another may."""
        self._trying = False

    def record_probe(self, ready: bool) -> None:
        """Take note of what a probe found; a runner that is not ready is not called."""
        if ready:
            if self._opened is not None:
                self.record_success()
        elif self._opened is None:
            self._open()

    def _open(self) -> None:
        self._opened = self._clock()
        self._changed(True)
