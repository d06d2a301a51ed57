"""Two fronts behind each proxy that docs/behind-a-proxy.md shows, as its file is written there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.chart.authority import OPENSSL, certified
from tests.e2e.conftest import ROOT
from tests.ports import free_port
from tests.service.kit.accounts import PASSWORD, key, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.images import png
from tests.service.kit.runners import Held, running

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]

EXAMPLES: Final = ROOT / "docs" / "proxy"
UNPACKED: Final = ROOT / ".venv" / "proxies" / "usr"
HOST: Final = "dxa.clinic.example"
PIECE: Final = 64 * 1024
COMMANDS: Final = {
    "nginx.conf": (
        "nginx",
        "-p",
        "{folder}",
        "-e",
        "stderr",
        "-c",
        "{file}",
        "-g",
        "daemon off; pid {folder}/pid;",
    ),
    "haproxy.cfg": ("haproxy", "-f", "{file}"),
    "Caddyfile": ("caddy", "run", "--adapter", "caddyfile", "--config", "{file}"),
    "traefik.yaml": ("traefik", "--configFile={file}"),
}
BESIDE: Final = {"traefik.yaml": ("traefik-dynamic.yaml",)}
"""Files that an example names, which are written beside it."""

SOURCES: Final = {"traefik": "tests/e2e/install traefik builds it"}
"""Where what no package has comes from."""

TEMPORARY: Final = "".join(
    f"{kind}_temp_path {kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)


def program(name: str) -> str:
    places = os.pathsep.join((os.environ["PATH"], f"{UNPACKED}/sbin", f"{UNPACKED}/bin"))
    found = shutil.which(name, path=places)
    if found is None:
        source = SOURCES.get(name, "tests/e2e/install (part of make test) gets it")
        pytest.skip(f"no {name}: {source}")
    return found


@dataclass
class Behind:
    """Two fronts, and a client of the proxy before them."""

    client: httpx.AsyncClient
    fronts: tuple[Front, Front]
    below: str


def written(example: str, folder: Path, port: int, ports: tuple[int, int]) -> Path:
    """Return the example as a file of its own, with ports and certificates that there are here."""
    for beside in BESIDE.get(example, ()):
        written(beside, folder, port, ports)
    text = (EXAMPLES / example).read_text("utf-8")
    for before, after in (
        (r"/etc/osteoserve", str(folder)),
        (r"(listen |bind :)443", rf"\g<1>{port}"),
        (r'address: ":443"', f'address: "127.0.0.1:{port}"'),
        (rf"https://{HOST} ", f"https://{HOST}:{port} "),
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{ports[0]}"),
        (r"127\.0\.0\.1:8001", f"127.0.0.1:{ports[1]}"),
        # Loopback alone, and no port that only root may have.
        (r"bind :", "bind 127.0.0.1:"),
        (r"listen (\d)", r"listen 127.0.0.1:\g<1>"),
        # Debian's nginx has folders of its own, which need not be there.
        (r"(?m)^http \{", "http {\naccess_log off;\n" + TEMPORARY),
        (r"\badmin off", "admin off\n\tdefault_bind 127.0.0.1\n\thttp_port 0"),
    ):
        text = re.sub(before, after, text)
    file = folder / example
    file.write_text(text)
    return file


@asynccontextmanager
async def proxied(example: str, folder: Path, ports: tuple[int, int]) -> AsyncIterator[int]:
    """Run a proxy before the fronts at ``ports``; yield the port that it listens on."""
    port, (command, *arguments) = free_port(), COMMANDS[example]
    found = program(command)
    file = written(example, folder, port, ports)
    libraries = [str(one) for one in (UNPACKED / "lib").glob("*-linux-gnu")]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(  # noqa: ASYNC220 - a moment
        [found, *(one.format(file=file, folder=folder) for one in arguments)],
        cwd=folder,
        env={
            **os.environ,
            "LD_LIBRARY_PATH": os.pathsep.join(libraries),
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        },
        stdout=log,
        stderr=log,
    )
    try:
        async with asyncio.timeout(30):
            while not await listens(port):
                assert process.poll() is None, (folder / "log").read_text()
                await asyncio.sleep(0.05)
        yield port
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
        log.close()


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class Named(httpx.AsyncHTTPTransport):
    """Finds the proxy on loopback, by whatever name it is asked for."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # The request as it was is what cookies are kept by.
        there = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": HOST},
        )
        return await super().handle_async_request(there)


@pytest.fixture(scope="module", params=["", "/osteoserve"], ids=["root", "below"])
async def fronts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Front, Front]]:
    var, settings = (
        tmp_path_factory.mktemp("var"),
        {
            "auth": "local",
            "public_url": f"https://{HOST}{request.param}",
            "trusted_proxies": "127.0.0.1",
        },
    )
    async with AsyncExitStack() as stack:
        runners = await stack.enter_async_context(running())
        one = await stack.enter_async_context(front(var, runners, **settings))
        yield one, await stack.enter_async_context(front(var, runners, **settings))


