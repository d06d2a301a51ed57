"""Toy runners: real servers on real ports that keep, or break, the contract.

======================  ==========================================================
``Honest``              answers as agreed, with numbers of its own
``Slow``                the same, later
``Held``                the same, once told to
``Broken``              500
``Busy``                503, as a runner that sheds load
``Malformed``           200, with something else in the body
``Foreign``             a version that the stack was not fitted with
``Voteless``            outlines vertebrae, and 500 where a vote is asked for
``Down``                nothing listens there
======================  ==========================================================
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.image import recipe
from models.vertebrae.geometry import Spine
from models.vertebrae.nominal import nominal
from protocol import mask
from protocol.headers import MAX_ITEMS
from service.types import BASES, RUNNERS, RunnerName
from tests import ports

AUROC = {"cnn": 0.81, "vgg16": 0.92, "resnet": 0.9, "bone": 0.84}
PROBABILITY = {"cnn": 0.79, "vgg16": 0.88, "resnet": 0.71, "bone": 0.76}
CONTRIBUTION = {"cnn": 0.61, "vgg16": 0.94, "resnet": -0.33, "bone": 0.42}
MEASUREMENTS = [
    {"name": "bone_to_noise", "value": 2.14, "contribution": 0.58},
    {"name": "levels_spread", "value": 0.21, "contribution": -0.17},
]
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
    spine: Spine | None = field(default_factory=nominal)
    """What the vertebrae runner finds in any frame."""
    calls: list[Any] = field(default_factory=list)
    frames: list[Any] = field(default_factory=list)
    """What it was asked to outline; ``calls`` is what it was asked to vote on."""

    def __post_init__(self) -> None:
        self.probability = PROBABILITY.get(self.model, self.probability)

    @property
    def model(self) -> str:
        """Whose votes these are."""
        return "bone" if self.name == "vertebrae" else self.name

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/outline", self.outline, methods=["POST"]),
                Route("/predict", self.predict, methods=["POST"]),
                Route("/combine", self.combine, methods=["POST"]),
                Route("/readyz", self.readyz),
            ]
        )

    async def readyz(self, _request: Request) -> Response:
        return Response(status_code=200 if self.ready else 503)

    async def outline(self, request: Request) -> Response:
        frames = await self.unpacked(request, recipe.FRAME)
        self.frames.append(list(frames))
        return await self.answer([self.outlined() for _ in frames])

    async def unpacked(self, request: Request, wanted: str) -> NDArray[np.uint8]:
        made_by = request.headers["x-recipe"]
        images = recipe.unpack(await request.body(), made_by, MAX_ITEMS, wanted)
        left = request.headers["x-left-ms"].split(",")
        assert len(left) == len(images)
        assert all(0 <= int(one) < 3_600_000 for one in left)
        return images

    async def predict(self, request: Request) -> Response:
        images = await self.unpacked(request, recipe.NAME)
        self.calls.append(list(images))
        with_map = request.query_params.get("map") == "true"
        return await self.answer(
            [{**self.vote(), "map": self.shown if with_map else None} for _ in images]
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
            "version": version(self.model),
            "recipe": self.recipe,
            "threshold": self.threshold,
            "band": list(self.band),
            "auroc": AUROC.get(self.model, 0.9),
            "map": None,
            "measurements": MEASUREMENTS if self.model == "bone" else None,
        }

    @property
    def shown(self) -> list[list[float]] | None:
        return None if self.model == "bone" else self.map

    def outlined(self) -> dict[str, Any]:
        levels = self.spine.levels if self.spine else ()
        return {
            "version": version("vertebrae"),
            "recipe": recipe.FRAME if self.recipe == recipe.NAME else self.recipe,
            "levels": [asdict(level) for level in levels],
            "graphics": mask.encode(np.zeros((recipe.SIDE, recipe.SIDE), bool)),
        }

    def combination(self, votes: dict[str, dict[str, Any]]) -> dict[str, Any]:
        used = [name for name in BASES if votes.get(name, {}).get("version") == version(name)]
        return {
            "probability": self.probability,
            "threshold": self.threshold,
            "band": list(self.band),
            "contributions": {name: CONTRIBUTION[name] for name in used},
            "intercept": -0.4,
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


@dataclass
class Voteless(Honest):
    """Outlines, and does not vote."""

    async def predict(self, _request: Request) -> Response:
        return JSONResponse({"error": "out of order"}, 500)


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
    """Five honest runners, save those in ``replaced``."""
    named = {runner.name: runner for runner in replaced}
    with ExitStack() as bound:
        # All bound at once, so that no two get the same port; who is down stays bound and silent.
        sockets = {name: bound.enter_context(ports.held()) for name in RUNNERS}
        servers = {
            name: Running(named.get(name, Honest(name)), one.getsockname()[1])
            for name, one in sockets.items()
        }
        try:
            for name, server in servers.items():
                if not ports.HOLDS and not isinstance(server.runner, Down):
                    sockets[name].close()
                await server.start()
            yield servers
        finally:
            await asyncio.gather(*(server.stop() for server in servers.values()))
