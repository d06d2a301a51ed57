"""Whether spans are made, and where they go: nowhere, unless the environment names a collector.

==================================  ==========================================================
variable                            meaning
==================================  ==========================================================
OSTEOSERVE_TRACING_ENDPOINT         the collector's base address, as http://collector:4318
OTEL_EXPORTER_OTLP_ENDPOINT         the same for everything in the environment that speaks OTLP
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT  the address itself, path and all
OTEL_SDK_DISABLED                   ``true``: no tracing, whatever else is said
OTEL_TRACES_EXPORTER                ``none``: the same
==================================  ==========================================================

The first that is set decides. Samplers, headers, certificates, time-outs and resource attributes
are OpenTelemetry's own ``OTEL_…`` variables. Spans leave by OTLP over HTTP; gRPC is not spoken.

The front begins traces, or continues those of its callers (W3C ``traceparent``). Runners only
continue them, so that probes and scrapes make none. ``baggage`` is neither read nor passed on: what
others put there may name a patient.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL: Final = "http/protobuf"

_LAST_SECONDS: Final = 3.0


class TracingError(ValueError):
    """Tracing is asked for in a way that cannot be had; the message names variable and value."""


def wanted(endpoint: str | None) -> bool:
    """Say whether to trace. Raises :class:`TracingError` where it is asked for in vain."""
    exporter = _variable("OTEL_TRACES_EXPORTER").lower()
    if _variable("OTEL_SDK_DISABLED").lower() == "true" or exporter == "none":
        return False
    if not endpoint and not any(map(_variable, ENDPOINTS)):
        return False
    if exporter not in ("", "otlp"):
        raise TracingError(f"OTEL_TRACES_EXPORTER={exporter}: allowed are otlp and none")
    for name in PROTOCOLS:
        value = _variable(name)
        if value and value != PROTOCOL:
            raise TracingError(f"{name}={value}: allowed is {PROTOCOL}")
        if value:
            break
    return True


@contextmanager
def exporting(service: str, endpoint: str | None = None, *, begins: bool = True) -> Iterator[None]:
    """Make spans and send them, if they are wanted, until the end; then send what is left.

    ``begins``: whether this process begins traces or only continues those of its callers.
    Raises :class:`TracingError`.
    """
    if not wanted(endpoint):
        yield
        return
    # Loaded only now: without tracing, the SDK is memory for nothing.
    from telemetry import export  # noqa: PLC0415 - as above

    propagate.set_global_textmap(TraceContextTextMapPropagator())
    provider = export.provider(service, endpoint, begins=begins)
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        # A collector that does not answer must not keep the process from ending.
        closing = threading.Thread(target=provider.shutdown, daemon=True)
        closing.start()
        closing.join(_LAST_SECONDS)


def here() -> SpanContext | None:
    """Return what later work needs to be shown under, or beside, the span that is open now."""
    context = trace.get_current_span().get_span_context()
    return context if context.is_valid else None


def _variable(name: str) -> str:
    return os.environ.get(name, "").strip()
