"""Who gives way when more is on its way in than there is room for."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from listener import uploads
from listener.uploads import CrowdedError, DisplacedError, Uploads

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(uploads, "WINDOW_SECONDS", 0.1)


class Sender:
    """What a server would hand over: pieces as they are put in."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[Message] = asyncio.Queue()

    def send(self, size: int, *, last: bool = False) -> None:
        self.pieces.put_nowait({"type": "http.request", "body": bytes(size), "more_body": not last})

    async def __call__(self) -> Message:
        return await self.pieces.get()


async def test_the_slowest_gives_way_also_while_it_says_nothing() -> None:
    room = Uploads(1000, 10)
    slow, quick, new = Sender(), Sender(), Sender()
    first, second = room.enter(), room.enter()
    slow.send(400)
    await room.receive(first, slow)
    waiting = asyncio.ensure_future(room.receive(first, slow))
    for _ in range(5):
        await asyncio.sleep(0.06)
        quick.send(60)
        await room.receive(second, quick)
    third = room.enter()
    new.send(500)
    await room.receive(third, new)
    with pytest.raises(DisplacedError):
        await waiting
    assert room.held == 800
    with pytest.raises(DisplacedError):
        await room.receive(first, slow)
    quick.send(10)
    await room.receive(second, quick)


async def test_whoever_is_slowest_itself_is_refused() -> None:
    room = Uploads(1000, 10)
    slow, quick = Sender(), Sender()
    first, second = room.enter(), room.enter()
    slow.send(10)
    await room.receive(first, slow)
    for _ in range(4):
        await asyncio.sleep(0.06)
        quick.send(240)
        await room.receive(second, quick)
    slow.send(100)
    with pytest.raises(CrowdedError):
        await room.receive(first, slow)
    room.leave(first)
    assert (len(room), room.held) == (1, 960)


async def test_what_is_complete_or_has_just_begun_keeps_its_room() -> None:
    room = Uploads(1000, 10)
    done, new, other = Sender(), Sender(), Sender()
    first = room.enter()
    done.send(600, last=True)
    await room.receive(first, done)
    await asyncio.sleep(0.15)
    second, third = room.enter(), room.enter()
    new.send(300)
    await room.receive(second, new)
    other.send(200)
    with pytest.raises(CrowdedError):
        await room.receive(third, other)
    room.leave(first)
    other.send(200)
    await room.receive(third, other)
    assert room.held == 500


async def test_no_more_than_so_many_at_a_time() -> None:
    room = Uploads(1000, 2)
    first, second = room.enter(), room.enter()
    quick = Sender()
    quick.send(100)
    await room.receive(second, quick)
    with pytest.raises(CrowdedError):
        room.enter()
    await asyncio.sleep(0.15)
    room.enter()
    assert len(room) == 2
    with pytest.raises(DisplacedError):
        await room.receive(first, Sender())
