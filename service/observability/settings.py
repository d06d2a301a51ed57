"""Settings of logging and tracing."""

from __future__ import annotations

from pydantic import Field

from service.types import SettingsGroup, Url
from telemetry.journal import Form, Level


class TelemetrySettings(SettingsGroup):
    """Log lines, and where spans go."""

    log_format: Form = Field("plain", description="Form of a log line.")
    log_level: Level = Field("info", description="Least level that is logged.")
    tracing_endpoint: Url | None = Field(
        None,
        description="Collector that spans are sent to by OTLP over HTTP, as "
        "http://collector:4318; none: where OTEL_EXPORTER_OTLP_ENDPOINT says, and without that no "
        "tracing. OTEL_SDK_DISABLED=true turns it off.",
    )