@pytest.fixture(params=list(COMMANDS))
def example(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the proxy's certificate."""
    if OPENSSL is None:
        pytest.skip("no openssl, which makes the proxy's certificate")
    made = certified(tmp_path, HOST)
    (tmp_path / "tls.pem").write_text(made.certificate.read_text() + made.key.read_text())
    return tmp_path


@asynccontextmanager
async def browser(
    example: str, place: Path, ports: tuple[int, int]
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a proxy before the fronts at ``ports``."""
    trust = ssl.create_default_context(cafile=str(place / "ca.crt"))
    async with (
        proxied(example, place, ports) as port,
        httpx.AsyncClient(
            transport=Named(verify=trust),
            base_url=f"https://{HOST}:{port}",
            timeout=30,
            # As of one that has found the proxy at the port that https has.
            headers={"Host": HOST, "Origin": f"https://{HOST}", "Accept": "text/html"},
        ) as client,
    ):
        async with asyncio.timeout(30):
            # Traefik listens before it knows certificates and routes.
            while not await routed(client):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        yield client


async def routed(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).status_code == 200
    except httpx.ConnectError:
        return False


def port(opened: Front) -> int:
    found = opened.client.base_url.port
    assert found is not None
    return found


@pytest.fixture
async def behind(example: str, place: Path, fronts: tuple[Front, Front]) -> AsyncIterator[Behind]:
    one, two = fronts
    async with browser(example, place, (port(one), port(two))) as client:
        yield Behind(client, fronts, one.settings.sub_path)


async def test_somebody_signs_in_uploads_and_reads(behind: Behind) -> None:
    """Every front knows them, and every link is the proxy's."""
    login = f"ann-{secrets.token_hex(8)}"
    async with person(behind.fronts[0], login, "clinician"):
        nobody = await behind.client.get(f"{behind.below}/history")
        assert nobody.headers["location"] == f"{behind.below}/signin?next=/history"
        fields = {"login": login, "password": PASSWORD, "next": "/history"}
        signed_in = await behind.client.post(f"{behind.below}/signin", data=fields)
        assert signed_in.headers["location"] == f"{behind.below}/history"
        (cookie,) = signed_in.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-osteoserve")
        assert "; Secure" in cookie

        sent = await behind.client.post(
            f"{behind.below}/", files={"file": ("a.png", png(), "image/png")}
        )
        result = sent.headers["location"]
        assert result.startswith(f"{behind.below}/results/")
        pages = await asyncio.gather(*(behind.client.get(result) for _ in range(12)))
    assert {page.status_code for page in pages} == {200}
    assert all([await shown(opened) for opened in behind.fronts])


async def shown(opened: Front) -> float:
    """Return how many pages of results this front has answered."""
    return await opened.sample(
        "osteoserve_http_requests_total", method="GET", route="/results/{id}", status="200"
    )


# Caddy and Traefik close an HTTP/1.1 connection soon behind an answer that comes before the whole
# request, so that only whoever reads meanwhile is sure to see it.
@pytest.mark.parametrize("example", ["nginx.conf", "haproxy.cfg"], indirect=True)
async def test_a_large_upload_is_the_fronts_to_refuse(behind: Behind) -> None:
    token = await key(behind.fronts[0], "integrator")
    limit = behind.fronts[0].settings.max_upload_bytes
    answer = await behind.client.post(
        f"{behind.below}{API}",
        content=bytes(limit + 1),
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


async def test_whoever_reads_while_they_send_learns_that_it_is_too_large(
    behind: Behind, place: Path
) -> None:
    token = await key(behind.fronts[0], "integrator")
    size = 2 * behind.fronts[0].settings.max_upload_bytes
    path = f"{behind.below}{API}"
    assert await told(behind.client, place, path, token, size) == (413, "payload_too_large")


async def test_whoever_reads_while_they_send_learns_that_there_is_no_room(
    example: str, place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One upload waits for its answer, and half of another has no room beside it."""
    held = Held("cnn")
    largest = 32 * 2**20
    limits = {"max_upload_bytes": largest, "unfinished_bytes": largest}
    identity = {"auth": "local", "public_url": f"https://{HOST}", "trusted_proxies": "127.0.0.1"}
    async with (
        running(held) as runners,
        front(
            tmp_path_factory.mktemp("var"), runners, deadline_seconds=120, **limits, **identity
        ) as opened,
        browser(example, place, (port(opened), port(opened))) as client,
    ):
        token = await key(opened, "integrator")
        waiting = asyncio.create_task(
            opened.client.post(
                API,
                content=png() + bytes(largest // 2),
                headers={"Authorization": f"Bearer {token}"},
            )
        )
        try:
            await asyncio.wait_for(held.asked.wait(), 60)
            found = await told(client, place, API, token, largest)
        finally:
            held.go.set()
            assert (await waiting).status_code == 201
    assert found == (503, "too_many_uploads")


async def told(
    client: httpx.AsyncClient, place: Path, path: str, token: str, size: int
) -> tuple[int, str]:
    """Return status and code of what is answered to an upload; read while it is sent, as browsers
    do."""
    trust = ssl.create_default_context(cafile=str(place / "ca.crt"))
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", client.base_url.port, ssl=trust, server_hostname=HOST
    )
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
        f"Accept: application/json\r\nContent-Length: {size}\r\n\r\n"
    )

    async def send() -> None:
        # Whoever has answered need not take the rest.
        with suppress(OSError):
            writer.write(head.encode())
            for _ in range(size // PIECE):
                writer.write(bytes(PIECE))
                await writer.drain()

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(60):
            answered = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"(?i)^content-length: (\d+)", answered, re.MULTILINE)
            assert length, answered
            problem = json.loads(await reader.readexactly(int(length[1])))
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.transport.abort()
    return int(answered.split()[1]), problem["code"]


async def test_a_front_that_is_away_is_passed_by(
    example: str, place: Path, fronts: tuple[Front, Front]
) -> None:
    async with browser(example, place, (free_port(), port(fronts[0]))) as client:
        for _ in range(8):
            answer = await client.get(f"{fronts[0].settings.sub_path}/signin")
            assert answer.status_code == 200
