from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from service.flow.single_flight import Found, SingleFlightCache

pytestmark = pytest.mark.anyio


class Maker:
    """Makes numbers, one after another, once told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.made = 0
        self.broken_off = 0
        self.go = asyncio.Event()
        self._error = error

    async def __call__(self) -> int:
        self.made += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        if self._error is not None:
            raise self._error
        return self.made


def cache(
    counted: list[Found], most: int = 8, current: Callable[[int], bool] = lambda _: True
) -> SingleFlightCache[int]:
    return SingleFlightCache(most, 600, current, counted.append)


def asking(
    memory: SingleFlightCache[int], make: Callable[[], Awaitable[int]], digest: str = "a"
) -> asyncio.Task[int]:
    return asyncio.create_task(memory.get(digest, make))


async def test_who_asks_meanwhile_waits_for_the_same_and_who_asks_later_gets_it_again() -> None:
    counted: list[Found] = []
    memory, make = cache(counted), Maker()
    tasks = [asking(memory, make) for _ in range(3)]
    await asyncio.sleep(0)
    make.go.set()
    assert await asyncio.gather(*tasks) == [1, 1, 1]
    assert await memory.get("a", make) == 1
    assert await memory.get("b", make) == 2
    assert counted == ["miss", "joined", "joined", "hit", "miss"]


async def test_what_is_no_longer_current_is_made_anew() -> None:
    counted: list[Found] = []
    good = {1, 2}
    memory, make = cache(counted, current=good.__contains__), Maker()
    make.go.set()
    await memory.get("a", make)
    good.remove(1)
    assert await memory.get("a", make) == 2
    assert counted == ["miss", "miss"]


async def test_what_must_not_be_kept_is_shared_and_then_gone() -> None:
    memory, make = cache([], current=lambda _: False), Maker()
    first, second = asking(memory, make), asking(memory, make)
    await asyncio.sleep(0)
    make.go.set()
    assert await asyncio.gather(first, second) == [1, 1]
    assert await memory.get("a", make) == 2


async def test_an_error_is_everybody_s_and_is_not_kept() -> None:
    memory, make = cache([]), Maker(ValueError("bad"))
    first, second = asking(memory, make), asking(memory, make)
    make.go.set()
    found = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(one) for one in found] == [ValueError, ValueError]
    assert make.made == 1
    with pytest.raises(ValueError, match="bad"):
        await memory.get("a", make)


async def test_the_work_ends_with_the_last_who_waits_for_it() -> None:
    memory, make = cache([]), Maker()
    first, second = asking(memory, make), asking(memory, make)
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    assert make.broken_off == 0
    second.cancel()
    await asyncio.sleep(0.01)
    assert make.broken_off == 1
    make.go.set()
    assert await memory.get("a", make) == 2


async def test_it_is_bounded_and_can_be_switched_off() -> None:
    make = Maker()
    make.go.set()
    small, off = cache([], most=2), cache([], most=0)
    for digest in ("a", "b", "c"):
        await small.get(digest, make)
    assert await small.get("c", make) == 3
    assert await small.get("a", make) == 4
    assert await off.get("a", make) == 5
    assert await off.get("a", make) == 6
