from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from service.flow.batching import DynamicBatcher, PendingItem
from service.flow.deadline import Deadline
from service.flow.priority import Priority

pytestmark = pytest.mark.anyio

SOON = 600.0


class Doubling:
    """The other side: doubles each number once told to go, and keeps what came together."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.go = asyncio.Event()
        self.asked = asyncio.Event()
        self.broken_off = 0

    async def __call__(self, batch: Sequence[PendingItem[int, int]]) -> Sequence[int | Exception]:
        self.calls.append([pending.item for pending in batch])
        self.asked.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        return [ValueError("odd") if w.item % 2 else 2 * w.item for w in batch]


def opened(
    send: Any, *, most: int = 4, calls: int = 1, deferral: float = 600, seconds: float = SOON
) -> Any:
    return DynamicBatcher(
        send, max_items=most, max_calls=calls, max_deferral=deferral, target_seconds=seconds
    )


def asking(
    batcher: Any, *items: int, priority: Priority = Priority.PERSON, seconds: float = SOON
) -> list[asyncio.Task[int]]:
    deadline = Deadline.after(seconds)
    return [asyncio.create_task(batcher(item, deadline, priority)) for item in items]


async def test_what_waits_during_a_call_goes_together_in_the_next() -> None:
    send = Doubling()
    batcher = opened(send)
    first = asking(batcher, 0)
    await send.asked.wait()
    later = asking(batcher, 2, 4, 6, 8, 10)
    await asyncio.sleep(0)
    send.go.set()

    assert await asyncio.gather(*first, *later) == [0, 4, 8, 12, 16, 20]
    assert send.calls == [[0], [2, 4, 6, 8], [10]]


async def test_alone_nobody_waits_for_company() -> None:
    send = Doubling()
    send.go.set()

    assert await opened(send)(2, Deadline.after(SOON), Priority.PERSON) == 4


async def test_one_s_error_is_no_other_s() -> None:
    send = Doubling()
    send.go.set()

    found = await asyncio.gather(*asking(opened(send), 2, 3, 4), return_exceptions=True)

    assert [found[0], type(found[1]), found[2]] == [4, ValueError, 8]


async def test_an_error_of_the_call_is_everybody_s() -> None:
    async def refuse(_: object) -> Sequence[int]:
        raise OSError("no")

    found = await asyncio.gather(*asking(opened(refuse), 2, 4), return_exceptions=True)

    assert [type(one) for one in found] == [OSError, OSError]


async def test_persons_go_before_batches_that_came_first() -> None:
    send = Doubling()
    batcher = opened(send, most=2)
    tasks = asking(batcher, 0)
    await send.asked.wait()
    tasks += asking(batcher, 2, 4, priority=Priority.BULK)
    await asyncio.sleep(0)
    tasks += asking(batcher, 6, 8)
    await asyncio.sleep(0)
    send.go.set()
    await asyncio.gather(*tasks)

    assert send.calls == [[0], [6, 8], [2, 4]]


async def test_a_batch_s_patience_has_an_end() -> None:
    send = Doubling()
    batcher = opened(send, most=1, deferral=0.0)
    tasks = asking(batcher, 0)
    await send.asked.wait()
    tasks += asking(batcher, 2, priority=Priority.BULK)
    await asyncio.sleep(0)
    tasks += asking(batcher, 4)
    await asyncio.sleep(0)
    send.go.set()
    await asyncio.gather(*tasks)

    assert send.calls == [[0], [2], [4]]


async def test_whose_time_is_up_is_not_sent_any_more() -> None:
    send = Doubling()
    batcher = opened(send)
    first = asking(batcher, 0)
    await send.asked.wait()
    (late,) = asking(batcher, 2, seconds=0.01)
    with pytest.raises(TimeoutError):
        await late
    send.go.set()
    await asyncio.gather(*first)
    await asyncio.sleep(0)

    assert send.calls == [[0]]


async def test_a_call_is_broken_off_when_the_last_who_waits_is_gone() -> None:
    send = Doubling()
    batcher = opened(send)
    staying, leaving = asking(batcher, 0, 2)
    await send.asked.wait()
    leaving.cancel()
    await asyncio.sleep(0.01)
    assert send.broken_off == 0
    staying.cancel()
    async with asyncio.timeout(10):
        while not send.broken_off:  # noqa: ASYNC110 - the toy has no event for it
            await asyncio.sleep(0.001)
    send.go.set()

    assert await asking(batcher, 4)[0] == 8


async def test_all_that_wait_can_be_told_at_once() -> None:
    send = Doubling()
    batcher = opened(send)
    tasks = asking(batcher, 0)
    await send.asked.wait()
    tasks += asking(batcher, 2)
    await asyncio.sleep(0)
    batcher.fail(OSError("gone"))
    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(one) for one in found] == [OSError, OSError]
    send.go.set()
    assert await asking(batcher, 4)[0] == 8


async def test_closing_breaks_off_what_is_on_its_way() -> None:
    send = Doubling()
    batcher = opened(send)
    (task,) = asking(batcher, 0)
    await send.asked.wait()
    await batcher.close()

    with pytest.raises(asyncio.CancelledError):
        await task


class Working:
    """The other side: takes its time for each number, by a clock that is ours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float, once: float = 0.0) -> None:
        self.sizes: list[int] = []
        self._seconds = seconds
        self._once = once
        self._now = 0.0
        monkeypatch.setattr("service.flow.batching.time.monotonic", lambda: self._now)

    async def __call__(self, batch: Sequence[PendingItem[int, int]]) -> Sequence[int | Exception]:
        self.sizes.append(len(batch))
        await asyncio.sleep(0)
        self._now += self._once + self._seconds * len(batch)
        return [pending.item for pending in batch]


async def test_a_call_takes_no_longer_than_told(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Working(monkeypatch, seconds=0.1)
    batcher = opened(send, most=8, seconds=0.3)
    await asyncio.gather(*asking(batcher, 0))
    await asyncio.gather(*asking(batcher, *range(10)))
    assert send.sizes == [1, 3, 3, 3, 1]


async def test_what_takes_longer_than_told_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Working(monkeypatch, seconds=2.0)
    batcher = opened(send, most=8, seconds=0.3)
    await asyncio.gather(*asking(batcher, 0))
    await asyncio.gather(*asking(batcher, 1, 2, 3))
    assert send.sizes == [1, 1, 1, 1]


async def test_where_company_costs_nothing_calls_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Working(monkeypatch, seconds=0.0, once=0.1)
    batcher = opened(send, most=8, seconds=0.3)
    await asyncio.gather(*asking(batcher, 0))
    await asyncio.gather(*asking(batcher, *range(60)))
    assert send.sizes[1] == 3
    assert send.sizes[-2] == 8
