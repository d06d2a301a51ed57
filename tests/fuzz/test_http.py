"""A few of the uploads that ``make fuzz-http`` sends, and what it notices."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.e2e.served import held, memory, serving
from tests.fuzz import http
from tests.fuzz.http import API, Run, Upload, uploads
from tests.ports import free_port

pytestmark = pytest.mark.anyio

SIZE = 64 * 2**20
HOLDS = f"""
import mmap, sys
own = bytearray(b"x" * {SIZE})
library = open(sys.argv[1], "rb")
file = mmap.mmap(library.fileno(), 0, access=mmap.ACCESS_READ)
touched = sum(file[place] for place in range(0, len(file), 4096))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells them apart")
def test_what_is_held_is_what_no_file_has(tmp_path: Path) -> None:
    """A library's pages count for whoever maps them, and change with others on the machine."""
    (tmp_path / "library").write_bytes(bytes(SIZE))
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path / "library")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        one = psutil.Process(process.pid)
        assert SIZE < held(one) < 2 * SIZE < memory(one)
    finally:
        process.communicate()


def test_an_upload_is_kept_as_it_was() -> None:
    some = list(uploads(40, "1"))
    assert {upload.path for upload in some} == {API, "/", "/bulk", "/api/v1/batches"}
    assert [Upload.found(upload.kept) for upload in some] == some
    assert some == list(uploads(40, "1")) != list(uploads(40, "2"))


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform != "linux", reason="bounded as Linux bounds")
async def test_no_damaged_upload_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "SENT", tmp_path / "findings")
    run = Run()
    async with serving(tmp_path) as (url, _):
        await run.send_all(url, uploads(120, "tests"), 2, time.monotonic() + 300)
    assert run.findings == 0, run.outcomes
    assert run.outcomes.total() == 120
    assert {"201 ", "422 corrupt_file"} <= run.outcomes.keys()


@asynccontextmanager
async def failing() -> AsyncIterator[str]:
    """A front that fails on ``fails`` and says nothing on ``hangs``."""

    async def answer(request: Request) -> Response:
        match await request.body():
            case b"fails":
                return Response(status_code=500)
            case b"hangs":
                await asyncio.sleep(5)
            case _:
                pass
        return Response(status_code=201)

    app = Starlette(routes=[Route(API, answer, methods=["POST"])])
    port = free_port()
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = server.force_exit = True
        await task


async def test_what_fails_or_hangs_is_kept_as_a_finding_and_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "SENT", tmp_path)
    monkeypatch.setattr(http, "HANGS", 0.5)
    bad = [Upload(API, "image/png", body) for body in (b"fails", b"hangs")]
    run = Run()
    async with failing() as url:
        sent = iter([*bad, Upload(API, "image/png", b"well")])
        await run.send_all(url, sent, 1, time.monotonic() + 60)
    assert run.outcomes == {"500 ": 1, "TimeoutError": 1, "201 ": 1}
    assert run.findings == 2
    assert sorted(http.known(), key=lambda upload: upload.body) == bad
