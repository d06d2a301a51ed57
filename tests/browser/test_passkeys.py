"""Passkeys in Chromium, by its virtual authenticator, under our policy for scripts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, CDPSession, Page, expect

from tests.browser.visits import Visit, opened
from tests.service.identity.passkeys import at
from tests.service.kit.accounts import PASSWORD, Somebody, person
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as made,
    ):
        yield made


async def entered(visit: Visit, somebody: Somebody) -> None:
    token = somebody.client.cookies["osteoserve"]
    await visit.context.add_cookies([{"name": "osteoserve", "value": token, "url": visit.url}])


async def device(page: Page, *, verifies: bool = True) -> CDPSession:
    """Give the browser a device that holds passkeys; ``verifies``: it knows its owner."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verifies,
    }
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_passkey_is_made_and_signs_in(
    chromium: Browser, guarded: Front, screenshots: Path, language: str
) -> None:
    size = {"width": 320, "height": 900}
    async with (
        person(guarded, f"key.{language}", "clinician") as somebody,
        opened(chromium, at(guarded), viewport=size, locale=language) as visit,
    ):
        page = visit.page
        await device(page)
        await entered(visit, somebody)
        await visit.go("/account/passkeys")
        await expect(page.locator(".without")).to_be_hidden()
        await page.locator("#name").fill("Schlüssel")
        assert await visit.grave() == []
        await page.locator("[data-makes]").click()
        await expect(page.locator("code.secret")).to_have_count(10)
        await page.locator("main a.button").click()
        await expect(page.locator("tbody th")).to_have_text("Schlüssel")
        assert await visit.sideways() <= 0
        assert await visit.grave() == []
        await page.screenshot(path=screenshots / f"passkeys-one-{language}.png", full_page=True)
        await page.locator(".who button").click()
        await page.wait_for_url(re.compile("/signin$"))
        assert await visit.grave() == []
        await page.screenshot(path=screenshots / f"signin-passkey-{language}.png", full_page=True)
        await page.locator("[data-passkey]").click()
        await expect(page.locator(".who a")).to_have_text(somebody.login.title())
        # And in place of a code, after the password.
        await page.locator(".who button").click()
        await page.locator("#login").fill(somebody.login)
        await page.locator("#password").fill(PASSWORD)
        await page.locator("main form button[type=submit]").click()
        await page.wait_for_url(re.compile("/signin/second$"))
        assert await visit.grave() == []
        await page.locator("[data-passkey]").click()
        await expect(page.locator(".who a")).to_have_text(somebody.login.title())


async def test_a_device_that_does_not_know_its_owner_signs_nobody_in(
    chromium: Browser, guarded: Front
) -> None:
    async with opened(chromium, at(guarded)) as visit:
        page = visit.page
        await device(page, verifies=False)
        await visit.go("/signin")
        await page.locator("[data-passkey]").click()
        await expect(page.locator(".passkey .error-text")).to_be_visible()
        assert page.url.endswith("/signin")
        assert await visit.grave() == []


async def test_without_scripts_a_page_says_what_passkeys_need(
    chromium: Browser, guarded: Front
) -> None:
    async with (
        person(guarded, "key.none", "clinician") as somebody,
        opened(chromium, at(guarded), java_script_enabled=False) as visit,
    ):
        await entered(visit, somebody)
        await visit.go("/account/passkeys")
        await expect(visit.page.get_by_text("Passkeys need scripts")).to_be_visible()
        await expect(visit.page.locator("[data-makes]")).to_be_hidden()
        await visit.page.get_by_role("link", name="Second factor").click()
        await expect(visit.page.get_by_role("button", name="Set it up")).to_be_visible()
