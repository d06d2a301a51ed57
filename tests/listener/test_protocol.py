"""A listener before a toy application, and clients that no library would be."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import psutil
import pytest
from starlette.types import Receive, Scope, Send

from listener import protocol
from listener.door import Door
from listener.limits import Limits
from listener.protocol import PIPELINED
from listener.server import Server
from tests.listener.clients import Client, connected, ended

pytestmark = pytest.mark.anyio

SHORT = Limits(
    head_seconds=0.6,
    body_bytes_per_second=1000,
    body_pause_seconds=0.6,
    answer_pause_seconds=0.6,
    keep_alive_seconds=0.6,
    connections=40,
    connections_per_address=30,
)
LATE = 10.0
"""Seconds in which each must be over that may take 0.6 and a sweep: a bound on a machine in use."""

LIVE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Toy:
    """Answers how many bytes came; ``/large`` with more than any buffer holds, ``/held`` late,
    ``/leaving`` when its client has left."""

    port: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    server: Server | None = None
    inside: int = 0
    left: int = 0
    paths: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        self.inside += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self.inside -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/early":
            await self._say(send, b"no need to send it")
            return
        count = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left += 1
                return
            count += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        if scope["path"] == "/leaving":
            await receive()
            self.left += 1
            return
        if scope["path"] == "/held":
            await asyncio.sleep(1.5)
        if scope["path"] == "/large":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(400):
                await send({"type": "http.response.body", "body": bytes(2**16), "more_body": True})
        await self._say(send, str(count).encode())

    @staticmethod
    async def _say(send: Send, content: bytes) -> None:
        length = str(len(content)).encode()
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def listening(limits: Limits = SHORT) -> AsyncIterator[Toy]:
    toy = Toy()

    def count(reason: str) -> None:
        toy.reasons[reason] += 1

    server = Server(toy, Door(limits, count), host="127.0.0.1", port=0, lifespan="off")
    toy.server = server
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    toy.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield toy
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


@pytest.fixture(scope="module")
async def toy() -> AsyncIterator[Toy]:
    async with listening() as opened:
        yield opened


async def one_more_byte(client: Client) -> None:
    await client.trickle(b"x", 0.1)


async def new_lines(client: Client) -> None:
    await client.trickle(b"\r\n", 0.1)


async def a_chunk_now_and_then(client: Client) -> None:
    await client.trickle(b"1\r\nx\r\n", 0.1)


async def reads_nothing(client: Client) -> None:
    # The reader's own buffer fills up, and from then on the kernel's.
    client.reader._transport.pause_reading()  # type: ignore[attr-defined]


SLOW = {
    "says nothing": (b"", None, None, "silent"),
    "half a line": (b"GET / HT", None, 408, "head_timeout"),
    "half a header": (b"GET / HTTP/1.1\r\nHost: a\r\nX-", None, 408, "head_timeout"),
    "a byte of a header now and then": (
        b"GET / HTTP/1.1\r\nHost: a\r\nX-", one_more_byte, 408, "head_timeout",
    ),
    "empty lines before a request": (b"\r\n", new_lines, None, "silent"),
    "no body": (POST, None, 408, "upload_timeout"),
    "half a body": (POST + bytes(50_000), None, 408, "upload_timeout"),
    "a byte of a body now and then": (POST, one_more_byte, 408, "upload_timeout"),
    "a chunk now and then": (CHUNKED, a_chunk_now_and_then, 408, "upload_timeout"),
    "half a size of a chunk": (CHUNKED + b"5\r\nhello\r\n1", None, 408, "upload_timeout"),
    "nothing after an answer": (LIVE, None, 200, None),
    "empty lines after an answer": (LIVE, new_lines, 200, "silent"),
    "half a request after an answer": (LIVE + b"GET /", None, 408, "head_timeout"),
    "a body after its answer": (POST.replace(b"/ ", b"/early ", 1), one_more_byte, 200, None),
}  # fmt: skip


@pytest.mark.parametrize("kind", SLOW)
async def test_slow_and_silent_clients_are_ended_while_others_are_served(
    toy: Toy, kind: str
) -> None:
    first, going_on, status, reason = SLOW[kind]
    toy.reasons.clear()
    slow = asyncio.ensure_future(ended(toy.port, first, going_on))
    served, longest = 0, 0.0
    while not slow.done():
        begun = time.monotonic()
        async with connected(toy.port) as other:
            await other.send(LIVE)
            assert await other.reader.readuntil(b"\r\n\r\n0")
        longest = max(longest, time.monotonic() - begun)
        served += 1
        await asyncio.sleep(0.02)
    answer = await slow
    assert answer.seconds < LATE
    assert answer.status == status
    if status == 408:
        assert answer.problem["code"] == reason
    if reason is not None:
        assert toy.reasons[reason] == 1
    assert served > 5
    assert longest < 5


async def test_a_client_that_takes_nothing_of_its_answer_is_left(toy: Toy) -> None:
    toy.reasons.clear()
    async with connected(toy.port) as client:
        await reads_nothing(client)
        await client.send(LIVE.replace(b"/ ", b"/large ", 1))
        async with asyncio.timeout(LATE):
            while not toy.reasons["unread"] or toy.inside:  # noqa: ASYNC110 - any state, so no event
                await asyncio.sleep(0.02)


async def test_an_answer_may_take_longer_than_any_pause(toy: Toy) -> None:
    async with connected(toy.port) as client:
        await client.send(LIVE.replace(b"/ ", b"/held ", 1) + b"\r\n")
        assert b"200 OK" in await client.reader.readuntil(b"\r\n\r\n0")


async def test_a_body_that_comes_steadily_may_take_longer_than_any_pause(toy: Toy) -> None:
    async with connected(toy.port) as client:
        await client.send(POST)
        for _ in range(20):
            await client.send(bytes(5000))
            await asyncio.sleep(0.1)
        assert await client.reader.readuntil(b"\r\n\r\n100000")


EARLY = POST.replace(b"/ ", b"/early ", 1)


@pytest.mark.parametrize("connection", [b"keep-alive", b"close"])
async def test_a_client_that_sends_its_body_behind_the_answer_to_it_reads_that(
    toy: Toy, connection: bytes
) -> None:
    async with connected(toy.port) as client:
        await client.send(EARLY.replace(b"\r\n", b"\r\nConnection: " + connection + b"\r\n", 1))
        for _ in range(30):
            await asyncio.sleep(0.1)
            assert await client.send(bytes(3000))
        await client.send(bytes(10_000) + LIVE)
        answer = await client.until_end()
        assert not answer.reset
        assert b"no need to send it" in answer.data
        # The next request on it is answered, where it is kept.
        assert answer.data.count(b"200 OK") == (2 if connection == b"keep-alive" else 1)


async def test_a_body_without_end_ends_some_time_behind_its_answer(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LEFTOVER_SECONDS", 1.0)

    async def going_on(client: Client) -> None:
        await client.trickle(b"4000\r\n" + bytes(0x4000) + b"\r\n", 0.05)

    answer = await ended(toy.port, CHUNKED.replace(b"/ ", b"/early ", 1), going_on)
    assert answer.status == 200
    assert 0.9 < answer.seconds < LATE


async def test_a_connection_whose_answered_body_still_comes_makes_room_for_another() -> None:
    one = replace(SHORT, connections=1, body_pause_seconds=60.0)
    async with listening(one) as toy, connected(toy.port) as first:
        await first.send(EARLY)
        assert await first.reader.readuntil(b"send it")
        async with connected(toy.port) as second:
            await second.send(LIVE)
            assert await second.reader.readuntil(b"\r\n\r\n0")
        assert toy.reasons["displaced"] == 1


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"a%d: b\r\n" % i for i in range(101)),
        b"X: " + bytes(20_000).replace(b"\0", b"y") + b"\r\n",
        b"".join(b"a%d: b\r\n" % i for i in range(500_000)),
        b"X: " + b"y" * 20_000_000 + b"\r\n",
        b"y" * 20_000_000,
        b"Cookie: " + b'a="\\"' * 8000 + b"\r\n",
    ],
    ids=["many", "long", "very many", "very long", "a name without end", "a cookie"],
)
async def test_heads_that_are_too_large_are_told_so_and_not_kept(toy: Toy, head: bytes) -> None:
    toy.reasons.clear()
    answer = await ended(toy.port, b"GET / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n")
    assert toy.reasons["head_too_large"] == 1
    # Whoever goes on sending megabytes may find the connection reset before it reads the answer.
    if len(head) < 1_000_000:
        assert answer.status == 431
        assert answer.problem["code"] == "head_too_large"


async def test_a_path_that_is_too_long_is_told_so(toy: Toy) -> None:
    answer = await ended(toy.port, b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (answer.status, answer.problem["code"]) == (431, "head_too_large")


@pytest.mark.parametrize(
    "rest",
    [
        b"1;" + b"e" * 900_000 + b"\r\nx\r\n0\r\n\r\n",
        b"1\r\nx\r\n0\r\n" + b"".join(b"a%d: b\r\n" % i for i in range(200)) + b"\r\n",
        b"1\r\nx\r\n0\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["extension of a chunk", "trailers", "a trailer"],
)
async def test_what_stands_around_a_body_is_bounded_too(toy: Toy, rest: bytes) -> None:
    answer = await ended(toy.port, CHUNKED + rest)
    assert (answer.status, answer.problem["code"]) == (431, "head_too_large")


async def test_a_small_trailer_is_no_header(toy: Toy) -> None:
    async with connected(toy.port) as client:
        await client.send(CHUNKED + b"1\r\nx\r\n0\r\nX: y\r\n\r\n")
        assert await client.reader.readuntil(b"\r\n\r\n1")


async def test_memory_does_not_stay_after_a_flood_of_heads() -> None:
    many = b"".join(b"a%d: b\r\n" % i for i in range(300_000))
    async with listening() as toy:
        await ended(toy.port, LIVE + b"GET / HTTP/1.1\r\n" + many)
        before = psutil.Process().memory_info().rss
        for _ in range(20):
            await ended(toy.port, b"GET / HTTP/1.1\r\n" + many)
        assert toy.reasons["head_too_large"] == 21
        assert psutil.Process().memory_info().rss - before < 30 * 2**20


@pytest.mark.parametrize("path", [b"/held ", b"/large "])
async def test_an_answer_on_its_way_and_a_request_that_is_refused(
    toy: Toy, path: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ended(toy.port, LIVE.replace(b"/ ", path, 1) + LIVE + b"nonsense\r\n\r\n")
    assert answer.status in (200, 400, None)
    async with asyncio.timeout(LATE):
        while toy.inside:  # noqa: ASYNC110 - any state, so no event
            await asyncio.sleep(0.02)
    assert "Exception" not in caplog.text


async def test_whoever_answers_learns_that_the_client_left_with_more_requests_behind(
    toy: Toy,
) -> None:
    left = toy.left
    async with connected(toy.port) as client:
        await client.send(LIVE.replace(b"/ ", b"/leaving ", 1) + LIVE * 3)
        async with asyncio.timeout(LATE):
            while not toy.inside:  # noqa: ASYNC110 - any state, so no event
                await asyncio.sleep(0.02)
    async with asyncio.timeout(LATE):
        while toy.left == left or toy.inside:  # noqa: ASYNC110 - any state, so no event
            await asyncio.sleep(0.02)


async def test_requests_without_end_on_one_connection_do_not_pile_up(toy: Toy) -> None:
    toy.paths.clear()
    flood = LIVE.replace(b"/ ", b"/held ", 1) * 5000
    answer = await ended(toy.port, flood)
    assert (answer.status, answer.problem["code"]) == (400, "bad_request")
    assert len(toy.paths) <= PIPELINED + 2


async def test_a_few_requests_on_one_connection_are_answered_in_order(toy: Toy) -> None:
    bodies = b"".join(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (n, bytes(n))
        for n in (5, 70_000, 3)
    )
    answer = await ended(toy.port, bodies)
    assert [part[-5:].strip() for part in answer.data.split(b"HTTP/1.1 200 OK")[1:]] == [
        b"5", b"70000", b"3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "request_",
    [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n"],
    ids=["nonsense", "a version that is none", "an address that is none"],
)
async def test_what_is_no_request_is_a_problem(toy: Toy, request_: bytes) -> None:
    answer = await ended(toy.port, request_)
    assert (answer.status, answer.problem["code"]) == (400, "bad_request")


UPGRADE = (
    b"GET /results?name=SECRET HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


async def test_no_websocket_and_no_path_in_the_log(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    answer = await ended(toy.port, UPGRADE + b"Upgrade: websocket\r\n\r\n")
    assert (answer.status, answer.problem["code"]) == (400, "bad_request")
    assert "WebSocket" in answer.problem["detail"]
    assert "SECRET" not in caplog.text


async def test_another_protocol_is_not_taken_up(toy: Toy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    answer = await ended(toy.port, UPGRADE + b"Upgrade: h2c\r\n\r\n")
    assert answer.status == 200
    assert "SECRET" not in caplog.text
    body = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    answer = await ended(toy.port, body + b"Content-Length: 5\r\n\r\nhello")
    assert (answer.status, answer.problem["code"]) == (400, "bad_request")


async def test_a_new_client_takes_the_place_of_the_one_that_waited_longest(toy: Toy) -> None:
    toy.reasons.clear()
    async with connected(toy.port) as first, connected(toy.port) as second:
        await asyncio.sleep(0.05)
        others = [connected(toy.port) for _ in range(29)]
        opened = [await other.__aenter__() for other in others]
        await opened[-1].send(LIVE)
        assert await opened[-1].reader.readuntil(b"\r\n\r\n0")
        assert (await first.until_end()).data == b""
        assert toy.reasons["displaced"] == 1
        await second.send(LIVE)
        assert await second.reader.readuntil(b"\r\n\r\n0")
        for other in others:
            await other.__aexit__(None, None, None)


async def test_where_all_are_at_work_one_more_is_refused() -> None:
    limits = Limits(connections=3, connections_per_address=2)
    held = LIVE.replace(b"/ ", b"/held ", 1)
    async with listening(limits) as toy:
        async with connected(toy.port) as first, connected(toy.port) as second:
            await first.send(held)
            await second.send(held)
            async with asyncio.timeout(LATE):
                while toy.inside < 2:  # noqa: ASYNC110 - any state, so no event
                    await asyncio.sleep(0.01)
            answer = await ended(toy.port, LIVE)
            assert (answer.status, answer.problem["code"]) == (503, "too_many_connections")
            assert b"retry-after: 5" in answer.data
            # Another address has places left.
            async with connected(toy.port, "127.0.0.2") as other:
                await other.send(LIVE)
                assert await other.reader.readuntil(b"\r\n\r\n0")
            assert b"200 OK" in await first.reader.readuntil(b"\r\n\r\n0")
            assert b"200 OK" in await second.reader.readuntil(b"\r\n\r\n0")
        assert toy.server is not None
        async with asyncio.timeout(LATE):
            while len(toy.server.door):  # noqa: ASYNC110 - any state, so no event
                await asyncio.sleep(0.01)
