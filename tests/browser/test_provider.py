"""Signing in and out at an identity provider of another site, under our own policy: case A21."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.visits import opened
from tests.ports import free_port
from tests.service.kit.fronts import Front, front
from tests.service.kit.idp import CLIENT, SECRET, Idp, idp
from tests.service.kit.runners import running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Front, Idp]]:
    """A front at an address and a provider at a name: two sites, as a browser sees them."""
    port = free_port()
    async with (
        running() as runners,
        idp(host="localhost", claims={"groups": ["readers"]}) as provider,
        front(
            tmp_path_factory.mktemp("var"),
            runners,
            auth="local",
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            oidc_name="Klinikum",
            oidc_roles=json.dumps({"readers": ["clinician", "administrator"]}),
        ) as started,
    ):
        yield started, provider


@pytest.mark.parametrize("scripts", [True, False])
async def test_a21_signing_in_and_out_reach_the_provider(
    chromium: Browser, house: tuple[Front, Idp], scripts: bool
) -> None:
    """Case A21: Chromium applies ``form-action`` to redirects after a POST, so both are links."""
    front, provider = house
    context = await chromium.new_context(java_script_enabled=scripts)
    try:
        page = await context.new_page()
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
        await page.goto(f"{front.settings.public_url}/history")
        await page.get_by_role("link", name="Sign in with Klinikum").click()
        await page.wait_for_url(f"{front.settings.public_url}/history")
        # Once more, as before a signature.
        await page.goto(f"{front.settings.public_url}/auth/oidc/again?next=/account")
        await page.wait_for_url(f"{front.settings.public_url}/account")
        asked = provider.last("/authorize")
        assert (asked["prompt"], asked["max_age"]) == ("login", "0")
        await page.get_by_role("button", name="Sign out").first.click()
        await page.get_by_role("link", name="Sign out at Klinikum too").click()
        await page.wait_for_url(f"{provider.issuer}/leave**")
        assert provider.last("/leave")["client_id"] == CLIENT
        await page.goto(f"{front.settings.public_url}/history")
        assert page.url.startswith(f"{front.settings.public_url}/signin")
        assert not [one for one in refused if "Content Security Policy" in one]
    finally:
        await context.close()


async def test_its_pages_read_well(
    chromium: Browser, house: tuple[Front, Idp], screenshots: Path
) -> None:
    front, _provider = house
    addresses = {"signin": "/signin", "refused": f"/auth/oidc/callback?state={'s' * 43}"}
    async with opened(chromium, front.settings.public_url or "") as visit:
        for name, address in addresses.items():
            await visit.go(address)
            assert await visit.grave() == []
            picture = screenshots / f"provider-{name}.png"
            await visit.page.screenshot(path=picture, full_page=True)
