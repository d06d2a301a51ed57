from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.lifespan.on import LifespanOn

from bentos.warm_up import CALLS, Example, WarmUp

pytestmark = pytest.mark.anyio

EXAMPLES = [
    Example("/predict", {"X-Recipe": "a recipe"}, b"pixels"),
    Example("/outline", {"X-Recipe": "another"}, b"frames"),
]


def app(seen: list[tuple[str, str | None, bytes]], status: int = 200) -> Starlette:
    """Return an app that notes what it is asked, and when it has started."""

    async def predict(request: Request) -> Response:
        seen.append((request.url.path, request.headers.get("X-Recipe"), await request.body()))
        return Response(status_code=status)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        seen.append(("started", None, b""))
        yield
        seen.append(("ended", None, b""))

    return Starlette(
        routes=[Route(one.path, predict, methods=["POST"]) for one in EXAMPLES],
        middleware=[Middleware(WarmUp, examples=EXAMPLES)],
        lifespan=lifespan,
    )


async def test_every_example_is_answered_between_start_and_the_first_caller() -> None:
    seen: list[tuple[str, str | None, bytes]] = []
    served = app(seen)
    lifespan = LifespanOn(uvicorn.Config(served, log_config=None))

    await lifespan.startup()
    assert not lifespan.should_exit
    assert seen == [
        ("started", None, b""),
        *[("/predict", "a recipe", b"pixels")] * CALLS,
        *[("/outline", "another", b"frames")] * CALLS,
    ]

    transport = httpx.ASGITransport(served)
    async with httpx.AsyncClient(transport=transport, base_url="http://runner") as client:
        await client.post("/predict", content=b"theirs")
    await lifespan.shutdown()
    assert seen[2 * CALLS + 1 :] == [("/predict", None, b"theirs"), ("ended", None, b"")]


async def test_a_runner_that_fails_its_warm_up_does_not_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lifespan = LifespanOn(uvicorn.Config(app([], status=503), log_config=None))

    with caplog.at_level("ERROR", "uvicorn.error"):
        await lifespan.startup()

    assert lifespan.should_exit
    assert "a call of the warm-up was answered 503" in caplog.text
