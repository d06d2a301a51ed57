"""Every form over plain http from a name that is not loopback: no Sec-Fetch-Site comes from there.

A clinic's own network, ``http://dxa.clinic.example``, straight or through a proxy that has a mind
of its own about Referrer-Policy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Page, async_playwright, expect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.browser.conftest import FLAGS, executable
from tests.browser.test_analyse import PNG, RESULT
from tests.browser.test_bulk import BATCH, SEVERAL
from tests.service.kit.accounts import PASSWORD
from tests.service.kit.fronts import front
from tests.service.kit.runners import running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NAME = "http://dxa.clinic.example"
TOKEN = "t" * 40
PAGES = ("/", "/bulk", "/treatment", "/history", "/people", "/keys", "/account", "/audit")


class Hardened:
    """A proxy's middleware that adds a header of its own, as many are told to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"referrer-policy", b"no-referrer")]
            await send(message)

        await self._app(scope, receive, with_header)


@asynccontextmanager
async def clinic(
    folder: Path, scripts: bool, proxied: bool
) -> AsyncIterator[tuple[Page, list[str]]]:
    """A window in the clinic's network, and what it posted: status, path and origin."""

    def change(app: FastAPI) -> None:
        if proxied:
            app.add_middleware(Hardened)

    settings = {"auth": "local", "public_url": NAME, "first_administrator": TOKEN}
    async with (
        running() as runners,
        front(folder, runners, change, **settings) as opened,
        async_playwright() as playwright,
    ):
        port = opened.client.base_url.port
        rules = f"--host-resolver-rules=MAP dxa.clinic.example:80 127.0.0.1:{port}"
        browser = await playwright.chromium.launch(
            executable_path=executable(), args=[*FLAGS, rules]
        )
        context = await browser.new_context(locale="en-GB", java_script_enabled=scripts)
        page, posted = await context.new_page(), list[str]()

        async def note(response: object) -> None:
            request = response.request  # type: ignore[attr-defined]
            if request.method == "POST":
                headers = await request.all_headers()
                assert "sec-fetch-site" not in headers, "or it is not what is tried here"
                origin = headers.get("origin", "none")
                path = request.url.removeprefix(NAME)
                posted.append(f"{response.status} {path} from {origin}")  # type: ignore[attr-defined]

        page.on("response", note)
        try:
            yield page, posted
        finally:
            await browser.close()


async def click(page: Page, *names: str) -> None:
    for name in names:
        await page.get_by_role("button", name=name).first.click()


@pytest.mark.parametrize("proxied", [False, True], ids=["straight", "no-referrer by a proxy"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_from_the_first_account_to_signing_out(
    tmp_path: Path, scripts: bool, proxied: bool
) -> None:
    async with clinic(tmp_path, scripts, proxied) as (page, posted):
        await page.goto(f"{NAME}/setup#{TOKEN}")
        if not scripts:
            await page.locator("#token").fill(TOKEN)
        await page.get_by_label("Name for signing in").fill("first")
        await page.get_by_label("Your name").fill("First One")
        await page.locator("#password").fill(PASSWORD)
        await page.locator("#again").fill(PASSWORD)
        await page.get_by_label("I also send images").check()
        await click(page, "Make the account")
        await page.wait_for_url(f"{NAME}/")

        await page.set_input_files("#file", PNG)
        await click(page, "Analyse image")
        await page.wait_for_url(RESULT)
        await expect(page.locator("h1")).to_have_text("Signs of osteoporosis")
        await click(page, "Deutsch")
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        await click(page, "English")
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        signing = page.locator("details:has(form[action$='/reviews'])").first
        await signing.locator("summary").click()
        await signing.locator("button[type=submit]").click()
        await expect(page.get_by_text("by First One").first).to_be_visible()

        await page.goto(f"{NAME}/bulk")
        await page.set_input_files("#file", SEVERAL)
        await click(page, "Analyse images")
        await page.wait_for_url(BATCH)

        await others(page, PAGES)
        await page.goto(f"{NAME}/history")
        await click(page, "Sign out")
        await page.wait_for_url(f"{NAME}/signin*")
        await page.get_by_label("Name for signing in").fill("first")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.locator("form[action='/signin'] button[type=submit]").click()
        await page.wait_for_url(f"{NAME}/")
    paths = {line.split()[1].partition("?")[0] for line in posted}
    assert {"/setup", "/", "/language", "/bulk", "/signout", "/signin", "/people", "/keys"} <= paths
    assert all(line.endswith(f" from {NAME}") for line in posted), posted
    assert not [line for line in posted if line.startswith("403")], posted


async def others(page: Page, paths: Sequence[str]) -> None:
    """Send each form of the pages at ``paths`` as it stands, whatever its fields lack."""
    for path in paths:
        await page.goto(NAME + path)
        forms = "form[method=post]:not([action='/signout']):not([action='/language'])"
        for number in range(await page.locator(forms).count()):
            await page.goto(NAME + path)
            form = page.locator(forms).nth(number)
            async with page.expect_navigation():
                await form.evaluate("form => HTMLFormElement.prototype.submit.call(form)")
