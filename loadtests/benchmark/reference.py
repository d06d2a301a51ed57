"""What Keras says of the images, computed once an artefact: ``python -m …reference``.

A process of its own, since TensorFlow takes a gigabyte and threads.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import Final

import numpy as np

from loadtests.benchmark import images
from loadtests.benchmark.answers import Expected
from loadtests.benchmark.contender import ROOT, VAR
from models import artifact
from models.commands.verify import reference
from models.files import replace
from models.inference.base import Outliner
from models.inference.calibration import Calibration
from models.inference.decision import decide
from models.inference.stack import Stack
from models.training import parity
from models.types import BASES

FIRST: Final = 1_000_000
"""Number of the first image that is sent before any load, to see that a contender is right."""

BEFORE: Final = 32
EVERY: Final = 50
UNDER_LOAD: Final = 4000
"""Of the images up to this number, one in :data:`EVERY` is checked under load."""

NUMBERS: Final = (*range(FIRST, FIRST + BEFORE), *range(0, UNDER_LOAD, EVERY))


def expected() -> dict[int, Expected]:
    """Return image's number → Keras's word, from what an earlier run left or newly computed."""
    served = artifact.served(artifact.artifacts_folder())
    facts = json.dumps([served, images.NAME, NUMBERS], sort_keys=True)
    path = VAR / f"reference-{hashlib.sha256(facts.encode()).hexdigest()[:12]}.json"
    if not path.is_file():
        VAR.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(  # noqa: S603 - this module
            [sys.executable, "-m", __name__], cwd=ROOT, check=True, stdout=subprocess.PIPE
        )
        replace(path, done.stdout)
    found = json.loads(path.read_text(encoding="utf-8"))
    return {int(number): Expected(*one) for number, one in found.items()}


def main() -> None:
    drawn = images.Images()
    outline = Outliner(artifact.load("vertebrae"), "keras").outline
    canonical = np.stack([images.canonical(drawn(number), outline) for number in NUMBERS])
    votes = {}
    for name in BASES:
        model = artifact.load(name)
        calibration = Calibration(**model.manifest["calibration"])
        raw = parity.raw_logits(reference(model), canonical)
        votes[name] = (calibration.probability(raw), model.version)
    stack = Stack.from_artifact(artifact.load("stack"))
    said = {}
    for place, number in enumerate(NUMBERS):
        verdict = stack.combine(
            {name: (float(p[place]), version) for name, (p, version) in votes.items()}
        )
        outcome = decide(verdict.probability, verdict.threshold, verdict.band)
        said[number] = (verdict.probability, outcome)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
