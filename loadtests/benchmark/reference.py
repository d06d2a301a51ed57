"""The images that are sent, and what Keras says of some: ``python -m …reference`` computes it.

Phantoms under other noise each, as PNG, so that no cache answers. Keras's answers are kept.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np

from loadtests import images
from loadtests.benchmark.clients import Answer
from loadtests.benchmark.systems import VAR
from loadtests.processes import ROOT
from models import artifact
from models.files import replace
from models.training import parity

SEED: Final = 2026
FIRST: Final = 16  # Images that every system is sent before it is measured; all are checked
EVERY: Final = 40
NUMBERS: Final = (*range(FIRST), *range(FIRST, 640, EVERY))
Expected = Mapping[int, tuple[float, str]]
"""Image's number → Keras's probability and outcome: float32, nothing compiled."""


class Images:
    """Image ``n`` is always the same. Draws its phantoms when made, half a second."""

    def __init__(self) -> None:
        self._phantoms = images.phantoms(SEED)
        self.png = lru_cache(1500)(self._png)

    def _png(self, number: int) -> bytes:
        one = self._phantoms[number % len(self._phantoms)]
        noisy = images.noisy(one, np.random.default_rng([SEED, number]))
        return images.FORMATS["png"].encode(noisy, number)


def expected() -> Expected:
    """Return Keras's answers, from what an earlier run left or newly computed."""
    served = artifact.served(artifact.artifacts_folder())
    facts = json.dumps([served, SEED, images.NOISE, NUMBERS], sort_keys=True)
    path = VAR / f"reference-{hashlib.sha256(facts.encode()).hexdigest()[:12]}.json"
    if not path.is_file():
        VAR.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", __name__]
        replace(path, subprocess.check_output(command, cwd=ROOT))  # noqa: S603 - this module
    found = json.loads(path.read_text(encoding="utf-8"))
    if refused := [number for number, (probability, _) in found.items() if probability is None]:
        raise ValueError(f"images {', '.join(refused)} of the benchmark were refused")
    return {int(number): (probability, outcome) for number, (probability, outcome) in found.items()}


def checked(answers: Iterable[Answer], expected: Expected) -> dict[str, Any]:
    """Return how many of ``answers`` have a reference, and how far they are off.

    They hold where no outcome changed and no probability is off by more than runtimes may differ.
    """
    held = [(one, expected[one.number]) for one in answers if one.number in expected]
    largest = max((abs(one.probability - known[0]) for one, known in held), default=0.0)
    changed = sum(one.outcome != known[1] for one, known in held)
    holds = bool(held) and not changed and largest <= parity.LARGEST
    return {"answers": len(held), "largest": largest, "changed": changed, "holds": holds}


def main() -> None:
    from loadtests.benchmark.servers import plain  # noqa: PLC0415 - Keras, for this process alone

    png, judge = Images().png, plain.keras()
    answers = {number: judge(png(number)) for number in NUMBERS}
    print(json.dumps({n: (one["probability"], one["outcome"]) for n, one in answers.items()}))


if __name__ == "__main__":
    main()
