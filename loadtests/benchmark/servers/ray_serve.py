"""Ray Serve: model composition by deployment handles, batching by ``@serve.batch``.

As its pages on composition, dynamic batching and performance advise: asynchronous deployments, more
requests on their way to a replica than a batch takes, ``RAY_SERVE_THROUGHPUT_OPTIMIZED``.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from typing import Any, Final

import ray
from ray import serve
from ray.serve.handle import DeploymentHandle
from starlette.requests import Request
from starlette.responses import Response

from loadtests.benchmark.servers import shared
from models.gate import quality
from models.runtime import usable_cpus

# Seven replicas on few CPUs: none reserves one, and each may use all, as our runners do. The queue
# before a batch must hold more than one batch, or the next waits for the last one's answers.
OPTIONS: Final[dict[str, Any]] = {
    "max_ongoing_requests": 1000,
    "ray_actor_options": {
        "num_cpus": 0,
        "runtime_env": {"env_vars": {"OMP_NUM_THREADS": str(usable_cpus())}},
    },
}


class Model:
    def __init__(self, name: str) -> None:
        self._model = shared.model(name)

    async def ready(self) -> bool:
        """Answer once the model is warm: Ray's own health path does so before any replica is."""
        return True

    @serve.batch(max_batch_size=shared.BATCH, batch_wait_timeout_s=shared.WAIT_SECONDS)
    async def answer(self, items: list[bytes]) -> list[bytes]:
        # In a thread: the loop goes on to gather the next batch.
        return await asyncio.to_thread(self._model, items)


class Front:
    def __init__(self, models: dict[str, DeploymentHandle]) -> None:
        self._gate = quality.served_gate()
        self._models = models

    async def __call__(self, request: Request) -> Response:
        if request.method == "GET":
            await asyncio.gather(*(model.ready.remote() for model in self._models.values()))
            return Response(b"ready")
        said = await shared.predict(await request.body(), self._gate, self._call)
        return Response(said, media_type="application/json")

    async def _call(self, name: str, item: bytes) -> bytes:
        answer: bytes = await self._models[name].answer.remote(item)
        return answer


if __name__ == "__main__":
    ray.init(
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=f"{tempfile.gettempdir()}/ray",
        object_store_memory=200_000_000,
    )
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    deployment = serve.deployment(**OPTIONS)
    models = {name: deployment(Model).options(name=name).bind(name) for name in shared.MODELS}
    serve.run(deployment(Front).bind(models), blocking=True)
