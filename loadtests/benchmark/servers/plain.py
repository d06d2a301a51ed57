"""The plain way: FastAPI, ``keras.Model.predict`` a request, the networks and the stack in turn."""

from __future__ import annotations

import argparse
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI

from loadtests.benchmark.servers import judging
from models import artifact
from models.commands.verify import reference
from models.gate import quality
from models.inference.calibration import Calibration
from models.inference.stack import Stack
from models.types import BASES


def create_app() -> FastAPI:
    app = FastAPI()
    gate = quality.served_gate()
    stack = Stack.from_artifact(artifact.load("stack"))
    loaded = {name: artifact.load(name) for name in BASES}
    models = {
        name: (reference(one), Calibration(**one.manifest["calibration"]), one.version)
        for name, one in loaded.items()
    }

    @app.get("/health")
    def health() -> str:
        return "ready"

    # Not async: FastAPI then runs what blocks in a thread.
    @app.post("/predict")
    def predict(file: Annotated[bytes, Body()]) -> dict[str, Any]:
        canonical = judging.prepare(file, gate)
        if canonical is None:
            return judging.REFUSED
        votes: dict[str, tuple[float, str]] = {}
        for name, (model, calibration, version) in models.items():
            logits, _ = model.raw_logits(canonical[None])
            votes[name] = (float(calibration.probability(logits)[0]), version)
        return judging.answer(stack.combine(votes))

    return app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.benchmark.servers.plain")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(create_app(), host="127.0.0.1", port=options.port, access_log=False)


if __name__ == "__main__":
    main()
