"""A front and a gateway on one database, and a PACS that takes everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydicom.dataset import Dataset

from tests.service.integration.gateways import Gateway, gateway, peers_file
from tests.service.integration.kit import file
from tests.service.integration.test_sender import destination
from tests.service.kit.accounts import bearer, key
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

STUDIES = "/dicom-web/studies"
BOUNDARY = "a-boundary"
RELATED = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


@dataclass
class Hospital:
    front: Front
    gateway: Gateway
    sent: list[tuple[str, str]]
    """What the PACS has been sent: UIDs and transfer syntaxes."""
    key: str
    """Of an integrator."""

    async def store(
        self, *files: bytes, study: str = "", key: str | None = None, **headers: str
    ) -> httpx.Response:
        at = STUDIES + (f"/{study}" if study else "")
        asked = {**bearer(self.key if key is None else key), "Content-Type": RELATED, **headers}
        return await self.front.client.post(at, content=related(*files), headers=asked)

    async def judged(self, *objects: Dataset) -> None:
        """Store ``objects``, and wait until their results are in the PACS."""
        answer = await self.store(*map(file, objects))
        assert answer.status_code == 200, answer.text
        await self.gateway.finished()

    async def get(self, path: str, key: str | None = None, **headers: str) -> httpx.Response:
        asked = {**bearer(self.key if key is None else key), **headers}
        return await self.front.client.get(path, headers=asked)


def related(*files: bytes, kind: str = "application/dicom") -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n".encode()
    each = b"".join(head + one + b"\r\n" for one in files)
    return each + f"--{BOUNDARY}--\r\n".encode()


@asynccontextmanager
async def hospital(folder: Path, **settings: Any) -> AsyncIterator[Hospital]:
    var = folder / "var"
    defaults = {"dicomweb": True, "auth": "local", "gateway_settle_seconds": 0.3}
    with destination(lambda *_: 0) as (pacs, sent):
        async with (
            running() as runners,
            front(var, runners, **{**defaults, **settings}) as opened,
            gateway(var, runners, peers_file(folder, pacs.port)) as beside,
        ):
            yield Hospital(opened, beside, sent, await key(opened, "integrator"))
