"""An interface engine of our own, which answers as a test says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from service.integration.destinations import Hl7Destination
from service.integration.hl7 import closing, frame
from service.integration.hl7.client import control_id

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def answering(code: str, more: str = "", charset: str = "utf-8", control: str = "") -> Answer:
    """Return what answers each message by ``code``."""

    async def answer(message: bytes, writer: asyncio.StreamWriter) -> None:
        msa = f"MSA|{code}|{control or control_id(message)}"
        text = f"MSH|^~\\&|E|F|OSTEOSERVE|x|20260203||ACK^R01^ACK|1|P|2.5.1\r{msa}{more}\r"
        writer.write(frame.framed(text.encode(charset)))

    return answer


@dataclass
class Engine:
    port: int
    taken: list[bytes] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def destination(self, **changes: Any) -> Hl7Destination:
        values = {"name": "engine", "kind": "hl7", "host": "127.0.0.1", "port": self.port}
        return Hl7Destination(**{**values, **changes})


@asynccontextmanager
async def engine(*answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Engine]:
    """Run an engine that answers its n-th message by the n-th of ``answers``, the last for good."""
    left = list(answers)
    open_lines: set[asyncio.StreamWriter] = set()
    opened = Engine(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_lines.add(writer)
        try:
            while (message := await frame.read(reader)) is not None:
                opened.taken.append(message)
                answer = left.pop(0) if len(left) > 1 else left[0]
                await answer(message, writer)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls, limit=2**24)
    opened.port = server.sockets[0].getsockname()[1]
    try:
        yield opened
    finally:
        # Begun before the end: afterwards, Python 3.11's does not wait for connections.
        ended = asyncio.create_task(server.wait_closed())
        await closing.close(server)
        for one in open_lines:
            one.transport.abort()
        await ended
