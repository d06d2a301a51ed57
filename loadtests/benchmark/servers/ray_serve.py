"""Ray Serve: model composition by deployment handles, batching by ``@serve.batch``.

As its pages on composition, dynamic batching and performance advise: asynchronous deployments, the
handles' calls made before any is awaited, more requests on their way to a replica than a batch
takes, and ``RAY_SERVE_THROUGHPUT_OPTIMIZED``, its own switch for what a benchmark would turn.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from typing import Any, Final

import numpy as np
import ray
from ray import serve
from ray.serve.handle import DeploymentHandle
from starlette.requests import Request

from loadtests.benchmark.servers import judging
from models import artifact
from models.gate import quality
from models.image.recipe import Canonical
from models.inference.stack import Stack
from models.runtime import usable_cpus
from models.types import BASES, BaseName

Votes = dict[str, tuple[float, str]]

# Five replicas on two CPUs: none reserves one, and each may use all, as our runners do. The queue
# before a batch must hold more than one batch, or the next waits for the last one's answers.
OPTIONS: Final[dict[str, Any]] = {
    "max_ongoing_requests": 1000,
    "ray_actor_options": {
        "num_cpus": 0,
        "runtime_env": {"env_vars": {"OMP_NUM_THREADS": str(usable_cpus())}},
    },
}


class Base:
    def __init__(self, name: BaseName) -> None:
        self._scorer = judging.scorer(name)

    async def ready(self) -> bool:
        """Answer once the model is warm: Ray's own health path does so before any replica is."""
        return True

    @serve.batch(max_batch_size=judging.BATCH, batch_wait_timeout_s=judging.WAIT_SECONDS)
    async def score(self, images: list[Canonical]) -> list[tuple[float, str]]:
        # In a thread: the loop goes on to gather the next batch.
        votes = await asyncio.to_thread(self._scorer.score, np.stack(images))
        return [(vote.probability, self._scorer.version) for vote in votes]


class Combiner:
    def __init__(self) -> None:
        self._stack = Stack.from_artifact(artifact.load("stack"))

    @serve.batch(max_batch_size=judging.BATCH, batch_wait_timeout_s=0)
    async def combine(self, votes: list[Votes]) -> list[dict[str, Any]]:
        return [judging.answer(self._stack.combine(one)) for one in votes]


class Front:
    def __init__(self, bases: dict[BaseName, DeploymentHandle], stack: DeploymentHandle) -> None:
        self._gate = quality.served_gate()
        self._bases = bases
        self._stack = stack

    async def __call__(self, request: Request) -> dict[str, Any]:
        if request.method == "GET":
            await asyncio.gather(*(base.ready.remote() for base in self._bases.values()))
            return {"ready": True}
        file = await request.body()
        canonical = await asyncio.to_thread(judging.prepare, file, self._gate)
        if canonical is None:
            return judging.REFUSED
        asked = {name: base.score.remote(canonical) for name, base in self._bases.items()}
        votes = {name: await answer for name, answer in asked.items()}
        answer: dict[str, Any] = await self._stack.combine.remote(votes)
        return answer


class Whole:
    """All four models in one replica."""

    def __init__(self) -> None:
        self._gate = quality.served_gate()
        self._ensemble = judging.ensemble()

    async def __call__(self, request: Request) -> dict[str, Any]:
        if request.method == "GET":
            return {"ready": True}
        file = await request.body()
        canonical = await asyncio.to_thread(judging.prepare, file, self._gate)
        if canonical is None:
            return judging.REFUSED
        answer: dict[str, Any] = await self.judge(canonical)
        return answer

    @serve.batch(max_batch_size=judging.BATCH, batch_wait_timeout_s=judging.WAIT_SECONDS)
    async def judge(self, images: list[Canonical]) -> list[dict[str, Any]]:
        verdicts = await asyncio.to_thread(self._ensemble.predict, np.stack(images))
        return [judging.answer(verdict) for verdict in verdicts]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.benchmark.servers.ray_serve")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topology", choices=("each", "one"), required=True)
    options = parser.parse_args()
    ray.init(
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=f"{tempfile.gettempdir()}/ray",
        object_store_memory=200_000_000,
    )
    serve.start(http_options={"host": "127.0.0.1", "port": options.port})
    deployment = serve.deployment(**OPTIONS)
    if options.topology == "one":
        application = deployment(Whole).bind()
    else:
        bases = {name: deployment(Base).options(name=name).bind(name) for name in BASES}
        application = deployment(Front).bind(bases, deployment(Combiner).bind())
    serve.run(application, blocking=True)


if __name__ == "__main__":
    main()
