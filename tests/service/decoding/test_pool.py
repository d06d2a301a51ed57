from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

import psutil
import pytest

from models.image.errors import CorruptFileError
from service.decoding.pool import (
    Allowance,
    BugError,
    DiedError,
    OutOfMemoryError,
    OutOfTimeError,
    OverdueError,
    Pool,
    RaisedError,
)
from tests.service.decoding import calls

ENOUGH: Any = {"limits": Allowance(20.0, 64 * 2**20), "within": 20.0}
"""No call here takes so long; a machine may."""

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Pool]:
    async with Pool(calls.load, calls.KNOWN, spare=2) as opened:
        yield opened


def running(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def ends(process: int) -> None:
    async with asyncio.timeout(20):
        while running(process):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


async def settled(pool: Pool, workers: int) -> None:
    async with asyncio.timeout(20):
        while len(pool.processes) < 1 + workers:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("length", [0, 10, 100_000, 5_000_000])
async def test_bytes_and_arrays_travel_both_ways(pool: Pool, length: int) -> None:
    data = os.urandom(length)
    answer = await pool.run(calls.echo, data, **ENOUGH)
    assert answer.data == data
    assert answer.array.tobytes() == data
    assert answer.process != os.getpid()


async def test_a_worker_is_kept(pool: Pool) -> None:
    await settled(pool, 2)
    before = pool.processes
    used = {(await pool.run(calls.echo, b"", **ENOUGH)).process for _ in range(5)}
    assert used < set(before)
    assert sorted(pool.processes) == sorted(before)


async def test_calls_at_the_same_time_have_a_worker_each(pool: Pool) -> None:
    used = await asyncio.gather(*(pool.run(calls.sleep, 0.3, **ENOUGH) for _ in range(4)))
    assert len(set(used)) == 4


@pytest.mark.parametrize(
    ("call", "within", "raises"),
    [
        (calls.compute, 20.0, pytest.raises(OutOfTimeError)),
        (calls.for_ever, 0.3, pytest.raises(OverdueError)),
    ],
    ids=["processor", "clock"],
)
async def test_a_call_past_its_time_is_ended(
    pool: Pool, call: Callable[[], None], within: float, raises: AbstractContextManager[Any]
) -> None:
    await settled(pool, 2)
    before = set(pool.processes)
    started = time.monotonic()
    with raises:
        await pool.run(call, limits=Allowance(0.2, 64 * 2**20), within=within)
    assert time.monotonic() - started < 10
    (gone,) = before - set(pool.processes)
    await ends(gone)
    await settled(pool, 2)


async def test_memory_is_bounded_and_comes_back(pool: Pool) -> None:
    await pool.run(calls.hold, 40, **ENOUGH)
    # The limit is of each call, not of what earlier ones of this worker held.
    await pool.run(calls.hold, 40, **ENOUGH)
    with pytest.raises(OutOfMemoryError):
        await pool.run(calls.hold, 70, **ENOUGH)
    await pool.run(calls.hold, 70, limits=Allowance(20.0, 128 * 2**20), within=20.0)


@pytest.mark.skipif(sys.platform != "linux", reason="as glibc gives it back")
async def test_a_worker_that_is_kept_gives_back_what_it_held_in_pieces() -> None:
    """Of a size that the allocator keeps by itself."""
    async with Pool(calls.load, calls.KNOWN, spare=1) as pool:
        process = psutil.Process(await pool.run(calls.pieces, 0, **ENOUGH))
        before = process.memory_info().rss
        assert await pool.run(calls.pieces, 14, **ENOUGH) == process.pid
        async with asyncio.timeout(20):
            while process.memory_info().rss > before + 4 * 2**20:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.01)


async def test_waiting_takes_no_time_of_a_processor(pool: Pool) -> None:
    """On a busy machine an ordinary file is not taken for a costly one."""
    assert await pool.run(calls.sleep, 0.5, limits=Allowance(0.2, 64 * 2**20), within=20.0)


async def test_a_worker_that_crashes_takes_nobody_with_it(pool: Pool) -> None:
    other = asyncio.create_task(pool.run(calls.sleep, 0.3, **ENOUGH))
    with pytest.raises(DiedError):
        await pool.run(calls.crash, **ENOUGH)
    with pytest.raises(OutOfMemoryError):
        await pool.run(calls.killed, **ENOUGH)
    assert await other
    assert await pool.run(calls.sleep, 0, **ENOUGH)


async def test_known_exceptions_are_raised_and_others_told_without_their_message(
    pool: Pool,
) -> None:
    with pytest.raises(RaisedError) as raised:
        await pool.run(calls.refuse, **ENOUGH)
    assert isinstance(raised.value.error, CorruptFileError)
    assert str(raised.value.error) == "It is damaged."
    with pytest.raises(BugError, match=r"builtins\.KeyError at .*fail:\d+") as bug:
        await pool.run(calls.fail, **ENOUGH)
    assert "SECRET" not in str(bug.value)


async def test_nothing_else_than_agreed_is_taken_from_a_worker(pool: Pool) -> None:
    with pytest.raises(BugError, match="not agreed on"):
        await pool.run(calls.foreign, **ENOUGH)


async def test_whoever_goes_away_takes_the_worker_along(pool: Pool) -> None:
    await settled(pool, 2)
    before = set(pool.processes)
    call = asyncio.create_task(pool.run(calls.for_ever, **ENOUGH))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    (gone,) = before - set(pool.processes)
    await ends(gone)
    await settled(pool, 2)


async def test_alone_is_in_a_new_worker_that_is_not_kept(pool: Pool) -> None:
    await settled(pool, 2)
    used = {await pool.run(calls.sleep, 0, **ENOUGH, alone=True) for _ in range(3)}
    assert len(used) == 3
    await settled(pool, 2)
    assert not used & set(pool.processes)


async def test_a_fork_server_that_dies_is_started_again() -> None:
    async with Pool(calls.load, calls.KNOWN, spare=1) as pool:
        server, worker = pool.processes
        os.kill(server, signal.SIGKILL)
        await ends(worker)
        with pytest.raises((DiedError, OutOfMemoryError)):
            await pool.run(calls.sleep, 0, **ENOUGH)
        used = await pool.run(calls.sleep, 0, **ENOUGH)
        assert used not in (server, worker)


async def test_a_stop_signal_to_the_group_leaves_workers_at_work() -> None:
    """A supervisor ends its group; what is in flight is still to be answered."""
    async with Pool(calls.load, calls.KNOWN, spare=1) as pool:
        call = asyncio.create_task(pool.run(calls.sleep, 0.5, **ENOUGH))
        await asyncio.sleep(0.1)
        children = psutil.Process().children(recursive=True)
        for process in children:
            for number in (signal.SIGTERM, signal.SIGINT):
                process.send_signal(number)
        assert await call in {process.pid for process in children}


async def test_closing_ends_every_process_even_of_calls_in_flight() -> None:
    async with Pool(calls.load, calls.KNOWN, spare=2) as pool:
        call = asyncio.create_task(pool.run(calls.for_ever, **ENOUGH))
        await asyncio.sleep(0.1)
        started = set(pool.processes)
        started |= {process.pid for process in psutil.Process(min(started)).children()}
    assert not any(map(running, started))
    with pytest.raises((DiedError, OutOfMemoryError)):
        await call
    with pytest.raises(DiedError):
        await pool.run(calls.sleep, 0, **ENOUGH)


async def test_a_fork_server_that_cannot_start_says_so() -> None:
    with pytest.raises(DiedError):
        async with Pool(calls.fail, calls.KNOWN, spare=1):  # type: ignore[arg-type]
            raise AssertionError
