"""``make signed-in``: what it costs that a front knows who asks, and writes down that they did.

Two fronts on the same five runners, one where nobody signs in and one that a program asks by its
key, in turn: how long a result takes to read at the median, and how many images a second are
judged. Reads alternate one by one and predictions round by round, so that what else the machine
does meets both alike. Takes five minutes at most, the start included. Fails where reading takes
more than :data:`READ` seconds longer or predicting falls by more than :data:`FALL`, at the median
of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

import httpx
import numpy as np

from models import phantom
from models.phantom import Artefact
from tests.e2e.conftest import FRONT, ROOT, Running, end, start
from tests.e2e.served import is_ready
from tests.ports import free_port
from tests.service.kit import images

READ: Final = 0.001
FALL: Final = 0.03
READS: Final = 200
"""Of one result at each front, in a round."""
LEAST: Final = 3
"""Rounds, however long they take."""
LANES: Final = 8
"""Images under way at the same time."""
API: Final = "/api/v1/predictions"


class Asked:
    """A front with a result of its own that can be read again and again."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        # Bytes behind the end make it a file of its own, which nothing remembers.
        drawn = phantom.draw(np.random.default_rng(22), "normal", artefact=Artefact.NONE)
        png = images.png(drawn.image)
        self._files = (png + number.to_bytes(4, "big") for number in count())
        self._kept = ""

    async def judged(self) -> str:
        answer = await self._client.post(API, content=next(self._files))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def warm(self) -> None:
        self._kept = await self.judged()
        for _ in range(READS):
            await self.seconds_to_read()

    async def seconds_to_read(self) -> float:
        began = time.perf_counter()
        answer = await self._client.get(f"{API}/{self._kept}")
        seconds = time.perf_counter() - began
        assert answer.status_code == 200, answer.text
        return seconds

    async def images_a_second(self, seconds: float) -> float:
        began, done = time.perf_counter(), 0

        async def lane() -> None:
            nonlocal done
            while time.perf_counter() - began < seconds:
                await self.judged()
                done += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(LANES):
                group.create_task(lane())
        return done / (time.perf_counter() - began)


def run_by_front(environment: Mapping[str, str], *arguments: str) -> str:
    """Return what ``python -m service`` with ``arguments`` prints."""
    told = subprocess.run(
        [str(FRONT), "-m", "service", *arguments],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return told.stdout


@asynccontextmanager
async def guarded(beside: Running, var: Path) -> AsyncIterator[tuple[str, str]]:
    """Serve a front on the runners of ``beside``; yield its address and a program's key."""
    port = free_port()
    environment = {
        **beside.front().environ(),
        "OSTEOSERVE_AUTH": "local",
        "OSTEOSERVE_VAR": str(var),
        "OSTEOSERVE_PORT": str(port),
    }
    run_by_front(environment, "migrate")
    added = run_by_front(environment, "keys", "add", "--name", "cost", "--role", "integrator")
    key = added.splitlines()[-1]
    process = subprocess.Popen(  # noqa: ASYNC220 - a moment, before anything is measured
        [str(FRONT), "-m", "service", "serve", "--port", str(port)],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(120), httpx.AsyncClient(trust_env=False) as client:
            while not await is_ready(client, url):
                assert process.poll() is None
                await asyncio.sleep(0.05)
        yield url, key
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 30)


def said(what: str, rounds: Sequence[float], unit: str) -> str:
    """Return the median and the spread of ``rounds`` in words."""
    low, high = min(rounds), max(rounds)
    return f"{what}: {statistics.median(rounds):+.2f} {unit} ({low:+.2f} to {high:+.2f})"


async def read_in_turn(one: Asked, other: Asked) -> tuple[float, float]:
    """Return the medians of :data:`READS` of each; who goes first alternates."""
    found: dict[Asked, list[float]] = {one: [], other: []}
    for number in range(READS):
        for each in (one, other) if number % 2 == 0 else (other, one):
            found[each].append(await each.seconds_to_read())
    return statistics.median(found[one]), statistics.median(found[other])


async def measured(open_front: Asked, closed: Asked, until: float, seconds: float) -> list[str]:
    """Ask both in turn ``until`` the clock says so; return in words what was not kept."""
    slower: list[float] = []
    fallen: list[float] = []
    for number in count():
        if number >= LEAST and time.monotonic() + 2 * seconds > until:
            break
        order = (open_front, closed) if number % 2 == 0 else (closed, open_front)
        reads = dict(zip(order, await read_in_turn(*order), strict=True))
        slower.append(reads[closed] - reads[open_front])
        rates = {one: await one.images_a_second(seconds) for one in order}
        fallen.append(1 - rates[closed] / rates[open_front])
        print(
            f"round {number + 1}: reading {1000 * reads[open_front]:.2f} and "
            f"{1000 * reads[closed]:.2f} ms, {rates[open_front]:.1f} and {rates[closed]:.1f} "
            "images/s",
            flush=True,
        )
    print(said("reading, at the median, longer by", [1000 * one for one in slower], "ms"))
    print(said("images a second, fewer by", [100 * one for one in fallen], "%"))
    found = {
        f"reading takes more than {1000 * READ:.0f} ms longer": statistics.median(slower) > READ,
        f"predicting falls by more than {100 * FALL:.0f} %": statistics.median(fallen) > FALL,
    }
    return [words for words, is_so in found.items() if is_so]


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.signed_in", description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.5, help="for all of it")
    parser.add_argument("--seconds", type=float, default=12.0, help="of predictions, in a round")
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    async with AsyncExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        everything = start(folder)
        held.callback(end, everything)
        await asyncio.to_thread(everything.wait_until_said, "ready: http")
        url, key = await held.enter_async_context(guarded(everything, folder / "guarded"))
        fronts = []
        for address, headers in (
            (everything.url, {}),
            (url, {"Authorization": f"Bearer {key}"}),
        ):
            client = httpx.AsyncClient(
                base_url=address, headers=headers, trust_env=False, timeout=60
            )
            fronts.append(Asked(await held.enter_async_context(client)))
            await fronts[-1].warm()
        open_front, closed = fronts
        missed = await measured(open_front, closed, until, options.seconds)
    for words in missed:
        print(f"missed: {words}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
