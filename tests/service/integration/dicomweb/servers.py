"""A STOW-RS server of our own, which answers as a test says."""

from __future__ import annotations

import io
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pydicom
from aiohttp import web

from service.http.related import parts
from service.integration.destinations import DicomWebDestination
from tests.service.integration.test_sender import SC

JSON = "application/dicom+json"


@dataclass
class Taken:
    """A request to store, and the UID of its object, if it had one."""

    headers: dict[str, str]
    path: str
    files: list[bytes]
    uid: str


Answer = Callable[[Taken], Awaitable[web.StreamResponse]]


def item(uid: str, **numbers: int) -> dict[str, Any]:
    """Return an item that names an object, with ``failure`` or ``warning``."""
    found: dict[str, Any] = {
        "00081150": {"vr": "UI", "Value": [SC]},
        "00081155": {"vr": "UI", "Value": [uid]},
    }
    return found | reason(**numbers)


def reason(**numbers: int) -> dict[str, Any]:
    tags = {"failure": "00081197", "warning": "00081196"}
    return {tags[name]: {"vr": "US", "Value": [number]} for name, number in numbers.items()}


def told(status: int, **sequences: list[dict[str, Any]]) -> web.Response:
    """Return a response with ``failed``, ``stored`` and ``others``."""
    tags = {"failed": "00081198", "stored": "00081199", "others": "0008119A"}
    found = {tags[name]: {"vr": "SQ", "Value": items} for name, items in sequences.items()}
    return web.json_response(found, status=status, content_type=JSON)


async def storing(taken: Taken) -> web.StreamResponse:
    if not taken.files:
        return web.Response(status=400)
    return told(200, stored=[item(taken.uid)])


def failing(code: int, status: int = 409) -> Answer:
    async def answer(taken: Taken) -> web.StreamResponse:
        return told(status, failed=[item(taken.uid, failure=code)])

    return answer


def saying(status: int, body: bytes = b"", **headers: str) -> Answer:
    async def answer(_: Taken) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return answer


@dataclass
class Server:
    base: str
    taken: list[Taken] = field(default_factory=list)
    sought: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Addresses and heads of searches."""
    tokens: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def destination(self, **changes: Any) -> DicomWebDestination:
        values = {"name": "pacs", "kind": "dicomweb", "base": self.base}
        return DicomWebDestination(**{**values, **changes})


@asynccontextmanager
async def server(
    *answers: Answer,
    holds: Callable[[], Sequence[str]] | int = 404,
    token: dict[str, Any] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Server]:
    """Run a server that answers its n-th request by the n-th of ``answers``, the last for good.

    ``holds``: the UIDs that a search finds, or the status that one is answered with.
    """
    left, opened = list(answers), Server("")

    async def store(request: web.Request) -> web.StreamResponse:
        body = await request.read()

        async def whole() -> AsyncIterator[bytes]:
            yield body

        kind = request.headers["Content-Type"]
        files = [
            bytes(one.data) async for one in parts(kind, whole(), most=100, largest=2**24)
        ]  # fmt: skip
        heads = [
            pydicom.dcmread(io.BytesIO(one), specific_tags=["SOPInstanceUID"]) for one in files
        ]
        uid = str(heads[0].SOPInstanceUID) if heads else ""
        taken = Taken(dict(request.headers), request.path, files, uid)
        opened.taken.append(taken)
        answer = left.pop(0) if len(left) > 1 else left[0]
        return await answer(taken)

    async def search(request: web.Request) -> web.StreamResponse:
        opened.sought.append((request.path_qs, dict(request.headers)))
        if isinstance(holds, int):
            return web.Response(status=holds)
        asked = request.query["SOPInstanceUID"]
        found = [{"00080018": {"vr": "UI", "Value": [one]}} for one in holds() if one == asked]
        return web.json_response(found, content_type=JSON)

    async def grant(request: web.Request) -> web.StreamResponse:
        opened.tokens.append((dict(request.headers), await request.read()))
        return web.json_response(token, status=200 if token else 400)

    app = web.Application(client_max_size=2**24)
    app.add_routes(
        [
            web.post("/dicom-web/studies", store),
            web.get("/dicom-web/studies/{study}/instances", search),
            web.post("/token", grant),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    scheme, host = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
    opened.base = f"{scheme}://{host}:{port}/dicom-web"
    try:
        yield opened
    finally:
        await runner.cleanup()
