"""The front's log; what a line holds, and what never, is in :mod:`telemetry.journal`."""

from __future__ import annotations

from telemetry.journal import configure, fault, log

__all__ = ["configure", "fault", "log"]
