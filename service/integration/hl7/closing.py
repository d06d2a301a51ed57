"""Closes a server of streams so that no connection stays behind, open and with nobody.

What asyncio has accepted becomes a transport one turn of its loop later, and is served two turns
after that. Where the server is closed in between, the transport is refused and nothing closes
the connection (python/cpython issue 109564, in all versions so far).
"""

from __future__ import annotations

import asyncio
from typing import Final

_TURNS: Final = 3


async def close(server: asyncio.Server) -> None:
    """Accept nothing more, begin to serve what was accepted, and close ``server``."""
    loop = asyncio.get_running_loop()
    for one in server.sockets:
        loop.remove_reader(one.fileno())
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    server.close()
