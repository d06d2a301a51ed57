"""No connection outlives the server that accepted it, whenever that is closed."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest

from service.integration.hl7.closing import close

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("turns", range(8))
async def test_a_connection_is_served_or_never_accepted(turns: int) -> None:
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    ended = asyncio.create_task(server.wait_closed())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        with socket.create_connection(address, 5):
            for _ in range(turns):
                await asyncio.sleep(0)
            await close(server)
            assert not server.is_serving()
        async with asyncio.timeout(5):
            await ended
        gc.collect()
    assert [str(one.message) for one in caught] == []
    assert served == 1 or turns < 2
