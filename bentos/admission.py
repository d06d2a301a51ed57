"""Before a call reaches BentoML: is there room, and does anybody still wait for the answer?"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bentos.backlog import Backlog, Call
from protocol.headers import MAX_BYTES, TIMEOUT

CALL: Final = "osteoserve.call"
"""Where a request's scope holds its :class:`~bentos.backlog.Call`."""


class Admission:
    """ASGI middleware before the paths of ``counts``, all of one queue. ``counts`` has by path what
    returns a call's items from its headers, 0 where it cannot tell.

    A call without room in ``queue`` is answered 503 with Retry-After before its body is read; its
    room is taken once the body is there, since one that announces images and sends none would keep
    others out. A call whose caller closes the connection is marked, and no batch computes it.
    """

    def __init__(
        self,
        app: ASGIApp,
        queue: Backlog,
        counts: Mapping[str, Callable[[Headers], int]],
    ) -> None:
        self._app = app
        self._queue = queue
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._counts:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        fault = _fault(headers.get("content-length", ""))
        if fault is not None:
            await _answer(send, *fault)
            return
        # What cannot be counted is refused by the wire in a moment, and waits for nothing.
        count = self._counts[scope["path"]](headers)
        try:
            left = _left(headers.get(TIMEOUT, ""), count)
        except ValueError as error:
            await _answer(send, 400, {"error": str(error)})
            return
        if not self._queue.has_room(count):
            self._queue.turn_away(count)
            await self._full(send)
            return
        began = time.monotonic()
        body = await _whole(receive)
        if body is None:
            return
        call = self._queue.enter(count, left, time.monotonic() - began)
        if call is None:
            await self._full(send)
            return
        scope[CALL] = call
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        listener = _Listener(body, receive, call)
        try:
            await self._app(scope, listener, noted)
        finally:
            listener.close()
            # BentoML's own answer to a call that waited for too long.
            self._queue.leave(call, shed=status == 503)

    async def _full(self, send: Send) -> None:
        wait = str(self._queue.retry_after()).encode()
        await _answer(send, 503, {"error": "the queue is full"}, [(b"retry-after", wait)])


async def _whole(receive: Receive) -> bytes | None:
    """Return the body, None where the caller left before its end."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


class _Listener:
    """``receive`` that hands out the body and then listens for the caller's leaving."""

    def __init__(self, body: bytes, receive: Receive, call: Call) -> None:
        self._body: bytes | None = body
        self._receive = receive
        self._call = call
        self._task: asyncio.Task[Message] | None = None

    async def __call__(self) -> Message:
        if self._task is not None:
            return await asyncio.shield(self._task)
        body, self._body = self._body or b"", None
        self._task = asyncio.create_task(self._listen())
        return {"type": "http.request", "body": body, "more_body": False}

    async def _listen(self) -> Message:
        message = await self._receive()
        self._call.abandoned = True
        return message

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _fault(length: str) -> tuple[int, dict[str, Any]] | None:
    """Return the status and body that answer a declared length of the body, None for a good one."""
    if not length.isascii() or not length.isdigit():
        return 411, {"error": "Content-Length is required"}
    if int(length) > MAX_BYTES:
        return 413, {"error": f"{length} bytes were announced; {MAX_BYTES} are allowed"}
    return None


def _left(value: str, count: int) -> tuple[float, ...]:
    """Return seconds an item from a header's milliseconds. Raises ValueError with what is wrong."""
    if not value:
        return ()
    parts = value.split(",")
    if not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise ValueError(f"{TIMEOUT}: whole milliseconds with commas between are allowed")
    seconds = tuple(int(part) / 1000 for part in parts)
    if len(seconds) == 1:
        return seconds * count
    if len(seconds) != count:
        raise ValueError(f"{TIMEOUT} has {len(seconds)} numbers; 1 or {count} are allowed")
    return seconds


async def _answer(
    send: Send, status: int, body: dict[str, Any], headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    content = json.dumps(body).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head + (headers or [])})
    await send({"type": "http.response.body", "body": content})
