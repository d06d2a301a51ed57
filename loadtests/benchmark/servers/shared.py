"""Shared model code of all systems: from a file to an answer, less whatever carries it.

A model is a function of items to as many answers: pixels or JSON in, JSON out, as bytes.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models import artifact
from models.gate import Gate, quality
from models.image import recipe
from models.image.cropping import crop
from models.image.recipe import SIDE, Canonical
from models.image.scan import Scan
from models.inference.base import Outliner, Scorer, base_name
from models.inference.decision import decide
from models.inference.stack import EnsemblePrediction, Stack
from models.reading import read
from models.runtime import RuntimeChoice
from models.types import BASES
from models.vertebrae.geometry import Outlined
from protocol.answers import Outline

MODELS: Final = ("vertebrae", *BASES, "stack")
BATCH: Final = 8  # Images at once at most, which is what the runners take
WAIT_SECONDS: Final = 0.01
"""How long a batch that is not full waits for more: Ray Serve's default, and the others' too."""
REFUSED: Final = {"outcome": "refused", "probability": None}
Model = Callable[[list[bytes]], list[bytes]]
Call = Callable[[str, bytes], Awaitable[bytes]]  # Asks a model, by its name, about one item


def model(name: str) -> Model:
    """Return a model, warm for every size of a batch.

    ``BENCH_ENGINE`` says on what: ``keras`` is its graph in batches filled up to a power of two,
    faster than ``predict``; else what this project takes by itself.
    """
    engine: RuntimeChoice = "keras" if os.environ.get("BENCH_ENGINE") == "keras" else "auto"
    if name == "stack":
        stack = Stack.from_artifact(artifact.load("stack"))
        return lambda items: [dumped(answer(stack.combine(json.loads(one)))) for one in items]
    if name == "vertebrae":
        outliner = Outliner(artifact.load("vertebrae"), engine)

        def compute(images: NDArray[np.uint8]) -> list[bytes]:
            found = outliner.outline(images)
            return [
                Outline.from_outlined(one, outliner.version).model_dump_json().encode()
                for one in found
            ]
    else:
        scorer = Scorer(artifact.load(base_name(name)), engine)

        def compute(images: NDArray[np.uint8]) -> list[bytes]:
            return [dumped([one.probability, scorer.version]) for one in scorer.score(images)]

    for size in range(1, BATCH + 1):
        compute(np.zeros((size, SIDE, SIDE), np.uint8))
    return lambda items: compute(
        np.stack([np.frombuffer(one, np.uint8).reshape(SIDE, SIDE) for one in items])
    )


async def predict(file: bytes, gate: Gate, call: Call) -> bytes:
    """Return the answer to a file, as JSON."""
    scan, frame = await asyncio.to_thread(framed, file)
    outline = Outline.model_validate_json(await call("vertebrae", frame.tobytes()))
    found = outline.to_outlined()
    canonical = await asyncio.to_thread(prepared, scan, frame, found, gate)
    if canonical is None:
        return dumped(REFUSED)
    image = canonical.tobytes()
    votes = await asyncio.gather(*(call(name, image) for name in BASES))
    return await call("stack", dumped(dict(zip(BASES, map(json.loads, votes), strict=True))))


def framed(file: bytes) -> tuple[Scan, Canonical]:
    scan = crop(read(file)).scan
    return scan, recipe.frame(scan)


def prepared(scan: Scan, frame: Canonical, found: Outlined, gate: Gate) -> Canonical | None:
    """Return what the base models see, None where the gate refuses it."""
    cleaned = recipe.cleaned(frame, found.graphics)
    if found.spine is None or not quality.assess(scan, cleaned, gate).accepted:
        return None
    return recipe.prepare(scan, found.spine, found.graphics)


def answer(said: EnsemblePrediction) -> dict[str, Any]:
    outcome = decide(said.probability, said.threshold, said.band)
    return {"outcome": outcome, "probability": said.probability}


def dumped(document: Any) -> bytes:
    return json.dumps(document).encode()
