"""A FHIR server of our own, which answers as a test says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from service.integration.destinations import FhirDestination

Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


def accepting(status: str = "201 Created", less: int = 0) -> Answer:
    """Return what says of all entries of a transaction, but ``less``, that they were done."""

    async def answer(_: web.Request, body: bytes) -> web.StreamResponse:
        count = len(json.loads(body)["entry"]) - less
        done = [{"response": {"status": status}} for _ in range(count)]
        found = {"resourceType": "Bundle", "type": "transaction-response", "entry": done}
        return web.json_response(found)

    return answer


def refusing(status: int, diagnostics: str = "", code: str = "processing") -> Answer:
    async def answer(*_: object) -> web.StreamResponse:
        issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
        return web.json_response(
            {"resourceType": "OperationOutcome", "issue": [issue]}, status=status
        )

    return answer


def able(version: str = "4.0.1", verbs: tuple[str, ...] = ("transaction",)) -> Answer:
    """Return what says that it is able to do ``verbs``."""
    rest = {"mode": "server", "interaction": [{"code": one} for one in verbs]}

    async def answer(*_: object) -> web.StreamResponse:
        found = {"resourceType": "CapabilityStatement", "fhirVersion": version, "rest": [rest]}
        return web.json_response(found)

    return answer


@dataclass
class Server:
    base: str
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    tokens: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    """Heads of those who asked what it is able to do."""

    def destination(self, **changes: Any) -> FhirDestination:
        return FhirDestination(**{"name": "record", "kind": "fhir", "base": self.base, **changes})


@asynccontextmanager
async def server(
    *answers: Answer, token: dict[str, Any] | None = None, metadata: Answer | None = None
) -> AsyncIterator[Server]:
    """Run a server that answers its n-th request by the n-th of ``answers``, the last for good.

    ``metadata`` answers who asks what it is able to do.
    """
    left, opened = list(answers), Server("")

    async def ask(request: web.Request) -> web.StreamResponse:
        opened.asked.append(dict(request.headers))
        return await (metadata or refusing(404))(request, b"")

    async def post(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        opened.taken.append((dict(request.headers), body))
        answer = left.pop(0) if len(left) > 1 else left[0]
        return await answer(request, body)

    async def grant(request: web.Request) -> web.StreamResponse:
        opened.tokens.append((dict(request.headers), await request.read()))
        return web.json_response(token, status=200 if token else 400)

    app = web.Application(client_max_size=2**24)
    app.add_routes([web.post("/r4", post), web.post("/token", grant), web.get("/r4/metadata", ask)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    opened.base = f"http://127.0.0.1:{port}/r4"
    try:
        yield opened
    finally:
        await runner.cleanup()
