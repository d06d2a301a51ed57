"""Toy runners: real servers on real ports that keep, or break, the contract.

======================  ==========================================================
``Honest``              answers as agreed, with numbers of its own
``Slow``                the same, later
``Held``                the same, once told to
``Broken``              500
``Busy``                503, as a runner that sheds load
``Malformed``           200, with something else in the body
``Foreign``             a version that the stack was not fitted with
``Down``                nothing listens there
======================  ==========================================================
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models import recipe
from service.types import BASES, RUNNERS, RunnerName

MAX_IMAGES = 64
AUROC = {"cnn": 0.81, "vgg16": 0.92, "resnet": 0.9}
PROBABILITY = {"cnn": 0.79, "vgg16": 0.88, "resnet": 0.71}
CONTRIBUTION = {"cnn": 0.61, "vgg16": 0.94, "resnet": -0.33}
MAP = [[0.0, 0.4, 0.0], [0.0, 1.6, -0.8], [0.0, 0.4, 0.0]]
"""What every toy sees: something in the middle, something against it on the right."""


def version(name: str) -> str:
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


@dataclass
class Honest:
    """Answers as agreed. ``calls`` keeps what was asked."""

    name: RunnerName
    probability: float = 0.83
    threshold: float = 0.41
    band: tuple[float, float] = (0.35, 0.48)
    recipe: str = recipe.NAME
    ready: bool = True
    map: list[list[float]] | None = field(default_factory=lambda: [row[:] for row in MAP])
    calls: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.probability = PROBABILITY.get(self.name, self.probability)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/predict", self.predict, methods=["POST"]),
                Route("/combine", self.combine, methods=["POST"]),
                Route("/readyz", self.readyz),
            ]
        )

    async def readyz(self, _request: Request) -> Response:
        return Response(status_code=200 if self.ready else 503)

    async def predict(self, request: Request) -> Response:
        images = recipe.unpack(await request.body(), request.headers["x-recipe"], MAX_IMAGES)
        left = request.headers["x-left-ms"].split(",")
        assert len(left) == len(images)
        assert all(0 <= int(one) < 3_600_000 for one in left)
        self.calls.append(list(images))
        with_map = request.query_params.get("map") == "true"
        return await self.answer(
            [{**self.vote(), "map": self.map if with_map else None} for _ in images]
        )

    async def combine(self, request: Request) -> Response:
        votes = (await request.json())["votes"]
        assert int(request.headers["x-count"]) == len(votes)
        self.calls.append(votes)
        return await self.answer([self.combination(item) for item in votes])

    async def answer(self, body: Any) -> Response:
        return JSONResponse(body)

    def vote(self) -> dict[str, Any]:
        return {
            "probability": self.probability,
            "version": version(self.name),
            "recipe": self.recipe,
            "threshold": self.threshold,
            "band": list(self.band),
            "auroc": AUROC.get(self.name, 0.9),
            "map": None,
        }

    def combination(self, votes: dict[str, dict[str, Any]]) -> dict[str, Any]:
        used = [name for name in BASES if votes.get(name, {}).get("version") == version(name)]
        return {
            "probability": self.probability,
            "threshold": self.threshold,
            "band": list(self.band),
            "contributions": {name: CONTRIBUTION[name] for name in used},
            "used": used,
            "missing": [name for name in BASES if name not in used],
            "version": version("stack"),
            "recipe": self.recipe,
        }


@dataclass
class Slow(Honest):
    seconds: float = 30.0

    async def answer(self, body: Any) -> Response:
        await asyncio.sleep(self.seconds)
        return JSONResponse(body)


@dataclass
class Held(Honest):
    """Answers once ``go`` is set, and says with ``asked`` that somebody waits."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, body: Any) -> Response:
        self.asked.set()
        await self.go.wait()
        return await super().answer(body)


@dataclass
class Broken(Honest):
    async def answer(self, _body: Any) -> Response:
        return JSONResponse({"error": "out of order"}, 500)


@dataclass
class Busy(Honest):
    async def answer(self, _body: Any) -> Response:
        return JSONResponse({"error": "overloaded"}, 503, {"Retry-After": "1"})


@dataclass
class Malformed(Honest):
    body: bytes = b"<html>not json</html>"

    async def answer(self, _body: Any) -> Response:
        return Response(self.body, media_type="application/json")


@dataclass
class Foreign(Honest):
    """A version that the stack was not fitted with."""

    def vote(self) -> dict[str, Any]:
        return {**super().vote(), "version": version("another")}


class Down:
    """Nothing listens."""

    def __init__(self, name: RunnerName) -> None:
        self.name = name


Runner = Honest | Down


@dataclass
class Running:
    """A toy runner at an address."""

    runner: Runner
    port: int
    server: uvicorn.Server | None = None
    task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        if isinstance(self.runner, Down):
            return
        config = uvicorn.Config(
            self.runner.app(),
            host="127.0.0.1",
            port=self.port,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(config)
        self.task = asyncio.create_task(self.server._serve())
        while not self.server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """End as a restarted process does: every connection closes."""
        if self.server is None or self.task is None:
            return
        self.server.should_exit = True
        self.server.force_exit = True
        for connection in list(self.server.server_state.connections):
            if connection.transport is not None:
                connection.transport.close()
        await self.task
        self.server = None


@asynccontextmanager
async def running(*replaced: Runner) -> AsyncIterator[dict[RunnerName, Running]]:
    """Four honest runners, save those in ``replaced``."""
    named = {runner.name: runner for runner in replaced}
    with ExitStack() as bound:
        # All bound at once, so that no two get the same port; who is down stays bound and silent.
        sockets = {name: bound.enter_context(socket.socket()) for name in RUNNERS}
        for one in sockets.values():
            one.bind(("127.0.0.1", 0))
        servers = {
            name: Running(named.get(name, Honest(name)), one.getsockname()[1])
            for name, one in sockets.items()
        }
        try:
            for name, server in servers.items():
                if not isinstance(server.runner, Down):
                    sockets[name].close()
                await server.start()
            yield servers
        finally:
            await asyncio.gather(*(server.stop() for server in servers.values()))
