"""A slow line: pages arrive in pieces, and the browser may paint what it has."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Trickle:
    """ASGI middleware that sends each page uncompressed, in ``pieces`` with ``pause`` s between."""

    app: ASGIApp
    pieces: int = 20
    pause: float = 0.02

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        plain = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        page = False

        async def slowly(message: Message) -> None:
            nonlocal page
            if message["type"] == "http.response.start":
                kinds = [value for name, value in message["headers"] if name == b"content-type"]
                page = any(kind.startswith(b"text/html") for kind in kinds)
            if message["type"] != "http.response.body" or not page:
                await send(message)
                return
            body = message.get("body", b"")
            size = -(-len(body) // self.pieces) or 1
            for start in range(0, len(body), size):
                piece = body[start : start + size]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(self.pause)
            await send({**message, "body": b""})

        await self.app({**scope, "headers": plain}, receive, slowly)
