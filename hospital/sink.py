"""An interface engine that takes every message, keeps it as a file, and says so (MLLP, AA)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from models.files import replace
from service.integration.hl7 import frame
from service.integration.hl7.encoding import DELIMITERS, message, moment, segment

MOST: Final = 2**25
"""Bytes of a message."""


@asynccontextmanager
async def sink(folder: Path, port: int = 0, pause: float = 0.0) -> AsyncIterator[int]:
    """Take messages into ``folder``, which exists, while inside; yield the port of loopback.

    What is kept there already stays. ``port``: 0 for any that is free. ``pause``: seconds from what
    is kept to its answer, as of an engine that has much to do.
    """
    kept = await asyncio.to_thread(_kept, folder)
    numbers, lines = itertools.count(kept + 1), set[asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(writer)
        try:
            while (taken := await frame.read(reader)) is not None:
                # The answer follows what is kept, as a hospital's would.
                await asyncio.to_thread(replace, folder / f"{next(numbers):06}.hl7", taken)
                await asyncio.sleep(pause)
                writer.write(frame.framed(_answer(taken)))
                await writer.drain()
        except (OSError, frame.FrameError):
            # Whoever sent it tries again.
            return
        finally:
            lines.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=MOST)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for one in lines:
            one.transport.abort()
        await server.wait_closed()


def _kept(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*.hl7"))


def _answer(taken: bytes) -> bytes:
    head = taken.split(b"\r", 1)[0].decode("latin-1").split("|")
    control = head[9] if len(head) > 9 and head[1] == DELIMITERS else ""
    code = "AA" if control else "AR"
    return message(
        {
            3: "SINK",
            7: moment(datetime.now(UTC)),
            9: "ACK^R01^ACK",
            10: control,
            11: "P",
            12: "2.5.1",
        },
        [segment("MSA", {1: code, 2: control})],
        "UNICODE UTF-8",
    )
