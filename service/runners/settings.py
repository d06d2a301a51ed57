"""Settings of the runners' clients."""

from __future__ import annotations

from pydantic import Field

from service.runners.registry import BY_NAME, RunnerUrls
from service.types import RunnerName, Seconds


class RunnerPolicy(RunnerUrls):
    """Addresses of the runners, and how they are called."""

    runner_calls: int = Field(
        1,
        ge=1,
        le=100,
        description="Calls to one runner at the same time, one for each of its replicas. Images "
        "beyond them wait and go together in the next.",
    )
    runner_images: int = Field(8, ge=1, le=64, description="Most images in one call to a runner.")
    circuit_seconds: Seconds = Field(
        2.0,
        description="How long a runner that failed three calls in a row is not called at first.",
    )
    probe_seconds: Seconds = Field(2.0, description="Pause between looks at the runners.")

    def runner_url(self, name: RunnerName) -> str:
        url: str = getattr(self, BY_NAME[name].setting)
        return url.rstrip("/")
