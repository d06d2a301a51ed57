"""IPv4 and IPv6: where a listener is found."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from starlette.types import Receive, Scope, Send

from listener.door import Door
from listener.limits import Limits
from listener.server import Server
from tests.ports import free_port


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


pytestmark = pytest.mark.anyio
FAMILIES = ["127.0.0.1", *(["::1"] if has_ipv6() else [])]


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    if request.param == "uvloop":
        return "asyncio", {"loop_factory": uvloop.new_event_loop}
    return "asyncio", {}


async def caller(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the address that the caller has."""
    address = scope["client"][0].encode()
    length = str(len(address)).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
    )
    await send({"type": "http.response.body", "body": address})


@asynccontextmanager
async def listening(host: str) -> AsyncIterator[int]:
    port = free_port()
    server = Server(caller, Door(Limits(), lambda _: None), host=host, port=port, lifespan="off")
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        await task


async def asked(address: str, port: int) -> str:
    reader, writer = await asyncio.open_connection(address, port)
    authority = f"[{address}]" if ":" in address else address
    writer.write(f"GET / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.rpartition(b"\r\n\r\n")[2].decode()


@pytest.mark.parametrize("address", FAMILIES)
async def test_everywhere_is_both_families_and_each_is_seen_by_its_own_address(
    address: str,
) -> None:
    async with listening("::") as port:
        assert await asked(address, port) == address


# uvloop's own sockets are made out of Python's sight.
@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_family_that_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Without(socket.socket):
        def __init__(self, family: int = socket.AF_INET, *rest: Any, **named: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(97, "Address family not supported by protocol")
            super().__init__(family, *rest, **named)

    monkeypatch.setattr(socket, "socket", Without)
    async with listening("::") as port:
        assert await asked("127.0.0.1", port) == "127.0.0.1"


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
async def test_an_address_of_its_own_is_listened_on_alone() -> None:
    async with listening("::1") as port:
        assert await asked("::1", port) == "::1"
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asked("127.0.0.1", port)
