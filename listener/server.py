"""uvicorn with a door: what a listener may be made to hold is bounded."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn

from listener.door import Door
from listener.protocol import bounded


class Server(uvicorn.Server):
    """Serves ``app`` by HTTP/1.1; ``options`` are uvicorn's. No WebSocket, no log of its own."""

    def __init__(self, app: Any, door: Door, **options: Any) -> None:
        self.door = door
        super().__init__(
            uvicorn.Config(
                app,
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
