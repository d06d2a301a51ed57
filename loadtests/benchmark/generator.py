"""Sends one step's requests; runs in the process of ``load`` and nowhere else.

Open-loop: a request goes out when it is due, whatever became of those before, and its latency
counts from then. What a server is too slow for shows as waiting, not as fewer requests
(Tene, "How not to measure latency": coordinated omission).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import aiohttp

NO_ANSWER: Final = 0
"""Stands for the status where there was none."""


class Sample(NamedTuple):
    """One request. Times are seconds from the start of the step.

    ``due`` is when it should have gone out, ``ended`` when the last byte of the answer was there.
    ``fault`` says why there was no answer.
    """

    number: int
    due: float
    ended: float
    status: int
    probability: float | None
    outcome: str | None
    whole: bool
    retry_after: bool
    fault: str

    @property
    def latency(self) -> float:
        return self.ended - self.due


@dataclass(frozen=True)
class Plan:
    """What to send. ``numbers`` are those of the images.

    ``due`` are seconds, one a request: open loop. None: ``clients`` each send the next when they
    have the answer to the last (closed loop), for ``seconds`` at most.
    Where more than ``overdue_allowed`` requests took or have been taking longer than ``overdue``
    seconds, the step is lost and stops. ``patience`` is the longest wait for one answer.
    """

    url: str
    numbers: Sequence[int]
    due: Sequence[float] | None = None
    clients: int = 1
    seconds: float = float("inf")
    overdue: float = float("inf")
    overdue_allowed: int = 0
    patience: float = 30.0


@dataclass(frozen=True)
class Sent:
    """What came of a plan. ``seconds`` is its length; ``cpu_seconds`` are the generator's own."""

    samples: list[Sample]
    seconds: float
    cpu_seconds: float
    stopped: bool


def send(plan: Plan, bodies: Sequence[bytes]) -> Sent:
    return asyncio.run(_send(plan, bodies))


async def _send(plan: Plan, bodies: Sequence[bytes]) -> Sent:
    step = _Step(plan, bodies)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4.0)
    timeout = aiohttp.ClientTimeout(total=plan.patience)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        cpu, step.start = time.process_time(), time.perf_counter()
        await (step.open(session) if plan.due is not None else step.closed(session))
        seconds = time.perf_counter() - step.start
        return Sent(step.samples, seconds, time.process_time() - cpu, step.stopped)


class _Step:
    def __init__(self, plan: Plan, bodies: Sequence[bytes]) -> None:
        self.plan = plan
        self.bodies = bodies
        self.samples: list[Sample] = []
        self.start = 0.0
        self.late = 0
        self.waiting: dict[asyncio.Task[None], float] = {}
        self.stopped = False

    @property
    def now(self) -> float:
        return time.perf_counter() - self.start

    @property
    def lost(self) -> bool:
        hopeless = sum(self.now - due > self.plan.overdue for due in self.waiting.values())
        return self.late + hopeless > self.plan.overdue_allowed

    async def open(self, session: aiohttp.ClientSession) -> None:
        assert self.plan.due is not None  # noqa: S101 - _send asked
        for place, due in enumerate(self.plan.due):
            if (wait := due - self.now) > 0:
                await asyncio.sleep(wait)
            if self.lost:
                break
            task = asyncio.create_task(self._ask(session, place, due))
            self.waiting[task] = due
            task.add_done_callback(self.waiting.pop)
        while self.waiting and not self.lost:
            await asyncio.wait(self.waiting, timeout=0.1)
        # Asked before those that wait are gone.
        self.stopped = self.lost
        left = list(self.waiting)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def closed(self, session: aiohttp.ClientSession) -> None:
        places = iter(range(len(self.bodies)))
        await asyncio.gather(*(self._client(session, places) for _ in range(self.plan.clients)))

    async def _client(self, session: aiohttp.ClientSession, places: Iterator[int]) -> None:
        for place in places:
            if self.now > self.plan.seconds:
                return
            await self._ask(session, place, self.now)

    async def _ask(self, session: aiohttp.ClientSession, place: int, due: float) -> None:
        status, headers, body, fault = NO_ANSWER, {}, b"", ""
        try:
            async with session.post(
                self.plan.url,
                data=self.bodies[place],
                headers={"Content-Type": "image/png", "Accept": "application/json"},
            ) as response:
                body = await response.read()
                status, headers = response.status, dict(response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            fault = type(error).__name__
        ended = self.now
        self.late += ended - due > self.plan.overdue
        answer = _parsed(body)
        self.samples.append(
            Sample(
                number=self.plan.numbers[place],
                due=due,
                ended=ended,
                status=status,
                probability=answer.get("probability"),
                outcome=answer.get("outcome"),
                whole=not answer.get("degraded", False),
                retry_after="Retry-After" in headers,
                fault=fault,
            )
        )


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
