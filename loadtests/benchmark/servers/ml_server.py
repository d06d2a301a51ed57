"""MLServer: custom runtimes with adaptive batching, and a custom handler that takes the file.

As its pages on custom runtimes, adaptive batching, parallel inference and gRPC advise: tensors go
over gRPC, not as JSON, and an image is one element of bytes. A server that hosts one model runs it
in its own process (``parallel_workers`` 0), which spares a hop. A model blocks its own server's
loop: what comes meanwhile is the next batch, where one in a thread would be sent a batch every few
milliseconds, full or not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from typing import Final

import grpc
import numpy as np
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.context import model_context
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub
from mlserver.handlers import custom_handler
from mlserver.settings import ModelParameters
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from loadtests.benchmark.servers import judging
from models import artifact
from models.gate import quality
from models.image.recipe import SIDE, Canonical
from models.inference.stack import Stack
from models.types import BASES, BaseName

HOST: Final = "127.0.0.1"


class Front(MLModel):
    async def load(self) -> bool:
        self._gate = quality.served_gate()
        self._stubs = {
            name: GRPCInferenceServiceStub(grpc.aio.insecure_channel(f"{HOST}:{port}"))
            for name, port in json.loads(os.environ["BENCH_PORTS"]).items()
        }
        return True

    @custom_handler(rest_path="/predict")
    async def judge(self, request: Request) -> Response:
        file = await request.body()
        canonical = await asyncio.to_thread(judging.prepare, file, self._gate)
        if canonical is None:
            return JSONResponse(judging.REFUSED)
        image = canonical.tobytes()
        said = await asyncio.gather(*(self._ask(name, image) for name in BASES))
        votes = {name: json.loads(one) for name, one in zip(BASES, said, strict=True)}
        verdict = await self._ask("stack", json.dumps(votes).encode())
        return Response(verdict, media_type="application/json")

    async def _ask(self, name: str, content: bytes) -> bytes:
        request = ModelInferRequestConverter.from_types(_asked(content), model_name=name)
        response = await self._stubs[name].ModelInfer(request)
        return _said(ModelInferResponseConverter.to_types(response))[0]


class Base(MLModel):
    async def load(self) -> bool:
        self._scorer = judging.scorer(_base(self.name))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        images = np.stack([_canonical(content) for content in _contents(payload)])
        votes = self._scorer.score(images)
        said = [json.dumps([vote.probability, self._scorer.version]).encode() for vote in votes]
        return _answer(self.name, said)


class Combiner(MLModel):
    async def load(self) -> bool:
        self._stack = Stack.from_artifact(artifact.load("stack"))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        verdicts = [self._stack.combine(json.loads(votes)) for votes in _contents(payload)]
        return _answer(self.name, [json.dumps(judging.answer(one)).encode() for one in verdicts])


class Whole(MLModel):
    """All four models, and the handler that takes the file."""

    async def load(self) -> bool:
        self._gate = quality.served_gate()
        self._ensemble = judging.ensemble()
        return True

    @custom_handler(rest_path="/predict")
    async def judge(self, request: Request) -> Response:
        file = await request.body()
        canonical = await asyncio.to_thread(judging.prepare, file, self._gate)
        if canonical is None:
            return JSONResponse(judging.REFUSED)
        # Not the method below: MLServer has put its batcher in that one's place, and the batcher's
        # metrics want to know whose they are.
        with model_context(self.settings):
            response = await self.predict(_asked(canonical.tobytes()))
        return Response(_said(response)[0], media_type="application/json")

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        images = np.stack([_canonical(content) for content in _contents(payload)])
        verdicts = self._ensemble.predict(images)
        return _answer(self.name, [json.dumps(judging.answer(one)).encode() for one in verdicts])


def _asked(content: bytes) -> InferenceRequest:
    return InferenceRequest(
        inputs=[RequestInput(name="item", shape=[1], datatype="BYTES", data=[content])]
    )


def _answer(name: str, said: list[bytes]) -> InferenceResponse:
    output = ResponseOutput(name="said", shape=[len(said)], datatype="BYTES", data=said)
    return InferenceResponse(model_name=name, outputs=[output])


def _contents(payload: InferenceRequest) -> list[bytes]:
    return list(payload.inputs[0].data)


def _said(response: InferenceResponse) -> list[bytes]:
    return list(response.outputs[0].data)


def _canonical(content: bytes) -> Canonical:
    return np.frombuffer(content, np.uint8).reshape(SIDE, SIDE)


def _base(name: str) -> BaseName:
    return next(base for base in BASES if base == name)


IMPLEMENTATIONS: Final[dict[str, type[MLModel]]] = {
    "front": Front,
    **dict.fromkeys(BASES, Base),
    "stack": Combiner,
    "whole": Whole,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.benchmark.servers.ml_server")
    parser.add_argument("--role", choices=tuple(IMPLEMENTATIONS), required=True)
    for kind in ("port", "grpc-port", "metrics-port"):
        parser.add_argument(f"--{kind}", type=int, required=True)
    options = parser.parse_args()
    settings = Settings(
        debug=False,
        host=HOST,
        http_port=options.port,
        grpc_port=options.grpc_port,
        metrics_port=options.metrics_port,
        parallel_workers=0,
        gzip_enabled=False,
    )
    implementation = IMPLEMENTATIONS[options.role]
    # A front has nothing to batch; elsewhere the names of the settings say what is meant.
    batching = {} if options.role == "front" else {
        "max_batch_size": judging.BATCH, "max_batch_time": judging.WAIT_SECONDS,
    }  # fmt: skip
    model = ModelSettings(
        name=options.role,
        implementation=implementation,
        parameters=ModelParameters(),
        **batching,
    )
    asyncio.run(MLServer(settings).start([model]))


if __name__ == "__main__":
    main()
