"""LitServe: one server with an API a model, each in a worker process of its own, batching on.

As its pages on multiple endpoints, batching and concurrency advise. An API that asks others is
asynchronous and does so over HTTP: LitServe has no other way from one to the next.
"""

# No annotations from the future: LitServe hands those of ``decode_request`` on as they stand.

import argparse
import asyncio
from typing import Annotated, Any, Final

import aiohttp
import litserve
import numpy as np
from fastapi import Body

from loadtests.benchmark.servers import judging
from models import artifact
from models.gate import quality
from models.image.recipe import SIDE, Canonical
from models.inference.stack import Stack
from models.types import BASES, BaseName

File = Annotated[bytes, Body()]
Votes = dict[str, tuple[float, str]]


class Base(litserve.LitAPI):
    """Scores canonical images, whose bytes are the body."""

    def __init__(self, name: BaseName) -> None:
        super().__init__(judging.BATCH, judging.WAIT_SECONDS, api_path=f"/{name}")
        self._name = name

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe passes it
        self._scorer = judging.scorer(self._name)

    def decode_request(self, request: File) -> Canonical:
        return np.frombuffer(request, np.uint8).reshape(SIDE, SIDE)

    def batch(self, inputs: list[Canonical]) -> Any:
        return np.stack(inputs)

    def predict(self, x: Any) -> list[tuple[float, str]]:
        return [(vote.probability, self._scorer.version) for vote in self._scorer.score(x)]

    def unbatch(self, output: list[tuple[float, str]]) -> list[tuple[float, str]]:
        return output

    def encode_response(self, output: tuple[float, str]) -> Any:
        return {"vote": output}


class Combiner(litserve.LitAPI):
    def __init__(self) -> None:
        super().__init__(api_path="/stack")

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe passes it
        self._stack = Stack.from_artifact(artifact.load("stack"))

    def decode_request(self, request: Votes) -> Votes:
        return request

    def predict(self, x: Votes) -> dict[str, Any]:
        return judging.answer(self._stack.combine(x))

    def encode_response(self, output: dict[str, Any]) -> Any:
        return output


class Front(litserve.LitAPI):
    def __init__(self, url: str) -> None:
        super().__init__(api_path="/predict", enable_async=True)
        self._url = url

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe passes it
        self._gate = quality.served_gate()
        self._session: aiohttp.ClientSession | None = None

    async def decode_request(self, request: File) -> Canonical | None:
        return await asyncio.to_thread(judging.prepare, request, self._gate)

    async def predict(self, x: Canonical | None) -> dict[str, Any]:
        if x is None:
            return judging.REFUSED
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        image = x.tobytes()
        said = await asyncio.gather(*(self._ask(name, data=image) for name in BASES))
        votes = {name: one["vote"] for name, one in zip(BASES, said, strict=True)}
        return await self._ask("stack", json=votes)

    async def encode_response(self, output: dict[str, Any]) -> Any:
        return output

    async def _ask(self, name: str, **body: Any) -> dict[str, Any]:
        assert self._session is not None  # noqa: S101 - predict made it
        headers = {"Content-Type": "application/octet-stream"} if "data" in body else None
        async with self._session.post(f"{self._url}/{name}", headers=headers, **body) as response:
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
            return answer


class Whole(litserve.LitAPI):
    """All four models in one worker."""

    def __init__(self) -> None:
        super().__init__(judging.BATCH, judging.WAIT_SECONDS, api_path="/predict")

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe passes it
        self._gate = quality.served_gate()
        self._ensemble = judging.ensemble()

    def decode_request(self, request: File) -> Canonical | None:
        return judging.prepare(request, self._gate)

    def batch(self, inputs: list[Canonical | None]) -> list[Canonical | None]:
        return list(inputs)

    def predict(self, x: list[Canonical | None]) -> list[dict[str, Any]]:
        accepted = [image for image in x if image is not None]
        verdicts = iter(self._ensemble.predict(np.stack(accepted)) if accepted else ())
        return [judging.REFUSED if i is None else judging.answer(next(verdicts)) for i in x]

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return output

    def encode_response(self, output: dict[str, Any]) -> Any:
        return output


HOST: Final = "127.0.0.1"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.benchmark.servers.lit_serve")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topology", choices=("each", "one"), required=True)
    options = parser.parse_args()
    apis: list[litserve.LitAPI] = [Whole()]
    if options.topology == "each":
        front = Front(f"http://{HOST}:{options.port}")
        apis = [front, *(Base(name) for name in BASES), Combiner()]
    server = litserve.LitServer(apis, accelerator="cpu", workers_per_device=1, timeout=60)
    server.run(
        host=HOST,
        port=options.port,
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )


if __name__ == "__main__":
    main()
