"""A whole front, and clients that hold what they can."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from listener.refusal import ALL
from service.http.problem_types import KINDS
from tests.listener.clients import Answer, Client, connected, ended
from tests.service.kit.batches import BATCHES, parts
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio

LATE = 20.0
"""Seconds in which what may take one must be over: a bound on a machine in use."""


@pytest.mark.parametrize("refusal", ALL, ids=lambda one: one.code)
def test_what_the_listener_says_stands_in_the_table(refusal: object) -> None:
    kind = KINDS[refusal.code]  # type: ignore[attr-defined]
    assert (kind.status, kind.title) == (refusal.status, refusal.title)  # type: ignore[attr-defined]


def post(path: str, length: int, content_type: str = "application/octet-stream") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n".encode()


def port(opened: Front) -> int:
    found = opened.client.base_url.port
    assert found is not None
    return found


PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


async def byte_by_byte(client: Client) -> None:
    await client.trickle(b"x", 0.1)


async def test_slow_uploads_end_while_scans_are_judged(var: Path, png: bytes) -> None:
    limits = {"body_pause_seconds": 2.0, "head_seconds": 2.0}
    async with running() as runners, front(var, runners, **limits) as opened:
        at = port(opened)
        slow = [
            asyncio.ensure_future(ended(at, first, byte_by_byte))
            for first in (
                post(API, 1_000_000),
                post("/", 1_000_000, "multipart/form-data; boundary=b") + PART,
                post(BATCHES, 1_000_000, "application/zip"),
                post("/bulk", 1_000_000, "multipart/form-data; boundary=b") + PART,
                post("/api/v1/considerations", 10_000, "application/json"),
                b"POST /api/v1/predictions HTTP/1.1\r\nHost: localhost\r\nX-",
            )
        ]
        while not all(one.done() for one in slow):
            assert (await opened.post(png)).status_code == 201
            await asyncio.sleep(0.05)
        answers: list[Answer] = await asyncio.gather(*slow)
        assert {answer.status for answer in answers} == {408}
        assert max(answer.seconds for answer in answers) < LATE
        codes = [answer.problem["code"] for answer in answers]
        assert codes == ["upload_timeout"] * 5 + ["head_timeout"]
        found = await opened.sample("osteoserve_connections_ended_total", reason="upload_timeout")
        assert found == 5


async def test_batches_that_trickle_in_keep_nobody_s_place(var: Path, png: bytes) -> None:
    async with (
        running() as runners,
        front(var, runners, bulk_batches=2) as opened,
        AsyncExitStack() as stack,
    ):
        for _ in range(6):
            client = await stack.enter_async_context(connected(port(opened)))
            await client.send(post(BATCHES, 1_000_000, "application/zip") + b"PK\x03\x04")
        await opened.settled(lambda: len(opened.server.door) >= 6)
        sent = await opened.client.post(BATCHES, files=parts(png))
        assert sent.status_code == 201


async def test_more_batches_on_their_way_than_there_is_room_for(var: Path, png: bytes) -> None:
    async with (
        running() as runners,
        front(var, runners, bulk_batches=1) as opened,
        AsyncExitStack() as stack,
    ):
        slow = []
        for _ in range(4):
            client = await stack.enter_async_context(connected(port(opened)))
            await client.send(post(BATCHES, 1_000_000, "application/zip") + b"PK\x03\x04")
            slow.append(asyncio.ensure_future(client.reader.readuntil(b"\r\n\r\n")))
        await asyncio.sleep(0.2)
        assert_problem(await opened.client.post(BATCHES, files=parts(png)), "too_many_uploads")
        # Once they have had their time, the slowest of them makes room.
        await asyncio.sleep(2.2)
        assert (await opened.client.post(BATCHES, files=parts(png))).status_code == 201
        first, others = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
        assert b" 503 " in next(iter(first)).result()
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def test_unfinished_uploads_hold_no_more_than_is_set(var: Path, png: bytes) -> None:
    """Thirty that stop one byte before their end, 4 MB each, with room for 16 MB."""
    size = 4_000_000
    limits = {"max_upload_bytes": 5_000_000, "unfinished_bytes": 16_000_000}
    async with running() as runners, front(var, runners, **limits) as opened:
        assert (await opened.post(png)).status_code == 201
        before = psutil.Process().memory_info().rss
        content = bytes(size)
        async with AsyncExitStack() as stack:
            slow = []
            for _ in range(30):
                client = await stack.enter_async_context(connected(port(opened)))
                await client.send(post(API, size + 1) + content)
                slow.append(asyncio.ensure_future(client.until_end()))
            begun = time.monotonic()
            status = 0
            while status != 201:
                assert time.monotonic() - begun < LATE
                status = (await opened.post(png)).status_code
                assert status in (201, 503)
            # What the front holds, and what these sockets and the test itself do.
            assert psutil.Process().memory_info().rss - before < 120_000_000
            for one in slow:
                one.cancel()
            await asyncio.gather(*slow, return_exceptions=True)


async def test_a_cookie_costs_what_it_is_long(var: Path) -> None:
    """Python's own parser takes quadratic time for such a one before 3.11.10."""
    cookie = 'language="' + '\\"' * 100_000 + '"'
    async with running() as runners, front(var, runners, head_bytes=2**20) as opened:
        headers = {"Cookie": f"{cookie}; language=de"}
        begun = time.monotonic()
        page = await opened.client.get("/", headers=headers)
        assert time.monotonic() - begun < LATE
        assert 'lang="de"' in page.text


async def test_headers_that_are_too_large_are_a_problem(shared: Front) -> None:
    answer = await shared.client.get("/", headers={"X-Long": "x" * 20_000})
    assert answer.status_code == 431
    assert answer.json()["code"] == "head_too_large"
    many = {f"X-{number}": "x" for number in range(120)}
    assert (await shared.client.get("/", headers=many)).status_code == 431
