"""Warm-up: a runner's first calls, made by itself before it listens.

BentoML's batching learns from its first calls how fast a service is, and for two of them it waits
for company that one front does not send: the tenth and eleventh image after a start took four times
as long as others. Whoever comes first should not be who it learns from.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CALLS: Final = 12
"""BentoML 1.4's batching trains with eleven, one after another."""


@dataclass(frozen=True)
class Example:
    """A call that any runner of its kind can answer."""

    path: str
    headers: Mapping[str, str]
    content: bytes


class WarmUp:
    """ASGI middleware: startup is complete once each of ``examples`` was answered :data:`CALLS`
    times."""

    def __init__(self, app: ASGIApp, examples: Sequence[Example]) -> None:
        self._app = app
        self._examples = examples

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def later(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._warm_up()
                gc.collect()
                gc.freeze()
            await send(message)

        await self._app(scope, receive, later)

    async def _warm_up(self) -> None:
        """Raises RuntimeError, with which the runner does not start, where a call fails."""
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://warm-up") as client:
            # A path after the other: each has batches of its own to learn from.
            for example in (one for one in self._examples for _ in range(CALLS)):
                answer = await client.post(
                    example.path, content=example.content, headers=example.headers
                )
                if answer.status_code != HTTPStatus.OK:
                    raise RuntimeError(f"a call of the warm-up was answered {answer.status_code}")
