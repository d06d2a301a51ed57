"""``make fuzz-http``: damaged files, forms and archives over HTTP, to a front as it is served.

A request is a finding when it is answered with 5xx, or not within :data:`HANGS` seconds, or when
the connection breaks without an answer. One that is told to come back later (503 with Retry-After)
is sent again then, as that is about the moment and not about the upload; how often is said.
Findings are kept as ``var/fuzz-http/<SHA-256>`` and sent first the next time. At the end the front
must hold no more than a tenth above what it held after the first hundredth, libraries left out.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Self

import httpx
import psutil

from tests.e2e.served import held, serving
from tests.fuzz.corpus import costly, encoded
from tests.fuzz.mutation import mutated

SENT: Final = Path("var/fuzz-http")
HANGS: Final = 120.0
"""Seconds of the clock without an answer, whatever the machine does beside. A front's own limit is
eight from the upload's last byte."""
TRIES: Final = 10
"""Times that an upload is sent which is told to come back later."""
GROWTH: Final = 1.1
SAY: Final = 5000
"""Uploads after which it says how far it has come."""
REST: Final = 3.0
"""Seconds for what was freed to go back, before memory is weighed."""
FORM: Final = "multipart/form-data; boundary=b"
FILE: Final = 'Content-Disposition: form-data; name="file"; filename="a"\r\n'
API: Final = "/api/v1/predictions"
BATCHES: Final = "/api/v1/batches"
BULK: Final = "/bulk"


@dataclass(frozen=True)
class Upload:
    path: str
    content_type: str
    body: bytes

    @property
    def kept(self) -> bytes:
        return f"{self.path}\n{self.content_type}\n".encode() + self.body

    @classmethod
    def found(cls, kept: bytes) -> Self:
        path, content_type, body = kept.split(b"\n", 2)
        return cls(path.decode(), content_type.decode(), body)


def form(*files: bytes) -> bytes:
    head = f"--b\r\n{FILE}Content-Type: application/octet-stream\r\n\r\n".encode()
    return b"".join(head + data + b"\r\n" for data in files) + b"--b--\r\n"


