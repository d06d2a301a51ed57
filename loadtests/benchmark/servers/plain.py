"""The plain way: FastAPI, the networks and the stack in turn, ``keras.Model.predict`` a request."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI

from loadtests.benchmark.servers import shared
from models import artifact
from models.commands.verify import reference
from models.gate import quality
from models.inference.base import Outliner
from models.inference.calibration import Calibration
from models.inference.stack import Stack
from models.types import BASES


def keras() -> Callable[[bytes], dict[str, Any]]:
    """Return what answers to a file with Keras, in float32; of the base models nothing compiled."""
    gate = quality.served_gate()
    outliner = Outliner(artifact.load("vertebrae"), "keras")
    stack = Stack.from_artifact(artifact.load("stack"))
    loaded = {name: artifact.load(name) for name in BASES}
    models = {
        name: (reference(one), Calibration(**one.manifest["calibration"]), one.version)
        for name, one in loaded.items()
    }

    def predict(file: bytes) -> dict[str, Any]:
        scan, frame = shared.framed(file)
        (found,) = outliner.outline(frame[None])
        canonical = shared.prepared(scan, frame, found, gate)
        if canonical is None:
            return shared.REFUSED
        votes: dict[str, tuple[float, str]] = {}
        for name, (model, calibration, version) in models.items():
            logits, _ = model.raw_logits(canonical[None])
            votes[name] = (float(calibration.probability(logits)[0]), version)
        return shared.answer(stack.combine(votes))

    return predict


def create_app() -> FastAPI:
    app, judge = FastAPI(), keras()

    @app.get("/health")
    def health() -> str:
        return "ready"

    # Not async: FastAPI then runs what blocks in a thread.
    @app.post("/predict")
    def predict(file: Annotated[bytes, Body()]) -> dict[str, Any]:
        return judge(file)

    return app


if __name__ == "__main__":
    uvicorn.run(create_app(), host="127.0.0.1", port=int(sys.argv[1]), access_log=False)
