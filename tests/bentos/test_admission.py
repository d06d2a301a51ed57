"""The middleware before a toy application, over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bentos.admission import CALL, Admission
from bentos.backlog import Backlog, Call
from protocol.headers import MAX_BYTES

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


class Toy:
    """Holds each call until told to go."""

    def __init__(self, limit: int) -> None:
        self.queue = Backlog("toy", limit, CollectorRegistry())
        self.calls: list[Call] = []
        self.go = asyncio.Event()

    async def predict(self, request: Request) -> Response:
        await request.body()
        self.calls.append(request.scope[CALL])
        await self.go.wait()
        return JSONResponse({"left": request.scope[CALL].left})

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/predict", self.predict, methods=["POST"]),
                Route("/outline", self.predict, methods=["POST"]),
                Route("/readyz", lambda _: Response()),
            ],
            middleware=[
                Middleware(
                    Admission,
                    queue=self.queue,
                    counts=dict.fromkeys(
                        ["/predict", "/outline"], lambda headers: int(headers["content-length"])
                    ),
                )
            ],
        )


@asynccontextmanager
async def served(limit: int = 8) -> AsyncIterator[tuple[Toy, httpx.AsyncClient]]:
    toy = Toy(limit)
    server = uvicorn.Server(
        uvicorn.Config(toy.app(), host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    )
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20
        ) as client:
            yield toy, client
    finally:
        toy.go.set()
        server.should_exit = True
        await task


async def until(state: object) -> None:
    assert callable(state)
    async with asyncio.timeout(20):
        while not state():  # noqa: ASYNC110 - any state, so no event
            await asyncio.sleep(0.005)


async def test_a_call_knows_how_long_each_answer_is_of_use() -> None:
    async with served() as (toy, client):
        toy.go.set()
        each = await client.post("/predict", content=b"ab", headers={"X-Left-Ms": "1500, 20"})
        both = await client.post("/predict", content=b"ab", headers={"X-Left-Ms": "250"})
        always = await client.post("/predict", content=b"ab")
    assert each.json() == {"left": [1.5, 0.02]}
    assert both.json() == {"left": [0.25, 0.25]}
    assert always.json() == {"left": []}


@pytest.mark.parametrize("value", ["soon", "-5", "1,2,3", "1,,2", "1.5"])
async def test_a_time_that_is_none_is_refused(value: str) -> None:
    async with served() as (toy, client):
        answer = await client.post("/predict", content=b"ab", headers={"X-Left-Ms": value})
        assert answer.status_code == 400
        assert "allowed" in answer.json()["error"]
        assert toy.calls == []


async def test_a_body_is_announced_and_not_too_large_or_it_is_not_read() -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        yield b"x"

    async with served() as (toy, client):
        chunked = await client.post("/predict", content=unannounced())
        assert chunked.status_code == 411
        large = await client.post("/predict", content=bytes(MAX_BYTES + 1))
        assert large.status_code == 413
        assert str(MAX_BYTES) in large.json()["error"]
        assert toy.calls == []


async def test_a_full_queue_answers_at_once_and_says_when_to_come_back() -> None:
    async with served(limit=3) as (toy, client):
        waiting = asyncio.create_task(client.post("/predict", content=b"abc"))
        await until(lambda: toy.calls)
        refused = await client.post("/predict", content=b"d")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await client.get("/readyz")).status_code == 200
        toy.go.set()
        assert (await waiting).status_code == 200
        assert (await client.post("/predict", content=b"d")).status_code == 200


async def test_all_paths_share_one_queue() -> None:
    async with served(limit=3) as (toy, client):
        waiting = asyncio.create_task(client.post("/outline", content=b"abc"))
        await until(lambda: toy.calls)
        assert (await client.post("/predict", content=b"d")).status_code == 503
        toy.go.set()
        assert (await waiting).status_code == 200


async def test_a_caller_who_leaves_is_noticed_and_counted_out() -> None:
    async with served(limit=3) as (toy, client):
        leaving = asyncio.create_task(client.post("/predict", content=b"abc"))
        await until(lambda: toy.calls)
        assert not toy.calls[0].abandoned
        leaving.cancel()
        await until(lambda: toy.calls[0].abandoned)
        toy.go.set()
        assert (await client.post("/predict", content=b"abc")).status_code == 200


async def test_whoever_announces_images_and_sends_none_keeps_nobody_out() -> None:
    async with served(limit=3) as (toy, client):
        toy.go.set()
        silent = []
        for _ in range(20):
            _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            writer.write(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab")
            silent.append(writer)
        for _ in range(3):
            assert (await client.post("/predict", content=b"abc")).status_code == 200
        for writer in silent:
            writer.close()
        assert len(toy.calls) == 3
