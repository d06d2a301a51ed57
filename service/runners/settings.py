"""Settings of the runners' clients."""

from __future__ import annotations

from pydantic import Field

from service.types import RunnerName, Seconds, SettingsGroup, Url


class RunnerPolicy(SettingsGroup):
    """Addresses of the runners, and how they are called."""

    cnn_url: Url = Field("http://127.0.0.1:8101", description="Where the cnn runner answers.")
    vgg16_url: Url = Field("http://127.0.0.1:8102", description="Where the vgg16 runner answers.")
    resnet_url: Url = Field("http://127.0.0.1:8103", description="Where the resnet runner answers.")
    stack_url: Url = Field("http://127.0.0.1:8104", description="Where the stack runner answers.")
    vertebrae_url: Url = Field(
        "http://127.0.0.1:8105",
        description="Where the vertebrae runner answers, which also holds the base model bone.",
    )
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
        url: str = getattr(self, f"{name}_url")
        return url.rstrip("/")
