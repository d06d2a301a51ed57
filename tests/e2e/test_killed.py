"""A front, its decoders and their fork server killed under load: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.costly import API
from tests.e2e.served import serving
from tests.service.kit import images

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="decoders end with their front"),
]

CLIENTS = 4


async def send(url: str, acknowledged: list[str], strange: list[int], name: str) -> None:
    """Send scans, each one of its own, until the front is gone."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        number = 0
        with suppress(httpx.TransportError):
            while True:
                number += 1
                answer = await client.post(API, content=images.png() + f"{name} {number}".encode())
                if answer.status_code == 201:
                    acknowledged.append(answer.json()["id"])
                else:
                    strange.append(answer.status_code)


async def more_than(acknowledged: list[str], count: int) -> None:
    async with asyncio.timeout(240):
        while len(acknowledged) < count:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


async def test_what_was_acknowledged_survives_every_kill(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    strange: list[int] = []
    for turn in range(2):
        async with serving(tmp_path) as (url, process), asyncio.TaskGroup() as group:
            for client in range(CLIENTS):
                group.create_task(send(url, acknowledged, strange, f"{turn} {client}"))
            await more_than(acknowledged, len(acknowledged) + 5)
            fork_server, *decoders = process.children(recursive=True)
            for one in (*decoders, fork_server):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
                # Whoever was in hand is told, and the next are served by others.
                await more_than(acknowledged, len(acknowledged) + 2)
            left = process.children(recursive=True)
            process.kill()
            _, alive = await asyncio.to_thread(psutil.wait_procs, left, 20)
            assert alive == []
    async with (
        serving(tmp_path) as (url, _),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
    ):
        assert len(set(acknowledged)) == len(acknowledged) >= 2 * 5
        for id in acknowledged:
            assert (await client.get(f"{API}/{id}")).json()["id"] == id
    # 422 is what a file is told whose decoder broke; 503 that there was none just then.
    assert set(strange) <= {422, 503}
