"""From a file to an answer, less whatever lies between: the same for every contender."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import Any, Final

import numpy as np

from models import artifact
from models.gate import Gate, quality
from models.image.recipe import SIDE, Canonical
from models.inference import preparation
from models.inference.base import Outliner, Scorer
from models.inference.decision import decide
from models.inference.ensemble import Ensemble
from models.inference.stack import EnsemblePrediction
from models.reading import read
from models.runtime import RuntimeChoice
from models.types import BaseName

BATCH: Final = 8
"""Images at once at most, which is what the runners take."""

WAIT_SECONDS: Final = 0.01
"""How long a batch that is not full waits for more: Ray Serve's default, and the others' too."""

_ONE_AT_A_TIME: Final = threading.Lock()
"""Engines are no two threads' at once."""

REFUSED: Final = {"outcome": "refused", "probability": None}


def engine() -> RuntimeChoice:
    """Return what ``BENCH_ENGINE`` asks for: Keras, or what this project takes by itself.

    Keras is its graph in batches filled up to a power of two, which takes less time than
    ``predict`` and does not compile anew for each size: the better of two ways for a server.
    """
    return "keras" if os.environ["BENCH_ENGINE"] == "keras" else "auto"


def scorer(name: BaseName) -> Scorer:
    """Return a base model, warm for every size of a batch."""
    made = Scorer(artifact.load(name), engine())
    for size in range(1, BATCH + 1):
        made.score(np.zeros((size, SIDE, SIDE), np.uint8))
    return made


def ensemble() -> Ensemble:
    """Return all models, warm for every size of a batch."""
    made = Ensemble(runtime=engine())
    for size in range(1, BATCH + 1):
        made.predict(np.zeros((size, SIDE, SIDE), np.uint8))
    return made


def prepare(file: bytes, gate: Gate) -> Canonical | None:
    """Return what the models see of a file, None where it is refused.

    The vertebrae are found where this is called, one image after another: contenders' fronts hold
    that network themselves.
    """
    scan = read(file)
    with _ONE_AT_A_TIME:
        (found,) = preparation.prepare([scan], _outliner().outline)
    return found.canonical if quality.assess(scan, found.cleaned, gate).accepted else None


@cache
def _outliner() -> Outliner:
    return Outliner(artifact.load("vertebrae"), engine())


def answer(verdict: EnsemblePrediction) -> dict[str, Any]:
    outcome = decide(verdict.probability, verdict.threshold, verdict.band)
    return {"outcome": outcome, "probability": verdict.probability}
