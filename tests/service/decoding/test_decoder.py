from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from models.image.errors import CorruptFileError, DecoderError, ScanError, TooExpensiveError
from service.decoding import Allowance, BusyError, Decoder
from service.decoding.decoder import quick
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from tests.service.decoding import calls

MIB = 2**20

pytestmark = pytest.mark.anyio

Ended = Counter[tuple[str, str]]


@pytest.fixture
def ended() -> Ended:
    return Counter()


@pytest.fixture
async def decoder(ended: Ended) -> AsyncIterator[Decoder]:
    async with Decoder(
        calls.load,
        calls.KNOWN,
        places=2,
        max_deferral=2.0,
        longest=Allowance(1.5, 200 * MIB),
        ended=lambda lane, reason: ended.update([(lane, reason)]),
    ) as opened:
        yield opened


async def run(
    decoder: Decoder, function: object, *arguments: object, seconds: float = 60.0
) -> object:
    return await decoder.run(
        function,  # type: ignore[arg-type]
        *arguments,
        deadline=Deadline.after(seconds),
        priority=Priority.PERSON,
    )


async def test_what_is_too_long_for_the_quick_lane_goes_on_in_the_long_one(
    decoder: Decoder, ended: Ended
) -> None:
    assert await run(decoder, calls.busy, 0.6)
    assert ended == {("quick", "time"): 1}


async def test_what_is_too_large_for_the_quick_lane_goes_on_in_the_long_one(
    decoder: Decoder, ended: Ended
) -> None:
    assert await run(decoder, calls.hold, 150)
    assert ended == {("quick", "memory"): 1}


async def test_the_quick_lane_allows_a_quarter_of_what_the_long_one_does(ended: Ended) -> None:
    async with Decoder(
        calls.load,
        calls.KNOWN,
        places=1,
        max_deferral=2.0,
        longest=Allowance(1.5, 100 * MIB),
        ended=lambda lane, reason: ended.update([(lane, reason)]),
    ) as opened:
        assert await run(opened, calls.hold, 20)
        assert not ended
        assert await run(opened, calls.hold, 40)
        assert ended == {("quick", "memory"): 1}


def test_the_quick_lane_never_allows_more_than_96_mib() -> None:
    assert quick(Allowance(4.0, 384 * MIB)).memory == 96 * MIB
    assert quick(Allowance(4.0, 4096 * MIB)).memory == 96 * MIB


async def test_past_the_limits_it_is_refused_and_told_which(decoder: Decoder, ended: Ended) -> None:
    with pytest.raises(TooExpensiveError, match=r"than 1\.5 seconds of a processor; 1\.5 are"):
        await run(decoder, calls.compute)
    with pytest.raises(TooExpensiveError, match="more than 200 MiB of memory; 200 MiB are allowed"):
        await run(decoder, calls.everything)
    assert ended[("long", "time")] == ended[("long", "memory")] == 1


async def test_a_decoder_that_got_no_memory_does_not_make_the_file_damaged(
    decoder: Decoder, ended: Ended
) -> None:
    """The quick lane does not believe it, and the long one only of who had memory left."""
    with pytest.raises(DecoderError):
        await run(decoder, calls.give_up, 10)
    with pytest.raises(TooExpensiveError):
        await run(decoder, calls.give_up, 150)
    assert ended == {("quick", "memory"): 1, ("long", "memory"): 1}
    with pytest.raises(CorruptFileError, match="It is damaged"):
        await run(decoder, calls.refuse)


async def test_a_decoder_that_breaks_off_is_told(decoder: Decoder, ended: Ended) -> None:
    with pytest.raises(ScanError, match="broke off") as raised:
        await run(decoder, calls.crash)
    assert raised.value.code == "unreadable_scan"
    assert ended == {("quick", "died"): 1, ("long", "died"): 1}


async def test_who_came_too_late_is_not_blamed(decoder: Decoder) -> None:
    with pytest.raises(BusyError):
        await run(decoder, calls.for_ever, seconds=0.3)
    with pytest.raises(BusyError):
        await run(decoder, calls.compute, seconds=1.0)


async def test_costly_files_wait_for_each_other_and_others_do_not(decoder: Decoder) -> None:
    costly = [asyncio.create_task(run(decoder, calls.compute)) for _ in range(4)]
    await asyncio.sleep(0.05)
    for _ in range(5):
        await run(decoder, calls.sleep, 0.0)
    # Each of them takes the long lane's second and a half, one after the other.
    assert sum(call.done() for call in costly) < 3
    for call in costly:
        call.cancel()
    await asyncio.gather(*costly, return_exceptions=True)
