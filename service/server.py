"""The front's listener with its settings, and a stop in two steps.

A stop signal first makes ``/health/ready`` answer 503 while requests are still served
(OSTEOSERVE_DRAIN_SECONDS), then closes the port and waits for what is in flight. A second signal
skips the rest of the first step.
"""

from __future__ import annotations

import gc
import socket
import time
from types import FrameType

from fastapi import FastAPI

from listener.door import Door
from listener.server import Server as Listener
from service import malloc
from service.app import create_app
from service.settings import Settings


class Server(Listener):
    def __init__(
        self,
        settings: Settings,
        app: FastAPI | None = None,
        address: tuple[str, int] | None = None,
    ) -> None:
        """Serve ``app`` at ``address``; without them the front, where its settings say."""
        malloc.give_back()
        self._app = create_app(settings) if app is None else app
        host, port = (settings.host, settings.port) if address is None else address
        self._drain_seconds = settings.drain_seconds
        self._stop_at: float | None = None
        super().__init__(
            self._app,
            Door(settings.listening, self._app.state.metrics.http.connection_ended),
            host=host,
            port=port,
            # Whom to believe about addresses is a setting of ours (service/http/client.py).
            proxy_headers=False,
            lifespan="on",
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays until the end. Left to the collector, it is looked through whole
        # each time that it collects the old, and every request in flight waits for that.
        gc.collect()
        gc.freeze()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._stop_at is None and self._drain_seconds > 0:
            self._captured_signals.append(sig)
            self._stop_at = time.monotonic() + self._drain_seconds
            self._drain()
            return
        self._drain()
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    def _drain(self) -> None:
        # Not there yet when the signal comes during startup.
        health = getattr(self._app.state, "health", None)
        if health is not None:
            health.draining = True
