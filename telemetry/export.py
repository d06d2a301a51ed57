"""Spans on their way out. Only what is on a list leaves: libraries note paths, queries, messages.

Kept are names, times, ids, links, the status without its words, and the attributes in
:data:`ATTRIBUTES`. Events go, since exceptions are noted there with what they quote; so does
``tracestate``, which is what others wrote into it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import Link, SpanContext, SpanKind, Status

from telemetry.directly import Session

OURS: Final = "osteoserve"
"""The name of our own tracers, and how our own attributes begin."""

ATTRIBUTES: Final = frozenset({
    "error.type",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "http.status_code",
    "network.protocol.version",
    f"{OURS}.images",
    f"{OURS}.runner",
})  # fmt: skip

CREDENTIALS: Final = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
)

_ASGI: Final = "opentelemetry.instrumentation.asgi"
"""What BentoML notes requests with. It names spans by their paths, and notes every message."""

ROUTES: Final = frozenset({"/outline", "/predict", "/combine"})
"""The paths that it may name."""


class Discreet(SpanExporter):
    """Hands ``inner`` what may leave."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        left = [discreet(span) for span in spans if not _message(span)]
        return self._inner.export(left) if left else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def discreet(span: ReadableSpan) -> ReadableSpan:
    """Return ``span`` with nothing that is not on the list."""
    return ReadableSpan(
        name=_name(span),
        context=_bare(span.context),
        parent=_bare(span.parent),
        resource=span.resource,
        attributes={
            name: value for name, value in (span.attributes or {}).items() if name in ATTRIBUTES
        },
        links=[Link(_bared(link.context)) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def provider(service: str, endpoint: str | None, *, begins: bool) -> TracerProvider:
    """Return what makes spans and sends them to ``endpoint``, or where ``OTEL_…`` variables say.

    Without ``begins`` a span is made only under one of a caller that is sampled.
    """
    address = None if endpoint is None else f"{endpoint.rstrip('/')}/v1/traces"
    known = Resource({"service.name": f"{OURS}-{service}", "service.namespace": OURS})
    found = TracerProvider(
        # Of the SDK's own, and of the environment, which has the last word.
        resource=Resource.create().merge(known).merge(OTELResourceDetector().detect()),
        # None: OTEL_TRACES_SAMPLER, or all.
        sampler=None if begins else ParentBased(ALWAYS_OFF),
        shutdown_on_exit=False,
    )
    # A provider of credentials, which OpenTelemetry's variables may name, brings its own.
    session = None if any(map(os.environ.get, CREDENTIALS)) else Session()
    exporter = OTLPSpanExporter(address, session=session)
    found.add_span_processor(BatchSpanProcessor(Discreet(exporter)))
    return found


def _name(span: ReadableSpan) -> str:
    method, _, path = span.name.partition(" ")
    return method if _by_asgi(span) and path not in ROUTES else span.name


def _message(span: ReadableSpan) -> bool:
    return _by_asgi(span) and span.kind is SpanKind.INTERNAL


def _by_asgi(span: ReadableSpan) -> bool:
    return span.instrumentation_scope is not None and span.instrumentation_scope.name == _ASGI


def _bare(context: SpanContext | None) -> SpanContext | None:
    return None if context is None else _bared(context)


def _bared(context: SpanContext) -> SpanContext:
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)
