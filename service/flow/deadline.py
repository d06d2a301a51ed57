"""Deadline: the moment by which an answer must be there, handed down to whatever works on it."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Deadline:
    """``at`` is on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds, below zero once it is over."""
        return self.at - time.monotonic()

    def shorten(self, seconds: float) -> Deadline:
        """Return a deadline so much earlier, which leaves time for what comes after it."""
        return Deadline(self.at - seconds)
