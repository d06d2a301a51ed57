from __future__ import annotations

import asyncio

import pytest

from service.flow.priority import Priority, PrioritySemaphore

pytestmark = pytest.mark.anyio


async def test_persons_get_the_next_slot_and_batches_the_one_after() -> None:
    semaphore = PrioritySemaphore(1, max_deferral=600)
    order: list[str] = []

    async def hold(name: str, priority: Priority) -> None:
        async with semaphore.hold(priority):
            order.append(name)
            await asyncio.sleep(0)

    async with semaphore.hold(Priority.PERSON):
        tasks = [
            asyncio.create_task(hold("batch 1", Priority.BULK)),
            asyncio.create_task(hold("batch 2", Priority.BULK)),
            asyncio.create_task(hold("person 1", Priority.PERSON)),
            asyncio.create_task(hold("person 2", Priority.PERSON)),
        ]
        await asyncio.sleep(0.01)
        assert order == []
    await asyncio.gather(*tasks)
    assert order == ["person 1", "person 2", "batch 1", "batch 2"]


async def test_a_slot_is_never_lost_to_one_who_left() -> None:
    semaphore = PrioritySemaphore(1, max_deferral=600)
    async with semaphore.hold(Priority.PERSON):
        leaving = asyncio.create_task(semaphore.hold(Priority.PERSON).__aenter__())
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(semaphore.hold(Priority.PERSON).__aenter__())
        await asyncio.sleep(0.01)
        leaving.cancel()
    async with asyncio.timeout(10):
        await waiting


async def test_a_slot_given_in_the_moment_of_leaving_goes_on_to_the_next() -> None:
    semaphore = PrioritySemaphore(1, max_deferral=600)
    first = semaphore.hold(Priority.PERSON)
    await first.__aenter__()
    leaving = asyncio.create_task(semaphore.hold(Priority.PERSON).__aenter__())
    await asyncio.sleep(0.01)
    await first.__aexit__(None, None, None)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    async with asyncio.timeout(10), semaphore.hold(Priority.BULK):
        pass
