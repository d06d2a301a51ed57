"""Access log and request metrics, and the handler of last resort under every request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.metrics import HttpMetrics
from service.observability import tracing
from telemetry.journal import fault, log

Respond = Callable[[Request, Exception], Response]


class AccessLogMiddleware:
    """Logs and counts every request, whatever becomes of it.

    An exception that gets here is a bug. It is answered as a problem and logged without its
    message; raised further, the server would print both.
    """

    def __init__(self, app: ASGIApp, metrics: HttpMetrics, respond: Respond) -> None:
        self._app = app
        self._metrics = metrics
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        begun = False
        head: float | None = None

        async def watched(message: Message) -> None:
            nonlocal status, begun, head
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                head = time.perf_counter()
            await send(message)

        start = time.perf_counter()
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            log(logging.ERROR, "bug", route=template(scope), fault=fault(error))
            if begun:
                # Half an answer is out: the server can only break the connection.
                raise ConnectionAbortedError("answer broke off") from None
            await self._respond(Request(scope), error)(scope, receive, watched)
        finally:
            end = time.perf_counter()
            self._metrics.in_flight.dec()
            self._record(scope, status, (end if head is None else head) - start, end - start)

    def _record(self, scope: Scope, status: int, begun: float, seconds: float) -> None:
        """``begun`` and ``seconds``: until the answer's head, and until its end."""
        route = template(scope)
        if route is not None:
            self._metrics.request(scope["method"], route, status, begun)
        log(
            logging.DEBUG if route is not None and tracing.is_routine(route) else logging.INFO,
            "request",
            method=scope["method"],
            route=route or "unmatched",
            status=status,
            ms=round(seconds * 1000, 1),
            prediction=scope.get("osteoserve.prediction"),
        )


def template(scope: Scope) -> str | None:
    """Return the route's template, never the path itself; None where no route matched."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    if isinstance(route, Mount) or path is None:
        return scope["root_path"] if isinstance(scope.get("endpoint"), StaticFiles) else None
    return str(path)
