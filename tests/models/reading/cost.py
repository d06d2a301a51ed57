"""What a file costs its reader, measured in processes that begin alike.

``python -m tests.models.reading.cost`` reads names of :data:`~tests.models.reading.hostile.HOSTILE`
from standard input, a line each, and answers each with a line of JSON. Linux only.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from models.gate import quality
from models.image import recipe
from models.image.errors import ScanError
from models.reading import read
from models.vertebrae.nominal import nominal
from tests.models.reading.hostile import HOSTILE

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Cost:
    """``outcome`` is a code of :mod:`models.image.errors`, ``scan``, or what else was raised."""

    length: int
    seconds: float
    megabytes: float
    outcome: str


@contextmanager
def measuring() -> Iterator[Callable[[str], Cost]]:
    """Yield what measures a hostile file by its name."""
    command = [sys.executable, "-m", "tests.models.reading.cost"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def measure(name: str) -> Cost:
            asked.write(name + "\n")
            asked.flush()
            return Cost(**json.loads(answers.readline()))

        yield measure
        asked.close()


def _forked(work: Callable[[], bytes]) -> bytes:
    """Return what ``work`` returns in a process of its own."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.close(out)
        with os.fdopen(into, "wb") as pipe:
            pipe.write(work())
        os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return result


def _cost(data: bytes) -> Cost:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    outcome = "scan"
    try:
        scan = read(data)
        quality.assess(scan, recipe.frame(scan), GATE)
        recipe.prepare(scan, nominal(), np.zeros((recipe.SIDE, recipe.SIDE), bool))
    except ScanError as error:
        outcome = error.code
    except BaseException as error:
        outcome = repr(error)
    seconds = time.process_time() - started
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return Cost(len(data), round(seconds, 3), round(grown / 1024, 1), outcome)


if __name__ == "__main__":
    GATE = quality.served_gate()
    for line in sys.stdin:
        file = _forked(HOSTILE[line.strip()])
        found = _forked(lambda file=file: json.dumps(asdict(_cost(file))).encode())  # type: ignore[misc]
        print(found.decode() or json.dumps(asdict(Cost(len(file), 0, 0, "died"))), flush=True)
