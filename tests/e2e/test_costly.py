"""What one client sends to cost all that it can, and what others notice of it.

A front as it is served, a process with its decoders, on toy runners: what is measured is the front.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.conftest import ROOT
from tests.models.reading.hostile import HOSTILE
from tests.ports import free_port
from tests.service import images
from tests.service.runners import running

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="memory as Linux counts it"),
]

LIMIT = 2**30
"""The chart's for a front: helm/osteoserve/values.yaml."""
KINDS = (
    "fill-in-a-scan",
    "directory-repeats-strips",
    "strips-of-one-line",
    "items-without-length",
    "png-grey-16bit",
    "dicom-jpeg-2000",
    "dicom-jpeg-lossless-restarts",
)
ANSWERS = {201, 422, 503}
API = "/api/v1/predictions"


@dataclass
class Notices:
    """What others noticed: seconds of each answer, and bytes that the front took at most."""

    live: list[float] = field(default_factory=list)
    scans: list[float] = field(default_factory=list)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    memory: int = 0

    @property
    def live_p99(self) -> float:
        return statistics.quantiles(self.live, n=100)[98]


@asynccontextmanager
async def front(var: Path, **settings: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Serve a front, and yield its address and its process."""
    port = free_port()
    async with running() as runners:
        urls = {f"OSTEOSERVE_{name.upper()}_URL": one.url for name, one in runners.items()}
        process = subprocess.Popen(  # noqa: ASYNC220 - a moment, before anything is measured
            [sys.executable, "-m", "service", "serve", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "OSTEOSERVE_VAR": str(var), **urls, **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
                while not await is_ready(client, url):
                    assert process.poll() is None
                    await asyncio.sleep(0.05)
            yield url, psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 30)


async def is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url + "/health/startup")).status_code == 200
    except httpx.TransportError:
        return False


def memory(process: psutil.Process) -> int:
    """Return the bytes of a process and all that it started, shared pages once."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


async def noticed(url: str, process: psutil.Process, costly: Iterable[str]) -> Notices:
    """Send each of ``costly`` twice at once, one after the other, and see how others fare."""
    notices = Notices()
    done = asyncio.Event()

    async def every(seconds: float, path: str, into: list[float]) -> None:
        loop, number = asyncio.get_running_loop(), 0
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            while not done.is_set():
                number += 1
                started = loop.time()
                if path == API:
                    # Bytes behind the end make it a file of its own, which nothing remembers.
                    content = images.png() + number.to_bytes(4, "big")
                    response = await client.post(path, content=content)
                else:
                    response = await client.get(path)
                assert response.is_success, response.text
                into.append(loop.time() - started)
                await asyncio.sleep(seconds)

    async def weigh() -> None:
        while not done.is_set():
            notices.memory = max(notices.memory, await asyncio.to_thread(memory, process))
            await asyncio.sleep(0.1)

    async def send() -> None:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            for name in costly:
                data = await asyncio.to_thread(HOSTILE[name])
                # Two that differ, as two files do; none is remembered for the other.
                twice = (client.post(API, content=data + bytes((0, end))) for end in (1, 2))
                answers = await asyncio.gather(*twice)
                notices.statuses[name] = [answer.status_code for answer in answers]
        done.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(every(0.02, "/health/live", notices.live))
        group.create_task(every(0.2, API, notices.scans))
        group.create_task(weigh())
        group.create_task(send())
    return notices


async def test_others_are_served_while_costly_files_are_decoded(tmp_path: Path) -> None:
    async with front(tmp_path) as (url, process):
        before = memory(process)
        notices = await noticed(url, process, KINDS)
        # Who sends them may be told to wait: they go one at a time.
        assert {code for codes in notices.statuses.values() for code in codes} <= ANSWERS
        # Generous: the machine may be busy with the tests beside this one.
        assert notices.live_p99 < 1.0
        assert max(notices.scans) < 8.0
        assert notices.memory < LIMIT
        assert process.is_running()
        started = {one.pid for one in process.children(recursive=True)}
        await asyncio.sleep(1.0)
        assert memory(process) < 1.2 * before
    assert not any(map(psutil.pid_exists, started))
