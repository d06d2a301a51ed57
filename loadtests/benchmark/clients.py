"""Clients that each wait for their answer before they send the next image (closed loop).

Throughput is the number of clients over their mean latency (Little's law), so that it does not hang
on how many answers of a batch fall before or after the end of the window.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import aiohttp

from loadtests.stats import Durations

ANSWERED: Final = (200, 201)
LONGEST_SECONDS: Final = 120.0


class Answer(NamedTuple):
    number: int
    probability: float
    outcome: str


@dataclass
class Window:
    """What came back between two marks, and ``marks``, the CPU seconds at both.

    ``faults`` are whatever was no whole answer, in the warm-up too.
    """

    clients: int
    seconds: float
    marks: list[Mapping[str, float]] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def images_per_second(self) -> float:
        return self.clients * len(self.latencies) / sum(self.latencies) if self.latencies else 0.0

    def quantile_ms(self, share: float) -> float | None:
        durations = Durations()
        durations.add(*self.latencies)
        found = durations.quantile(share)
        return None if found is None else 1000 * found


def send(
    url: str,
    images: Iterator[tuple[int, bytes]],
    window: Window,
    cpu_seconds: Callable[[], Mapping[str, float]],
    warm_up: float = 0.0,
) -> Window:
    """Send ``images`` until they or the window after the warm-up have ended; all are answered."""
    begin = time.monotonic() + warm_up
    end = begin + window.seconds

    async def client(session: aiohttp.ClientSession) -> None:
        # Asked for the time first: an image that is taken is sent.
        while time.monotonic() < end and (one := next(images, None)) is not None:
            sent = time.monotonic()
            answer = await _post(session, url, one[1])
            if isinstance(answer, str):
                window.faults[answer] += 1
                continue
            window.answers.append(Answer(one[0], answer["probability"], answer["outcome"]))
            if begin <= time.monotonic() <= end:
                window.latencies.append(time.monotonic() - sent)

    async def mark() -> None:
        for moment in (begin, end):
            await asyncio.sleep(max(0.0, moment - time.monotonic()))
            window.marks.append(await asyncio.to_thread(cpu_seconds))

    async def together() -> None:
        timeout = aiohttp.ClientTimeout(total=LONGEST_SECONDS)
        # Shorter than any server keeps an idle connection.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4.0)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            marking = asyncio.create_task(mark())
            await asyncio.gather(*(client(session) for _ in range(window.clients)))
            if time.monotonic() < end:
                marking.cancel()
            else:
                await marking

    asyncio.run(together())
    return window


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> dict[str, Any] | str:
    """Return a whole answer, or in few words why there is none."""
    headers = {"Content-Type": "image/png", "Accept": "application/json"}
    try:
        async with session.post(url, data=body, headers=headers) as response:
            content = await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return type(error).__name__
    if response.status not in ANSWERED:
        return str(response.status)
    try:
        answer: dict[str, Any] = json.loads(content)
    except ValueError:
        return "no JSON"
    if answer.get("degraded"):
        return "degraded"
    return answer if answer.get("probability") is not None else f"{answer.get('outcome')}"
