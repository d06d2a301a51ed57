"""The whole way with Keycloak: sign-in, groups, key rotation, its sign-out and its programs.

``OSTEOSERVE_TEST_KEYCLOAK`` names a folder that it was unpacked to; else Maven fetches it. It takes
minutes, and a Java that it runs on (``JAVA_HOME``).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from lxml import html

from tests.ports import free_port
from tests.service.identity.oidc.conftest import settings
from tests.service.kit.accounts import bearer, browser
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.idp import Idp

pytestmark = [pytest.mark.anyio, pytest.mark.counterpart]

HERE = Path(__file__).parent
ARTIFACT: Final = "org.keycloak:keycloak-quarkus-dist:26.7.3:zip"
ADMIN: Final = {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin"}


@dataclass
class House:
    front: Front
    base: str

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[httpx.AsyncClient]:
        """Yield a client of the realms' administration."""
        async with httpx.AsyncClient(trust_env=False, timeout=60, base_url=self.base) as client:
            sent = {"grant_type": "password", "client_id": "admin-cli", "username": "admin"}
            answer = await client.post(
                "/realms/master/protocol/openid-connect/token", data={**sent, "password": "admin"}
            )
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield client


@pytest.fixture(scope="module")
async def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keycloak")
    named = os.environ.get("OSTEOSERVE_TEST_KEYCLOAK")
    if named is not None:
        return Path(shutil.copytree(named, folder / "copy", symlinks=True))
    maven = shutil.which("mvn")
    if maven is None:
        pytest.skip("there is no Maven to fetch Keycloak with")
    process = await asyncio.create_subprocess_exec(
        maven, "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}",
        f"-DoutputDirectory={folder}", cwd=folder,
    )  # fmt: skip
    if await process.wait() != 0:
        pytest.skip("Keycloak cannot be fetched")
    (archive,) = folder.glob("*.zip")
    await asyncio.to_thread(_unpack, archive, folder)
    (found,) = (one for one in folder.iterdir() if one.is_dir())
    (found / "bin" / "kc.sh").chmod(0o755)
    return found


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)


