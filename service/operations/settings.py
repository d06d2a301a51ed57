"""Settings of the process's start and stop."""

from __future__ import annotations

from pydantic import Field

from service.types import SecondsOrNone, SettingsGroup


class ProcessSettings(SettingsGroup):
    """How long a start may take, and a stop."""

    startup_grace_seconds: SecondsOrNone = Field(
        60.0, description="How long /health/startup waits for runners that were never ready."
    )
    drain_seconds: SecondsOrNone = Field(
        0.0, description="Between a stop signal and closing the port: not ready, still serving."
    )
    shutdown_seconds: int = Field(
        10, ge=1, description="Longest wait for requests in flight at shutdown."
    )
