"""MLLP: a message between a start block and an end block (HL7 transport, release 1)."""

from __future__ import annotations

import asyncio
from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c\r"


class FrameError(Exception):
    """What came is no MLLP, or a message larger than is taken."""


def framed(message: bytes) -> bytes:
    """Return ``message`` as it goes over the line."""
    return START + message + END


async def begins(stream: asyncio.StreamReader) -> bool:
    """Wait for a start block; False where the line has ended. Raises :class:`FrameError`."""
    while True:
        first = await stream.read(1)
        if not first:
            return False
        if first == START:
            return True
        if first not in b"\r\n":
            raise FrameError("something else than a start block")


async def rest(stream: asyncio.StreamReader) -> bytes:
    """Return the message behind a start block. Raises :class:`FrameError`."""
    try:
        found = await stream.readuntil(END)
    except asyncio.IncompleteReadError:
        raise FrameError("the line ended within a message") from None
    except asyncio.LimitOverrunError:
        raise FrameError("a message that is too large") from None
    return found[: -len(END)]


async def read(stream: asyncio.StreamReader) -> bytes | None:
    """Return the next message; None where the line has ended between two.

    What stands between messages is passed over if it is empty lines, since some senders put them
    there. Raises :class:`FrameError`; a message may be as large as ``stream``'s limit.
    """
    try:
        found = await stream.readuntil(END)
    except asyncio.IncompleteReadError as error:
        if error.partial.strip(b"\r\n"):
            raise FrameError("the line ended within a message") from None
        return None
    except asyncio.LimitOverrunError:
        raise FrameError("a message that is too large") from None
    found = found.lstrip(b"\r\n")
    if not found.startswith(START):
        raise FrameError("something else than a start block")
    return found[len(START) : -len(END)]
