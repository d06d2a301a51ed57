"""Tracing: spans beside those of requests, which FastAPI makes. All of it is free when off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from fastapi.telemetry import TelemetryConfig
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode

from service.types import RunnerName
from telemetry.tracing import here

__all__ = ["REQUESTS", "calling", "headers", "here", "is_routine", "span"]


def is_routine(path: str) -> bool:
    """Return whether ``path``, or a route's template, is one that would drown the rest."""
    return path.startswith(("/health/", "/metrics", "/static"))


REQUESTS: Final[TelemetryConfig] = {
    "tracing": True,
    # Where spans go, and whether there are any, is telemetry.tracing's to say.
    "auto_configure": False,
    "operation_spans": False,
    # Ours are other ones.
    "metrics": False,
    "logs": False,
    "exclude": lambda scope: is_routine(str(scope["path"])),
}


@contextmanager
def calling(runner: RunnerName, origins: Sequence[SpanContext | None]) -> Iterator[Span]:
    """Span one call of a runner, which is ended as an error by any exception.

    ``origins`` are what :func:`here` returned where each of its items was asked for. The call is
    shown under the first, and linked to the others: a span has one parent.
    """
    known = [origin for origin in origins if origin is not None]
    with trace.get_tracer("osteoserve").start_as_current_span(
        f"runner {runner}",
        # Not what is open here: a call may be begun by whoever came last.
        context=_under(known[0]) if known else Context(),
        kind=SpanKind.CLIENT,
        attributes={"osteoserve.runner": runner, "osteoserve.images": len(origins)},
        links=[Link(other) for other in known[1:]],
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__qualname__)
            opened.set_status(StatusCode.ERROR)
            raise


def _under(origin: SpanContext) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(origin), Context())


def headers() -> Mapping[str, str]:
    """Return what a request carries on: W3C ``traceparent`` of the open span; empty when off."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def span(name: str) -> AbstractContextManager[Span]:
    """Span some work within a request, or within a batch."""
    return trace.get_tracer("osteoserve").start_as_current_span(
        name, record_exception=False, set_status_on_exception=False
    )
