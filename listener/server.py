"""uvicorn with a door: what a listener may be made to hold is bounded."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import uvicorn

from listener.door import Door
from listener.protocol import bounded

EVERYWHERE: Final = "::"
"""Every address of this machine: those of both families, where it has both."""


def listened_on(host: str) -> str:
    """Return what the loop is to be told for ``host``.

    By itself it takes ``::`` for the addresses of IPv6 alone, and an empty name for all, with a
    socket a family, so that a client of IPv4 is seen by its own address. A family that is not there
    is left out.
    """
    return "" if host == EVERYWHERE else host


class Server(uvicorn.Server):
    """Serves ``app`` by HTTP/1.1; ``options`` are uvicorn's. No WebSocket, no log of its own."""

    def __init__(self, app: Any, door: Door, host: str, **options: Any) -> None:
        self.door = door
        super().__init__(
            uvicorn.Config(
                app,
                host=listened_on(host),
                http=bounded(door),
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_keep_alive=_seconds(door),
                **options,
            )
        )

    async def on_tick(self, counter: int) -> bool:
        self.door.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)


def _seconds(door: Door) -> Any:
    # uvicorn asks for whole seconds and hands them to the loop, which takes any.
    return door.limits.keep_alive_seconds
