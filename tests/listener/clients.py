"""Clients on plain sockets that do what no library lets them."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

LONGEST = 60.0
"""Seconds after which a test gives up; what it waits for takes one or two."""


@dataclass
class Answer:
    """What came back until the connection ended, and how long that took."""

    data: bytes
    seconds: float
    reset: bool = False

    @property
    def status(self) -> int | None:
        """Status of the last answer on the connection, None where there was none."""
        heads = re.findall(rb"HTTP/1\.1 (\d{3}) ", self.data)
        return int(heads[-1]) if heads else None

    @property
    def problem(self) -> dict[str, Any]:
        head, _, body = self.data.rpartition(b"\r\n\r\n")
        assert b"content-type: application/problem+json" in head
        found: dict[str, Any] = json.loads(body)
        return found


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    begun: float

    async def send(self, data: bytes) -> bool:
        """Return whether the connection is still there to send on."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            return False
        return not self.writer.is_closing()

    async def trickle(self, piece: bytes, pause: float) -> None:
        """Send ``piece`` again and again until nobody takes it any more."""
        while await self.send(piece):  # noqa: ASYNC110 - the pause is the point
            await asyncio.sleep(pause)

    async def until_end(self) -> Answer:
        data, reset = b"", False
        try:
            async with asyncio.timeout(LONGEST):
                while piece := await self.reader.read(65536):
                    data += piece
        except ConnectionError:
            reset = True
        return Answer(data, time.monotonic() - self.begun, reset)


@asynccontextmanager
async def connected(port: int, source: str = "127.0.0.1") -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, local_addr=(source, 0), limit=2**20
    )
    try:
        yield Client(reader, writer, time.monotonic())
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def ended(
    port: int, first: bytes, going_on: Callable[[Client], Awaitable[None]] | None = None
) -> Answer:
    """Return how a connection ends on which ``first`` is sent, and ``going_on`` from then on."""
    async with connected(port) as client:
        await client.send(first)
        task = None if going_on is None else asyncio.ensure_future(going_on(client))
        try:
            return await client.until_end()
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
