"""What tests send as a batch, and how they read what comes back."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import Held, running

BATCHES = "/api/v1/batches"


def zipped(*contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"SECRET^NAME/{number}.png", content)
    return buffer.getvalue()


def parts(*contents: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    kind = "application/octet-stream"
    return [("file", ("SECRET^NAME.png", content, kind)) for content in contents]


def read(text: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the lines of an answer, and the batch in its last one."""
    *lines, closing = [json.loads(line) for line in text.splitlines()]
    assert "SECRET" not in text
    return lines, closing["batch"]


@asynccontextmanager
async def holding(var: Path, **settings: Any) -> AsyncIterator[tuple[Front, Held]]:
    held = Held("cnn")
    async with running(held) as runners, front(var, runners, **settings) as opened:
        try:
            yield opened, held
        finally:
            held.go.set()


async def ended(opened: Front, address: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            batch: dict[str, Any] = (await opened.client.get(address)).json()
            if batch["state"] != "running":
                return batch
            await asyncio.sleep(0.02)
