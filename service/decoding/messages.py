"""Messages through a socket from the front's side, whose event loop waits for nobody."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from typing import Final

from service.decoding import channel

ONE_GO: Final = 1 << 18
"""Bytes of a message that are sent, or asked for, at once; a scan's outcome has 100 000."""


async def send(connection: socket.socket, parts: list[channel.Part]) -> None:
    loop = asyncio.get_running_loop()
    head, *large = [channel.lengths(parts) + bytes(parts[0]), *parts[1:]]
    if sum(map(len, large)) < ONE_GO:
        # Waking the other side once is cheaper than a copy is dear.
        head, large = b"".join((head, *large)), []
    await loop.sock_sendall(connection, head)
    for part in large:
        await loop.sock_sendall(connection, part)


async def receive(connection: socket.socket) -> list[channel.Part]:
    """Return a message's parts. Raises :class:`ConnectionError` at the end and for no message."""
    loop = asyncio.get_running_loop()
    data = bytearray()

    async def reach(length: int) -> None:
        while len(data) < length:
            more = await loop.sock_recv(connection, max(length - len(data), ONE_GO))
            if not more:
                raise ConnectionResetError
            data.extend(more)

    await reach(4)
    start = 4 + 8 * int.from_bytes(data[:4], "little")
    if not 4 < start <= 4 + 8 * channel.MOST_PARTS:
        raise ConnectionError
    await reach(start)
    sizes = struct.unpack_from(f"<{(start - 4) // 8}Q", data, 4)
    if sum(sizes) > channel.MOST:
        raise ConnectionError
    await reach(start + sum(sizes))
    view = memoryview(data)
    ends = list(itertools.accumulate(sizes, initial=start))
    return [view[begin:end] for begin, end in itertools.pairwise(ends)]


async def exactly(connection: socket.socket, count: int) -> bytearray:
    """Return the next ``count`` bytes. Raises :class:`ConnectionError` at the end."""
    loop = asyncio.get_running_loop()
    data = bytearray(count)
    view, done = memoryview(data), 0
    while done < count:
        received = await loop.sock_recv_into(connection, view[done:])
        if not received:
            raise ConnectionResetError
        done += received
    return data
