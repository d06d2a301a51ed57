"""A moment by which an answer must be there."""

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
    def left(self) -> float:
        """Seconds, below zero once it is over."""
        return self.at - time.monotonic()

    def sooner(self, seconds: float) -> Deadline:
        return Deadline(self.at - seconds)
