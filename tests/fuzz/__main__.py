"""``make fuzz``: every encoding, damaged, through decoders as a front has them.

A file is a finding when its decoder breaks off, raises what is no refusal, or takes more than two
seconds of a processor or 300 MB. Findings are kept as ``var/fuzz/<SHA-256>``, with no name, and
tried first the next time. Files begin as drawn patterns and phantoms: no scan is among them.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from models.image.errors import ScanError
from models.reading import Limits
from service.decoding.pool import Allowance, BugError, LimitError, Pool, RaisedError
from service.medicine.preparation import KNOWN, frame, load
from tests.fuzz.corpus import costly, encoded
from tests.fuzz.mutation import mutated
from tests.models.reading.hostile import HOSTILE

BOUNDS: Final = Allowance(seconds=2.0, memory=300 * 2**20)
CORPUS: Final = Path("var/fuzz")
HANGS: Final = 120.0
"""Seconds of the clock after which a file hangs, whatever the machine does beside."""


def files(count: int, seed: str) -> Iterator[bytes]:
    """Yield findings of before, hostile files, and ``count`` damaged ones."""
    for path in sorted(CORPUS.glob("*")):
        yield path.read_bytes()
    for make in HOSTILE.values():
        yield make()
    yield from damaged_files(count, seed, costly())


def damaged_files(count: int, seed: str, more: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Yield ``count`` damaged files, of every encoding and of ``more`` in turn."""
    whole = (*encoded(), *more)
    for number in range(count):
        yield mutated(whole[number % len(whole)], f"{seed} {number}")


async def attempt(pool: Pool, data: bytes) -> tuple[str, bool]:
    """Return what became of a file, and whether that is a finding."""
    try:
        await pool.run(frame, data, "0" * 64, Limits(), limits=BOUNDS, within=HANGS)
    except RaisedError as raised:
        known = isinstance(raised.error, ScanError)
        return getattr(raised.error, "code", type(raised.error).__name__), not known
    except LimitError as error:
        return error.reason, True
    except BugError as error:
        return str(error), True
    return "scan", False


async def fuzz(count: int, seconds: float, workers: int, seed: str) -> Counter[str]:
    """Return how often each outcome came; findings are written down and said as they come."""
    outcomes: Counter[str] = Counter()
    waiting = files(count, seed)
    until = time.monotonic() + seconds

    async def lane(pool: Pool) -> None:
        for data in waiting:
            if time.monotonic() > until:
                return
            outcome, is_finding = await attempt(pool, data)
            outcomes[outcome] += 1
            if is_finding:
                outcomes["findings"] += 1
                CORPUS.mkdir(parents=True, exist_ok=True)
                path = CORPUS / hashlib.sha256(data).hexdigest()
                path.write_bytes(data)
                print(f"{outcome}: {path}", flush=True)

    async with Pool(load, KNOWN, spare=workers) as pool, asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(lane(pool))
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="damaged files")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--workers", type=int, default=2, help="files at the same time")
    parser.add_argument("--seed", default=time.strftime("%Y-%m-%d"), help="another: other files")
    options = parser.parse_args()
    outcomes = asyncio.run(fuzz(options.count, options.seconds, options.workers, options.seed))
    for outcome, times in outcomes.most_common():
        print(f"{times:8} {outcome}")
    return 1 if outcomes["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
