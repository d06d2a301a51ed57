"""MLServer: custom runtimes with adaptive batching, and a custom handler that takes the file.

As its pages on custom runtimes, adaptive batching, parallel inference and gRPC advise: tensors go
over gRPC, not as JSON. A server that hosts one model runs it in its own process, which spares a
hop, and on its own loop: what comes meanwhile is the next batch.

``PORT`` starts the front and, below it, a server a model: ``PORT NAME GRPC METRICS``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Final

import grpc
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub
from mlserver.handlers import custom_handler
from mlserver.settings import ModelParameters
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput
from starlette.requests import Request
from starlette.responses import Response

from loadtests import processes
from loadtests.benchmark.servers import shared
from models.gate import quality

HOST: Final = "127.0.0.1"
PORTS: Final = "BENCH_PORTS"  # gRPC's port of each model, as JSON


class Front(MLModel):
    async def load(self) -> bool:
        self._gate = quality.served_gate()
        self._stubs = {
            name: GRPCInferenceServiceStub(grpc.aio.insecure_channel(f"{HOST}:{port}"))
            for name, port in json.loads(os.environ[PORTS]).items()
        }
        return True

    @custom_handler(rest_path="/predict")
    async def judge(self, request: Request) -> Response:
        said = await shared.predict(await request.body(), self._gate, self._call)
        return Response(said, media_type="application/json")

    async def _call(self, name: str, item: bytes) -> bytes:
        asked = InferenceRequest(
            inputs=[RequestInput(name="item", shape=[1], datatype="BYTES", data=[item])]
        )
        request = ModelInferRequestConverter.from_types(asked, model_name=name)
        # Until its server is there too.
        response = await self._stubs[name].ModelInfer(request, wait_for_ready=True)
        outputs = ModelInferResponseConverter.to_types(response).outputs
        return bytes(next(iter(outputs[0].data)))


class Model(MLModel):
    async def load(self) -> bool:
        self._model = shared.model(self.name)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        said = self._model(list(payload.inputs[0].data))
        output = ResponseOutput(name="said", shape=[len(said)], datatype="BYTES", data=said)
        return InferenceResponse(model_name=self.name, outputs=[output])


def serve(name: str, port: int, grpc_port: int, metrics_port: int) -> None:
    settings = Settings(
        debug=False,
        host=HOST,
        http_port=port,
        grpc_port=grpc_port,
        metrics_port=metrics_port,
        parallel_workers=0,
        gzip_enabled=False,
    )
    implementation, batching = Front, {}
    if name != "front":
        implementation = Model
        batching = {"max_batch_size": shared.BATCH, "max_batch_time": shared.WAIT_SECONDS}
    model = ModelSettings(
        name=name, implementation=implementation, parameters=ModelParameters(), **batching
    )
    asyncio.run(MLServer(settings).start([model]))


def start(port: int) -> None:
    """Start a server a model, and be the front."""
    ports = processes.free_ports(
        [f"{kind} {name}" for name in ("front", *shared.MODELS) for kind in ("http", "grpc", "own")]
    )
    for name in shared.MODELS:
        given = [str(ports[f"{kind} {name}"]) for kind in ("http", "grpc", "own")]
        command = [sys.executable, "-m", "loadtests.benchmark.servers.ml_server", given[0], name]
        processes.start([*command, *given[1:]], None, {})
    os.environ[PORTS] = json.dumps({name: ports[f"grpc {name}"] for name in shared.MODELS})
    serve("front", port, ports["grpc front"], ports["own front"])


if __name__ == "__main__":
    if len(sys.argv) > 2:
        serve(sys.argv[2], *(int(sys.argv[place]) for place in (1, 3, 4)))
    else:
        start(int(sys.argv[1]))
