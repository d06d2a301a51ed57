"""No form and no archive of a megabyte takes more of the front than one file may."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import psutil
import pytest

from tests.e2e.served import memory, serving
from tests.service.http.hostile import BATCHES, HOSTILE, LARGEST, Upload

SECONDS = 2.0
QUICK = 0.055
"""Seconds that :func:`slowness` works on a processor of 2 GHz or more with nobody beside it."""
MEGABYTES = 300.0

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="measured as Linux counts"),
]


@dataclass
class Cost:
    """Of the front and its decoders: processor ``seconds``, and ``megabytes`` beyond those at
    rest."""

    status: int
    code: str
    seconds: float
    megabytes: float


@pytest.fixture(scope="module")
async def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[str, psutil.Process]]:
    async with serving(tmp_path_factory.mktemp("var")) as found:
        yield found


def spent(process: psutil.Process) -> float:
    """Return processor seconds of a process and all that it has started, ended ones included."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            total += sum(one.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


async def cost(url: str, process: psutil.Process, upload: Upload) -> Cost:
    """Send ``upload``, wait until nothing of it is in hand any more, and say what it took."""
    done = threading.Event()
    rest, before = memory(process), spent(process)
    highest = rest

    def weigh() -> None:
        nonlocal highest
        while not done.wait(0.05):
            highest = max(highest, memory(process))

    async def sent() -> AsyncIterator[bytes]:
        for chunk in upload.chunks():
            yield chunk

    weighing = asyncio.create_task(asyncio.to_thread(weigh))
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            answer = await client.post(
                upload.path,
                content=sent() if upload.piece else upload.body,
                headers={"Content-Type": upload.content_type},
            )
    finally:
        done.set()
        await weighing
    code = ""
    if answer.is_error:
        code = answer.json()["code"]
    elif upload.path == BATCHES:
        # The answer is whole when it ends with the batch, and a line for each of its images.
        closing = answer.text.splitlines()[-1]
        assert '"state":"finished"' in closing, closing
        items = len(answer.text.splitlines()) - 1
        assert f'"total":{items}' in closing
    megabytes = (highest - rest) / 2**20
    return Cost(answer.status_code, code, round(spent(process) - before, 2), round(megabytes))


def slowness() -> float:
    """Return by how much this processor is slower just now than a quick one, 1 or more.

    On shared ones the same work takes up to twice as long from one minute to the next.
    """
    started, number = time.process_time(), 1
    for _ in range(1_000_000):
        number = (number * 31 + 7) & 0xFFFF
    return max(1.0, (time.process_time() - started) / QUICK)


@pytest.mark.parametrize("name", HOSTILE)
async def test_an_upload_of_a_megabyte_has_bounds(
    served: tuple[str, psutil.Process], name: str
) -> None:
    upload = HOSTILE[name]()
    assert len(upload.body) <= LARGEST
    found = await cost(*served, upload)
    allowed = SECONDS
    if found.seconds >= allowed:
        # The same work takes longer on a processor whose cache others use, and never less time.
        slow = slowness()
        more = [await cost(*served, upload) for _ in range(2)]
        found = min(found, *more, key=lambda one: one.seconds)
        allowed *= max(slow, slowness())
    assert found.status < 500, found
    assert found.seconds < allowed, found
    assert found.megabytes < MEGABYTES, found
