"""LitServe: one server with an API a model, each in a worker process of its own, batching on.

An API that asks others does so over HTTP: LitServe has no other way from one to the next.
"""

# No annotations from the future: LitServe hands those of ``decode_request`` on as they stand.

import sys
from typing import Annotated, Any, Final

import aiohttp
import litserve
from fastapi import Body
from starlette.responses import Response

from loadtests.benchmark.servers import shared
from models.gate import quality

HOST: Final = "127.0.0.1"
Content = Annotated[bytes, Body()]


class Model(litserve.LitAPI):
    def __init__(self, name: str) -> None:
        super().__init__(shared.BATCH, shared.WAIT_SECONDS, api_path=f"/{name}")
        self._name = name

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe passes it
        self._model = shared.model(self._name)

    def decode_request(self, request: Content) -> bytes:
        return request

    def batch(self, inputs: list[bytes]) -> list[bytes]:
        return inputs

    def predict(self, x: list[bytes]) -> list[bytes]:
        return self._model(x)

    def unbatch(self, output: list[bytes]) -> list[bytes]:
        return output

    def encode_response(self, output: bytes) -> Response:
        return Response(output, media_type="application/json")


class Front(litserve.LitAPI):
    def __init__(self, url: str) -> None:
        super().__init__(api_path="/predict", enable_async=True)
        self._url = url

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe passes it
        self._gate = quality.served_gate()
        self._session: aiohttp.ClientSession | None = None

    async def decode_request(self, request: Content) -> bytes:
        return request

    async def predict(self, x: bytes) -> bytes:
        return await shared.predict(x, self._gate, self._call)

    async def encode_response(self, output: bytes) -> Response:
        return Response(output, media_type="application/json")

    async def _call(self, name: str, item: bytes) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        headers = {"Content-Type": "application/octet-stream"}
        async with self._session.post(f"{self._url}/{name}", headers=headers, data=item) as answer:
            answer.raise_for_status()
            return await answer.read()


if __name__ == "__main__":
    port = int(sys.argv[1])
    apis: list[Any] = [Front(f"http://{HOST}:{port}"), *map(Model, shared.MODELS)]
    server = litserve.LitServer(apis, accelerator="cpu", workers_per_device=1, timeout=60)
    server.run(
        host=HOST,
        port=port,
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
