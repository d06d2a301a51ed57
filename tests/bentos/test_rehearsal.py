from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.lifespan.on import LifespanOn

from bentos.rehearsal import CALLS, Example, Rehearsal

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
        middleware=[Middleware(Rehearsal, examples=EXAMPLES)],
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


async def test_a_runner_that_fails_its_rehearsal_does_not_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lifespan = LifespanOn(uvicorn.Config(app([], status=503), log_config=None))

    with caplog.at_level("ERROR", "uvicorn.error"):
        await lifespan.startup()

    assert lifespan.should_exit
    assert "a rehearsed call was answered 503" in caplog.text


# BentoML's own.
@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211")
async def test_a_real_runner_starts_practised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    runner = importlib.import_module("bentos.stack.service").Runner.to_asgi(is_main=True)
    lifespan = LifespanOn(uvicorn.Config(runner, log_config=None))

    await lifespan.startup()
    assert not lifespan.should_exit
    transport = httpx.ASGITransport(runner)
    async with httpx.AsyncClient(transport=transport, base_url="http://runner") as client:
        measures = (await client.get("/metrics")).text
    await lifespan.shutdown()

    assert f'osteoserve_runner_images_total{{result="ok",runner="stack"}} {CALLS}.0' in measures
