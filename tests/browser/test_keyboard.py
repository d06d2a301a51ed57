"""The whole way without a mouse."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, FileChooser, Page, expect

from tests.browser.places import result
from tests.browser.test_analyse import PNG, RESULT
from tests.browser.visits import Visit, opened
from tests.service.kit.fronts import Front

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

FOCUS = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  return [at.tagName, at.getAttribute("href") || at.name || at.id || at.textContent.trim(),
    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
}"""


async def tab_to(page: Page, name: str, steps: int = 60) -> None:
    """Press Tab until ``name`` (address, name, id or text) has the focus, and see that it shows."""
    for _ in range(steps):
        await page.keyboard.press("Tab")
        tag, here, outlined = await page.evaluate(FOCUS)
        if tag != "BODY":
            assert outlined, f"{tag} {here} has the focus and does not show it"
        if here == name:
            return
    raise AssertionError(f"no way to {name!r} by Tab")


async def test_from_upload_to_signature(visit: Visit) -> None:
    page = visit.page
    # Before the page is there: a chooser is caught only once the browser was told to.
    choosers: asyncio.Queue[FileChooser] = asyncio.Queue()
    page.on("filechooser", choosers.put_nowait)
    await visit.go("/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await tab_to(page, "file")
    await page.keyboard.press("Enter")
    async with asyncio.timeout(30):
        chooser = await choosers.get()
    await chooser.set_files(PNG)
    await expect(page.locator(".queued .state")).to_have_text("Waiting")
    await tab_to(page, "Analyse image")
    await page.keyboard.press("Enter")
    await page.wait_for_url(RESULT)
    sign = page.locator("summary", has_text="Sign: I agree with this outcome")
    await tab_to(page, await sign.inner_text())
    await page.keyboard.press("Enter")
    await tab_to(page, "reviewer")
    await page.keyboard.type("AB")
    await tab_to(page, "Sign")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("#review$"))
    await expect(page.locator("#review .standing")).to_contain_text("Signed by AB")


async def test_every_stop_on_the_result_page_shows(visit: Visit, shared: Front) -> None:
    await visit.go(await result(shared))
    seen = []
    for _ in range(120):
        await visit.page.keyboard.press("Tab")
        tag, here, outlined = await visit.page.evaluate(FOCUS)
        if tag == "BODY":
            break
        seen.append(here)
        assert outlined, f"{tag} {here} has the focus and does not show it"
    assert "/history" in seen
    assert "language" in seen


async def test_the_menu_on_a_small_screen(chromium: Browser, shared: Front) -> None:
    size = {"width": 320, "height": 640}
    for scripts in (True, False):
        url = str(shared.client.base_url)
        async with opened(chromium, url, viewport=size, java_script_enabled=scripts) as visit:
            await visit.go("/")
            link = visit.page.get_by_role("link", name="Models", exact=True)
            await expect(link).to_be_hidden()
            await visit.page.get_by_role("button", name="Menu").focus()
            await visit.page.keyboard.press("Enter")
            await expect(link).to_be_visible()
            await visit.page.keyboard.press("Escape")
            await expect(link).to_be_hidden()
            await visit.page.keyboard.press("Enter")
            await link.focus()
            await visit.page.keyboard.press("Enter")
            await visit.page.wait_for_url(re.compile("/models$"))
