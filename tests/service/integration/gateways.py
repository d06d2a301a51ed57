"""A whole gateway on real ports, with toy runners behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from service.gateway import server as make
from service.http.dependencies import STATE
from service.integration.dicom.listener import Listener
from service.integration.ledger.service import Ledger
from service.integration.peers import Peers
from service.resources import Resources
from service.settings import Settings
from service.storage.database import Database
from service.types import RunnerName
from tests.service.kit import databases
from tests.service.kit.fork_servers import forked
from tests.service.kit.runners import Running

PEERS = """
[[peer]]
name = "dxa-1"
calling = "DXA1"
called = "OSTEOSERVE"
addresses = ["127.0.0.1/32"]

[[destination]]
name = "pacs"
called = "PACS"
calling = "OSTEOSERVE"
host = "127.0.0.1"
port = {port}
attempts = {attempts}
"""


def peers_file(folder: Path, port: int, attempts: int = 100, more: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "peers.toml"
    path.write_text(PEERS.format(port=port, attempts=attempts) + more)
    return path


@dataclass
class Gateway:
    app: FastAPI
    settings: Settings
    resources: Resources

    @property
    def port(self) -> int:
        return self.resources.get(Listener).port

    @property
    def ledger(self) -> Ledger:
        return self.resources.get(Ledger)

    @property
    def database(self) -> Database:
        return self.resources.get(Database)

    def sample(self, name: str, **labels: str) -> float:
        return self.app.state.metrics.registry.get_sample_value(name, labels) or 0.0

    async def until(self, state: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
        """Wait until ``state`` is so."""
        async with asyncio.timeout(seconds):
            while not await state():  # noqa: ASYNC110 - any state, so no event
                await asyncio.sleep(0.05)

    async def finished(self, seconds: float = 60) -> None:
        """Wait until nothing is in progress."""

        async def idle() -> bool:
            return (await self.ledger.balance()).in_progress == 0

        await self.until(idle, seconds)


@asynccontextmanager
async def gateway(
    var: Path, runners: Mapping[RunnerName, Running], peers: Path, **settings: Any
) -> AsyncIterator[Gateway]:
    """Run a gateway for the peers in a file."""
    urls = {f"{name}_url": one.url for name, one in runners.items()}
    defaults = {
        "probe_seconds": 0.2,
        "gateway_dicom_port": 0,
        "gateway_http_port": 0,
        "gateway_settle_seconds": 0.3,
        "gateway_idle_seconds": 5,
        "audit_key": "k" * 32,
    }
    chosen = Settings(var=var, gateway_peers=peers, **{**defaults, **urls, **settings})
    databases.lay(chosen)
    server = make(chosen, Peers.read(peers))
    app = server.config.app
    assert isinstance(app, FastAPI)
    with forked():
        task = asyncio.create_task(server._serve())
        try:
            while not server.started:
                if task.done():
                    raise RuntimeError("the gateway did not start")
                await asyncio.sleep(0.01)
            yield Gateway(app, chosen, server.lifespan.state[STATE])
        finally:
            server.should_exit = True
            await task