@pytest.fixture(scope="module")
async def house(
    runners: Any, unpacked: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    port, mine = free_port(), free_port()
    known_as, base = f"http://127.0.0.1:{mine}", f"http://127.0.0.1:{port}"
    realm = (HERE / "realm.json").read_text().replace("FRONT", known_as)
    (unpacked / "data" / "import").mkdir(parents=True, exist_ok=True)
    (unpacked / "data" / "import" / "clinic.json").write_text(realm)
    log = (unpacked / "log").open("wb")
    process = await asyncio.create_subprocess_exec(
        str(unpacked / "bin" / "kc.sh"), "start-dev", "--import-realm", f"--http-port={port}",
        "--http-host=127.0.0.1", stdout=log, stderr=log, env={**os.environ, **ADMIN},
        start_new_session=True,
    )  # fmt: skip
    try:
        if not await answers(f"{base}/realms/clinic", process):
            pytest.skip(f"Keycloak does not start: {(unpacked / 'log').read_text()[-2000:]}")
        chosen = settings(Idp(issuer=f"{base}/realms/clinic"), port=mine)
        async with front(tmp_path_factory.mktemp("var"), runners, **chosen) as opened:
            yield House(opened, base)
    finally:
        if process.returncode is None:
            # The script has started Java, which is in its group.
            os.killpg(process.pid, 9)
        await process.wait()
        log.close()


async def answers(url: str, process: asyncio.subprocess.Process, seconds: float = 900) -> bool:
    end = asyncio.get_running_loop().time() + seconds
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        while process.returncode is None and asyncio.get_running_loop().time() < end:
            try:
                if (await client.get(url)).status_code == 200:
                    return True
            except httpx.HTTPError:
                pass
            await asyncio.sleep(1)
    return False


async def through(
    house: House, client: httpx.AsyncClient, there: httpx.AsyncClient, path: str, who: str
) -> httpx.Response:
    """Sign ``who`` in by ``there``, a browser's cookies at Keycloak, and come back."""
    address = (await client.get(path)).headers["location"]
    home = str(house.front.settings.public_url)
    answer = await there.get(address)
    while not answer.is_redirect or not str(answer.headers["location"]).startswith(home):
        if answer.is_redirect:
            address = urljoin(str(answer.url), answer.headers["location"])
            answer = await there.get(address)
            continue
        form = html.fromstring(answer.text).get_element_by_id("kc-form-login")
        sent = {"username": who, "password": f"{who}'s own", "credentialId": ""}
        answer = await there.post(urljoin(str(answer.url), form.action), data=sent)
    parts = urlsplit(answer.headers["location"])
    return await client.get(f"{parts.path}?{parts.query}")


def elsewhere() -> httpx.AsyncClient:
    client = httpx.AsyncClient(trust_env=False, timeout=60)

    async def with_cookies(request: httpx.Request) -> None:
        """As a browser does, to which loopback is as good as https: Keycloak's are for that."""
        kept = (f"{one.name}={one.value}" for one in client.cookies.jar)
        request.headers["Cookie"] = "; ".join(kept)

    client.event_hooks = {"request": [with_cookies], "response": []}
    return client


async def test_in_again_and_out(house: House) -> None:
    async with browser(house.front) as client, elsewhere() as there:
        came = await through(house, client, there, "/auth/oidc/signin?next=/history", "ann")
        assert (came.status_code, came.headers["location"]) == (303, "/history"), came.text
        assert "Ann Clinician" in (await client.get("/account")).text
        again = await through(house, client, there, "/auth/oidc/again?next=/account", "ann")
        assert (again.status_code, again.headers["location"]) == (303, "/account"), again.text
        async with browser(house.front) as other:
            assert (
                await through(house, other, there, "/auth/oidc/signin", "ann")
            ).status_code == 303
            left = await client.post("/signout")
            (link,) = html.fromstring(left.text).xpath("//a[contains(@href, '/logout?')]/@href")
            done = await there.get(link)
            # With the id_token it asks nothing.
            assert done.headers["location"] == f"{house.front.settings.public_url}/signin"
            async with asyncio.timeout(20):
                while (await other.get(API)).status_code != 401:  # noqa: ASYNC110 - its own time
                    await asyncio.sleep(0.2)


async def test_nobody_without_a_group(house: House) -> None:
    async with browser(house.front) as client, elsewhere() as there:
        refused = await through(house, client, there, "/auth/oidc/signin", "eve")
    assert refused.status_code == 403
    assert "no_role" in refused.text


async def test_signed_out_by_an_administrator_there(house: House) -> None:
    async with browser(house.front) as client, elsewhere() as there, house.admin() as admin:
        came = await through(house, client, there, "/auth/oidc/signin", "ann")
        assert came.status_code == 303, came.text
        (ann,) = (await admin.get("/admin/realms/clinic/users?username=ann")).json()
        gone = await admin.post(f"/admin/realms/clinic/users/{ann['id']}/logout")
        assert gone.status_code == 204
        async with asyncio.timeout(20):
            while (await client.get(API)).status_code != 401:  # noqa: ASYNC110 - another process has no event
                await asyncio.sleep(0.2)


async def test_a26_a_new_key_is_taken(house: House) -> None:
    """Case A26."""
    async with house.admin() as admin:
        realm = (await admin.get("/admin/realms/clinic")).json()
        made = await admin.post(
            "/admin/realms/clinic/components",
            json={
                "name": "newer", "providerId": "rsa-generated", "parentId": realm["id"],
                "providerType": "org.keycloak.keys.KeyProvider",
                "config": {"priority": ["500"], "algorithm": ["RS256"]},
            },
        )  # fmt: skip
        assert made.status_code == 201, made.text
    async with browser(house.front) as client, elsewhere() as there:
        came = await through(house, client, there, "/auth/oidc/signin", "ann")
        assert came.status_code == 303, came.text


async def test_a_program_with_a_token_of_its_own(house: House) -> None:
    async with elsewhere() as there:
        answer = await there.post(
            f"{house.base}/realms/clinic/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=("pacs-router", "router"),
        )
    token = answer.json()["access_token"]
    assert (await house.front.client.get(API, headers=bearer(token))).status_code == 200
