"""A front as it is served, a process with its decoders, on toy runners: what is measured is it.

And an edge, whose models are the real ones."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil

from tests.e2e.cgroup import Group
from tests.e2e.conftest import ROOT
from tests.ports import free_port
from tests.service.kit.runners import running


@asynccontextmanager
async def serving(
    var: Path, group: Group | None = None, **settings: str
) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Serve a front, within ``group`` if there is one; yield its address and its process."""
    async with running() as runners:
        urls = {f"OSTEOSERVE_{name.upper()}_URL": one.url for name, one in runners.items()}
        async with _started("serve", var, group, {**urls, **settings}) as started:
            yield started


@asynccontextmanager
async def serving_edge(
    var: Path, group: Group | None = None, **settings: str
) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Serve an edge, which has the real models, as :func:`serving` serves a front."""
    async with _started("edge", var, group, settings) as started:
        yield started


@asynccontextmanager
async def _started(
    command: str, var: Path, group: Group | None, settings: Mapping[str, str]
) -> AsyncIterator[tuple[str, psutil.Process]]:
    port = free_port()
    arguments = [sys.executable, "-m", "service", command, "--port", str(port)]
    process = subprocess.Popen(  # noqa: ASYNC220 - a moment, before anything is measured
        arguments if group is None else group.joined(arguments),
        cwd=ROOT,
        env={
            **os.environ,
            "OSTEOSERVE_VAR": str(var),
            "OSTEOSERVE_AUTH": "none",
            **settings,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(240), httpx.AsyncClient(trust_env=False) as client:
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


def held(process: psutil.Process) -> int:
    """Return the bytes that a process and all that it started hold of no file, shared pages once.

    Of a library's pages each process has a part that grows when others on the machine end, so they
    tell nothing of what it keeps. Linux alone tells them apart.
    """
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            lines = Path(f"/proc/{one.pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # "Pss_Anon:  156 kB", after a line of addresses.
        found = dict(line.split(":", 1) for line in lines[1:])
        total += sum(1024 * int(found[name].split()[0]) for name in ("Pss_Anon", "Pss_Shmem"))
    return total


def memory(process: psutil.Process) -> int:
    """Return the bytes of a process and all that it started, shared pages once."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total
