"""The whole way with node's ``oidc-provider``, which takes nothing that is not as it should be."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from lxml import html

from service.clock import now
from tests.ports import free_port
from tests.service.identity.oidc.conftest import PROGRAMS, Opened, settings
from tests.service.identity.oidc.trail import rows
from tests.service.kit.accounts import bearer, browser
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.idp import Idp

pytestmark = [pytest.mark.anyio, pytest.mark.counterpart]

HERE = Path(__file__).parent


@dataclass
class House:
    front: Front
    issuer: str


@pytest.fixture(scope="module")
async def house(runners: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no node")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "provider.mjs"):
        shutil.copy(HERE / name, folder)
    fetched = await run(
        npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund",
        cwd=folder,
    )  # fmt: skip
    if await fetched.wait() != 0:
        pytest.skip("oidc-provider cannot be fetched")
    port, mine = free_port(), free_port()
    known_as = f"http://127.0.0.1:{mine}"
    issuer = f"http://127.0.0.1:{port}"
    process = await run(node, "provider.mjs", str(port), known_as, cwd=folder)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while b"listening" not in await process.stdout.readline():
                assert process.returncode is None
        chosen = settings(Idp(issuer=issuer), port=mine)
        async with front(tmp_path_factory.mktemp("var"), runners, **chosen) as opened:
            yield House(opened, issuer)
    finally:
        process.kill()
        await process.wait()


async def run(*command: str, cwd: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )


async def through(
    house: House, client: httpx.AsyncClient, there: httpx.AsyncClient, path: str
) -> httpx.Response:
    """Sign in by ``there``, a browser's cookies at the provider, and come back to ``client``."""
    address = (await client.get(path)).headers["location"]
    home = str(house.front.settings.public_url)
    while not address.startswith(home):
        answer = await there.get(address)
        assert answer.status_code in (302, 303), answer.text
        address = urljoin(address, answer.headers["location"])
    parts = urlsplit(address)
    return await client.get(f"{parts.path}?{parts.query}")


def elsewhere() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=30)


async def test_in_again_and_out(house: House) -> None:
    """Code flow with PKCE, ``max_age`` and ``auth_time``, sign-out there and its message here."""
    async with browser(house.front) as client, elsewhere() as there:
        came = await through(house, client, there, "/auth/oidc/signin?next=/history")
        assert (came.status_code, came.headers["location"]) == (303, "/history"), came.text
        (row,) = await rows(house.front, "SELECT idp_sub, idp_sid FROM session")
        assert row.idp_sub == "ann"
        assert row.idp_sid
        again = await through(house, client, there, "/auth/oidc/again?next=/account")
        assert (again.status_code, again.headers["location"]) == (303, "/account"), again.text
        (row,) = await rows(house.front, "SELECT signed_in_at FROM session")
        assert str(row.signed_in_at)[:10] == now().date().isoformat()
        # Another browser of the same person, at the same provider's session.
        async with browser(house.front) as other:
            assert (await through(house, other, there, "/auth/oidc/signin")).status_code == 303
            left = await client.post("/signout")
            (link,) = html.fromstring(left.text).xpath("//a[contains(@href, '/session/end')]/@href")
            asked = await there.get(link)
            assert asked.status_code == 200, asked.text
            form = html.fromstring(asked.text).forms[0]
            sent = {**dict(form.fields), "logout": "yes"}
            done = await there.post(form.action, data=sent)
            assert done.headers["location"].startswith(f"{house.front.settings.public_url}/signin")
            async with asyncio.timeout(10):
                while (await other.get(API)).status_code != 401:  # noqa: ASYNC110 - its own time
                    await asyncio.sleep(0.1)
    found = await rows(house.front, "SELECT detail FROM audit_event WHERE kind = 'signed_out'")
    assert '{"by":"idp"}' in {row.detail for row in found}


async def test_a_program_with_a_token_of_its_own(house: House) -> None:
    async with elsewhere() as there:
        answer = await there.post(
            f"{house.issuer}/token",
            data={"grant_type": "client_credentials"},
            auth=("pacs-router", "router"),
        )
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
    assert "pacs-router" in PROGRAMS
    assert (await house.front.client.get(API, headers=bearer(token))).status_code == 200
    forged = f"{token[:-8]}AAAAAAAA"
    assert (await house.front.client.get(API, headers=bearer(forged))).status_code == 401


async def test_without_the_secret_it_confirms_nothing(
    house: House, opened: Opened, own: Idp
) -> None:
    chosen = {"oidc_issuer": house.issuer, "public_url": house.front.settings.public_url}
    async with opened(**chosen, oidc_client_secret="wrong") as other:  # noqa: S106 - no secret
        async with browser(other) as client, elsewhere() as there:
            refused = await through(house, client, there, "/auth/oidc/signin")
        assert refused.status_code == 400
        assert "code_refused" in refused.text
