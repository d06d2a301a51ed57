"""A runner's spans: BentoML makes those of requests, here are those of what it computes.

A batch has images of several requests, and the thread that computes it belongs to none of them. So
each item carries the span of its request, and each of those requests gets a span of the whole
batch's time: what lies between it and its parent's begin was waiting.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode


def adopt() -> None:
    """Have BentoML's own spans made by the provider that is set: its own knows no discretion."""
    # Here, so that the queue can be tried without BentoML.
    from bentoml._internal.configuration.containers import BentoMLContainer  # noqa: PLC0415 - as above

    BentoMLContainer.tracer_provider.set(trace.get_tracer_provider())


@contextmanager
def computing(name: str, origins: Iterable[SpanContext | None]) -> Iterator[None]:
    """Span one batch for every request that has an item in it; ``origins`` has one an item."""
    begin = time.time_ns()
    failure = None
    try:
        yield
    except Exception as error:
        failure = error
        raise
    finally:
        _note(name, [origin for origin in origins if origin is not None], begin, failure)


def _note(name: str, origins: list[SpanContext], begin: int, failure: Exception | None) -> None:
    tracer = trace.get_tracer("osteoserve")
    for origin in {one.span_id: one for one in origins}.values():
        span = tracer.start_span(
            f"compute {name}",
            context=trace.set_span_in_context(NonRecordingSpan(origin)),
            attributes={"osteoserve.runner": name, "osteoserve.images": len(origins)},
            start_time=begin,
        )
        if failure is not None:
            span.set_attribute("error.type", type(failure).__qualname__)
            span.set_status(StatusCode.ERROR)
        span.end()
