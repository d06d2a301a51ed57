"""A whole front on a real port, with a client that speaks to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from service.server import Server
from service.settings import Settings
from service.types import RunnerName
from tests.service.kit import databases
from tests.service.kit.fork_servers import forked
from tests.service.kit.runners import Running

API = "/api/v1/predictions"

TRUST = ssl.create_default_context()
"""Made once: each client would read all of the system's certificates, and none is asked for one."""


@dataclass
class Front:
    server: Server
    app: FastAPI
    client: httpx.AsyncClient
    settings: Settings
    runners: Mapping[RunnerName, Running]

    async def post(self, data: bytes, content_type: str | None = None) -> httpx.Response:
        headers = {} if content_type is None else {"Content-Type": content_type}
        return await self.client.post(API, content=data, headers=headers)

    async def upload(
        self, data: bytes, content_type: str = "application/octet-stream", path: str = API
    ) -> httpx.Response:
        return await self.client.post(path, files={"file": ("SECRET^NAME.bin", data, content_type)})

    async def analyse(self, data: bytes) -> httpx.Response:
        """Send the form of the first page and go where it leads, as a browser does."""
        files = {"file": ("SECRET^NAME.bin", data, "application/octet-stream")}
        return await self.client.post("/", files=files, follow_redirects=True)

    async def sample(self, name: str, **labels: str) -> float:
        """Return a metric's value, 0 where there is no such series."""
        metrics = self.app.state.metrics
        return metrics.registry.get_sample_value(name, labels) or 0.0

    async def settled(self, state: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not state():  # noqa: ASYNC110 - any state, so no event
                await asyncio.sleep(0.01)

    @property
    def calls(self) -> int:
        return sum(len(getattr(one.runner, "calls", ())) for one in self.runners.values())


@asynccontextmanager
async def front(
    var: Path,
    runners: Mapping[RunnerName, Running],
    change: Callable[[FastAPI], None] | None = None,
    **settings: Any,
) -> AsyncIterator[Front]:
    """Run a front on ``runners``; ``change`` may touch the app before it starts."""
    urls = {f"{name}_url": one.url for name, one in runners.items()}
    # Most tests send one image again and again, and want to see the runners asked.
    # Whoever signs in says so: what most tests are about is what is done then.
    defaults = {
        "port": 0,
        "probe_seconds": 0.2,
        "cache_images": 0,
        "auth": "none",
        "password_kib": 8,
        "audit_key": "k" * 32,
    }
    chosen = Settings(var=var, **{**defaults, **urls, **settings})
    databases.lay(chosen)
    server = Server(chosen)
    app = server.config.app
    assert isinstance(app, FastAPI)
    if change is not None:
        change(app)
    with forked():
        task = asyncio.create_task(server._serve())
        try:
            while not server.started:
                if task.done():
                    raise RuntimeError("the front did not start")
                await asyncio.sleep(0.005)
            port = server.servers[0].sockets[0].getsockname()[1]
            url = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(
                base_url=url, trust_env=False, timeout=20, verify=TRUST
            ) as client:
                yield Front(server, app, client, chosen, runners)
        finally:
            server.should_exit = True
            await task


async def rows(opened: Front) -> int:
    """Return how many predictions are kept."""
    async with opened.app.state.health.database.connect() as connection:
        result = await connection.exec_driver_sql("SELECT count(*) FROM prediction")
        return int(result.scalar_one())
