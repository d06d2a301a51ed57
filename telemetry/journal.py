"""What is logged, and above all what is not: no file name, no text from a file, no query.

One line a request, plain or JSON, with method, route template, status, milliseconds and the
prediction's id; where the request is traced, with ``trace_id`` and ``span_id`` as well. An
exception is logged as its type and where it passed, never with its message: decoders quote what
they could not read, and that may be a patient's name.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
import warnings
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

from opentelemetry import trace

Form = Literal["plain", "json"]
Level = Literal["debug", "info", "warning", "error"]

logger: Final = logging.getLogger("osteoserve")

_PREFIX: Final = "osteoserve_"


def log(level: int, event: str, **facts: Any) -> None:
    """Log ``event`` with ``facts``; those that are None are left out."""
    extra = {_PREFIX + key: value for key, value in facts.items() if value is not None}
    logger.log(level, event, extra=extra)


def fault(error: BaseException) -> str:
    """Return type and path of ``error`` through the code; its message stays untold."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    path = " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
    return f"{type(error).__module__}.{type(error).__qualname__} at {path}"


class PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {key}={value}" for key, value in _facts(record).items())
        return f"{_moment(record)} {record.levelname.lower():7} {record.getMessage()}{facts}"


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_facts(record),
        }
        return json.dumps(line, default=str, ensure_ascii=False)


def configure(form: Form, level: Level, stream: TextIO | None = None) -> None:
    """Send every log line of the process to ``stream`` (standard error) in our form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else PlainFormatter())
    # A line that cannot be written (closed stream, full disk) is lost in silence. Python would else
    # print to standard error the exception being handled, message and all.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These would tell addresses, or values out of a file or on their way into the database.
    for name in (
        "aiohttp", "httpx", "httpcore", "uvicorn.access", "alembic", "asyncio", "multipart",
        "aiosqlite", "sqlalchemy", "psycopg", "urllib3", "requests",
    ):  # fmt: skip
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("python_multipart", "pydicom", "pynetdicom", "highdicom", "PIL"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    warnings.showwarning = _show_warning


def _show_warning(
    message: Warning | str,  # noqa: ARG001 - may quote a file
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - warnings.showwarning passes it
    line: str | None = None,  # noqa: ARG001 - warnings.showwarning passes it
) -> None:
    log(logging.DEBUG, "warning", category=category.__name__, file=filename, line=lineno)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts = {
        key.removeprefix(_PREFIX): value
        for key, value in vars(record).items()
        if key.startswith(_PREFIX)
    }
    if record.exc_info and record.exc_info[1] is not None:
        facts["fault"] = fault(record.exc_info[1])
    # A line is written where it was logged, so the span is still the one that it belongs to.
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        facts["trace_id"] = trace.format_trace_id(span.trace_id)
        facts["span_id"] = trace.format_span_id(span.span_id)
    return facts


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