def archive(*files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, data in enumerate(files):
            # With a date of its own: the same seed is the same archive.
            packed.writestr(zipfile.ZipInfo(str(number)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def uploads(count: int, seed: str) -> Iterator[Upload]:
    """Yield ``count`` damaged ones: of twenty, fourteen files as they are, two in a form, two
    forms that are damaged themselves, an archive of damaged files and a damaged archive."""
    whole = (*encoded(), *costly())
    for number in range(count):
        # Every file in every place: 20 and the number of files may share a divisor.
        data, name = whole[(number + number // 20) % len(whole)], f"{seed} {number}"
        match number % 20:
            case 14 | 15:
                yield Upload(API, FORM, form(mutated(data, name)))
            case 16:
                yield Upload("/", FORM, mutated(form(data), name))
            case 17:
                yield Upload(BULK, FORM, mutated(form(data, data), name))
            case 18:
                yield Upload(BATCHES, "application/zip", archive(mutated(data, name), data))
            case 19:
                yield Upload(BATCHES, "application/zip", mutated(archive(data, data), name))
            case _:
                yield Upload(API, "application/octet-stream", mutated(data, name))


def known() -> Iterator[Upload]:
    """Yield the findings of before."""
    for path in sorted(SENT.glob("*")):
        yield Upload.found(path.read_bytes())


def code(answered: httpx.Response) -> str:
    """Return what a problem is called, nothing where the answer is none or a page."""
    if answered.headers.get("content-type") != "application/problem+json":
        return ""
    return str(answered.json()["code"])


async def answer(client: httpx.AsyncClient, upload: Upload) -> httpx.Response:
    """Return the answer to ``upload``, or to what is asked until a batch behind it is finished."""
    sent = await client.post(
        upload.path, content=upload.body, headers={"Content-Type": upload.content_type}
    )
    if upload.path != BULK or sent.status_code != 303:
        return sent
    # Batches that nobody waits for would be more than fit, and rightly told to wait.
    batch = sent.headers["location"].rpartition("/")[2]
    while True:
        found = await client.get(f"{BATCHES}/{batch}")
        if found.is_error or found.json()["state"] != "running":
            return found if found.is_error else sent
        await asyncio.sleep(0.05)


@dataclass
class Run:
    """What became of uploads: how often each status came, and how long the longest answer took."""

    outcomes: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    findings: int = 0
    longest: float = 0.0

    async def send(self, client: httpx.AsyncClient, upload: Upload) -> None:
        outcome, is_finding = "", True
        for _ in range(TRIES):
            started = time.monotonic()
            try:
                async with asyncio.timeout(HANGS):
                    answered = await answer(client, upload)
            except (TimeoutError, httpx.TransportError) as error:
                outcome = type(error).__name__
                break
            finally:
                self.longest = max(self.longest, time.monotonic() - started)
            outcome = f"{answered.status_code} {code(answered)}"
            is_finding = answered.status_code >= 500
            if answered.status_code != 503 or "retry-after" not in answered.headers:
                break
            self.waits[outcome] += 1
            await asyncio.sleep(float(answered.headers["retry-after"]))
        self.outcomes[outcome] += 1
        if self.outcomes.total() % SAY == 0:
            print(f"{self.outcomes.total()} uploads, {self.findings} findings", flush=True)
        if is_finding:
            self.findings += 1
            SENT.mkdir(parents=True, exist_ok=True)
            path = SENT / hashlib.sha256(upload.kept).hexdigest()
            path.write_bytes(upload.kept)
            print(f"{outcome}: {path}", flush=True)

    async def send_all(self, url: str, waiting: Iterator[Upload], lanes: int, until: float) -> None:
        """Send all that ``waiting`` yields, ``lanes`` at a time, but none after ``until``."""
        limits = httpx.Limits(keepalive_expiry=1)
        async with httpx.AsyncClient(
            base_url=url, trust_env=False, timeout=HANGS, limits=limits
        ) as client:

            async def lane() -> None:
                for upload in waiting:
                    if time.monotonic() > until:
                        return
                    await self.send(client, upload)

            async with asyncio.TaskGroup() as group:
                for _ in range(lanes):
                    group.create_task(lane())


async def weighed(process: psutil.Process) -> int:
    await asyncio.sleep(REST)
    return held(process)


async def fuzz(url: str, process: psutil.Process | None, options: argparse.Namespace) -> Run:
    """Send uploads, and count growth of ``process`` as a finding; say how it went."""
    run, started = Run(), time.monotonic()
    until = started + options.seconds
    waiting = uploads(options.count, options.seed)
    await run.send_all(url, known(), options.lanes, until)
    first = islice(waiting, max(options.count // 100, 200))
    await run.send_all(url, first, options.lanes, until)
    before = await weighed(process) if process else 0
    await run.send_all(url, waiting, options.lanes, until)
    count, seconds = run.outcomes.total(), time.monotonic() - started
    print(f"{count} uploads in {seconds:.0f} s, the longest {run.longest:.2f} s")
    for outcome, times in run.outcomes.most_common():
        print(f"{times:8} {outcome}")
    for outcome, times in run.waits.most_common():
        print(f"{times:8} told to come back later: {outcome}")
    if process:
        after = await weighed(process)
        print(f"{before / 2**20:.0f} MB before, {after / 2**20:.0f} MB after: {after / before:.2f}")
        run.findings += after > GROWTH * before
    return run


@asynccontextmanager
async def served(url: str | None) -> AsyncIterator[tuple[str, psutil.Process | None]]:
    """Yield ``url``, or the address and the process of a front of our own."""
    if url is not None:
        yield url, None
        return
    with tempfile.TemporaryDirectory() as var:
        async with serving(Path(var)) as (own, process):
            yield own, process


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.http", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="uploads")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--lanes", type=int, default=3, help="uploads at the same time")
    parser.add_argument("--seed", default=time.strftime("%Y-%m-%d"), help="another: other uploads")
    parser.add_argument("--url", help="a front that runs; without it, one of its own")
    options = parser.parse_args()
    async with served(options.url) as (url, process):
        run = await fuzz(url, process, options)
    return 1 if run.findings else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
