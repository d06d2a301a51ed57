"""``make costly``: what one client sends to cost all that it can, and what others notice of it.

Every kind of :data:`~tests.models.reading.hostile.HOSTILE`, each sent twice at once, then thirty
uploads of the largest size at once; a front as it is served, under the chart's limit on memory
where a cgroup can be made. Fails where another client's ``/health/live`` takes more than
:data:`LIVE` seconds at the 99th percentile, an ordinary scan more than :data:`SCAN`, or the front
more memory than :data:`LIMIT`. It is the machine that is measured as well: let it do nothing else.

``make costly EDGE=1`` sends the same to an edge, which is to stay below :data:`EDGE_LIMIT` and to
answer ordinary scans in time: images are of the largest size that an edge reads, and what takes
the most memory is sent once more, all of it at once with the uploads.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import psutil

from service.decoding.settings import DecoderLimits
from service.edge.limits import NARROWER
from tests.e2e.cgroup import Group, UnavailableError, bounded
from tests.e2e.conftest import ROOT
from tests.e2e.served import memory, serving, serving_edge
from tests.models.reading.hostile import HOSTILE, read_up_to
from tests.service.kit import images

LIVE: Final = 0.25
SCAN: Final = 2.0
LIMIT: Final = 2**30
"""The chart's for a front: helm/osteoserve/values.yaml."""
EDGE_LIMIT: Final = 700 * 10**6
EDGE_SCAN: Final = 8.0
"""It computes the models by the processors that decode."""
EDGE_SAMPLES: Final = NARROWER["max_samples"]
LARGE: Final = ("png-grey-16bit", "dicom-jpeg-ls-16bit", "lut-of-all-values")
"""Those that take the most memory."""
ANSWERS: Final = {201, 413, 415, 422, 503}
"""Who sends what costs may be told to wait: it goes one at a time."""
API: Final = "/api/v1/predictions"
UPLOADS: Final = 30
LARGEST: Final = 32_000_000


@dataclass
class Notices:
    """What others noticed: seconds of each answer, and bytes that the front took at most."""

    live: list[float] = field(default_factory=list)
    scans: list[float] = field(default_factory=list)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    memory: int = 0

    @property
    def live_p99(self) -> float:
        return statistics.quantiles(self.live, n=100)[98]

    @property
    def said(self) -> str:
        return (
            f"/health/live p99 {self.live_p99:.3f} s of {len(self.live)}; "
            f"slowest of {len(self.scans)} scans {max(self.scans):.2f} s; "
            f"memory {self.memory / 1e6:.0f} MB at most"
        )

    def missed(self, live: float = LIVE, scan: float = SCAN, memory: float = LIMIT) -> list[str]:
        """Return what was asked for and not kept, in words."""
        strange = {
            name: codes for name, codes in self.statuses.items() if not ANSWERS.issuperset(codes)
        }
        found = {
            f"/health/live takes more than {live} s": self.live_p99 >= live,
            f"a scan takes more than {scan} s": max(self.scans) >= scan,
            f"it takes more than {memory / 1e6:.0f} MB": self.memory >= memory,
            f"answers that should not be: {strange}": bool(strange),
        }
        return [words for words, is_so in found.items() if is_so]


async def noticed(
    url: str, process: psutil.Process, load: Callable[[str, Notices], Awaitable[None]]
) -> Notices:
    """See how others fare while ``load`` sends what it sends."""
    notices = Notices()
    done = asyncio.Event()

    async def every(seconds: float, path: str, into: list[float]) -> None:
        loop, number = asyncio.get_running_loop(), 0
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            while not done.is_set():
                number += 1
                started = loop.time()
                while True:
                    if path == API:
                        # Bytes behind the end make it a file of its own, which nothing remembers.
                        content = images.png() + number.to_bytes(4, "big")
                        response = await client.post(path, content=content)
                    else:
                        response = await client.get(path)
                    wait = response.headers.get("retry-after")
                    if response.status_code != 503 or wait is None:
                        break
                    # Told to come back: waiting is a part of how long it takes.
                    await asyncio.sleep(float(wait))
                assert response.is_success, response.text
                into.append(loop.time() - started)
                await asyncio.sleep(seconds)

    async def weigh() -> None:
        while not done.is_set():
            notices.memory = max(notices.memory, await asyncio.to_thread(memory, process))
            await asyncio.sleep(0.1)

    async def send() -> None:
        await load(url, notices)
        done.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(every(0.02, "/health/live", notices.live))
        group.create_task(every(0.2, API, notices.scans))
        group.create_task(weigh())
        group.create_task(send())
    return notices


def twice(
    kinds: Iterable[str], samples: int = DecoderLimits().max_samples
) -> Callable[[str, Notices], Awaitable[None]]:
    """Return what sends each of ``kinds`` twice at once, one after the other; images are the
    largest where ``samples`` are allowed."""

    async def load(url: str, notices: Notices) -> None:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            for name in kinds:
                with read_up_to(samples):
                    data = await asyncio.to_thread(HOSTILE[name])
                # Two that differ, as two files do; none is remembered for the other.
                both = (client.post(API, content=data + bytes((0, end))) for end in (1, 2))
                answers = await asyncio.gather(*both)
                notices.statuses[name] = [answer.status_code for answer in answers]

    return load


async def large(url: str, notices: Notices) -> None:
    """Send thirty files of the largest size at once."""
    arguments = ("-m", "tests.e2e.uploads", url + API, str(UPLOADS), str(LARGEST))
    sender = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await sender.communicate()
    notices.statuses["uploads of the largest size"] = [int(status) for status in out.split()]


def worst(samples: int = DecoderLimits().max_samples) -> Callable[[str, Notices], Awaitable[None]]:
    """Return what sends :data:`LARGE`, for both lanes, while more is sent than is received."""

    async def load(url: str, notices: Notices) -> None:
        await asyncio.gather(large(url, notices), twice(LARGE, samples)(url, notices))

    return load


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.costly", description=__doc__)
    parser.add_argument("--edge", action="store_true", help="send it to an edge")
    parser.add_argument("kinds", nargs="*", choices=[[], *HOSTILE], help="kinds to send; else all")
    options = parser.parse_args()
    kinds = options.kinds or list(HOSTILE)
    loads = {
        f"{len(kinds)} kinds, each twice at once": twice(kinds),
        f"{UPLOADS} uploads of {LARGEST / 1e6:.0f} MB at once": large,
    }
    serve, limit, scan = serving, LIMIT, SCAN
    if options.edge:
        serve, limit, scan = serving_edge, EDGE_LIMIT, EDGE_SCAN
        loads[f"{len(kinds)} kinds, each twice at once"] = twice(kinds, EDGE_SAMPLES)
        loads["the largest images among uploads"] = worst(EDGE_SAMPLES)
    missed: list[str] = []
    with ExitStack() as held, tempfile.TemporaryDirectory() as var:
        group: Group | None = None
        try:
            group = held.enter_context(bounded(limit))
        except UnavailableError as error:
            print(f"not under its limit on memory: {error}")
        async with serve(Path(var), group) as (url, process):
            for name, load in loads.items():
                notices = await noticed(url, process, load)
                print(f"{name}: {notices.said}", flush=True)
                missed += notices.missed(scan=scan, memory=limit)
            if group is not None:
                print(f"cgroup: {group.peak / 1e6:.0f} MB at most, {group.kills} killed")
                missed += ["processes were killed for memory"] * bool(group.kills)
    for words in missed:
        print(f"missed: {words}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
