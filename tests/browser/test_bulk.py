"""Many images at once: sent, watched, stopped; with scripts and without."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.test_analyse import PNG, RESULT, file, never
from tests.browser.visits import Visit, opened
from tests.service.kit import images
from tests.service.kit.batches import zipped
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import Held, running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

BATCH = re.compile(r"/bulk/[0-9a-f-]{36}$")
SEVERAL = [PNG, file("narrow.png", "image/png", images.unusable()), file("scan", "", b"no image")]
ZIP = file("scans.zip", "application/zip", zipped(*(one["buffer"] for one in SEVERAL)))
WAYS = {"several": SEVERAL, "zip": [ZIP]}


@asynccontextmanager
async def holding(
    chromium: Browser, folder: Path, **options: Any
) -> AsyncIterator[tuple[Visit, Held]]:
    """A window on a front of its own, whose CNN answers when told to."""
    held = Held("cnn")
    async with (
        running(held) as runners,
        front(folder, runners, deadline_seconds=60) as held_front,
        opened(chromium, str(held_front.client.base_url), **options) as visit,
    ):
        try:
            yield visit, held
        finally:
            held.go.set()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("way", WAYS)
async def test_sent(chromium: Browser, shared: Front, way: str, scripts: bool) -> None:
    url = str(shared.client.base_url)
    async with opened(chromium, url, java_script_enabled=scripts) as visit:
        page = visit.page
        await visit.go("/bulk")
        await page.set_input_files("#file", WAYS[way])
        await page.get_by_role("button", name="Analyse images").click()
        await page.wait_for_url(BATCH)
        # With scripts the page changes by itself; without, it is loaded anew every five seconds.
        await expect(page.get_by_role("heading", name="Finished")).to_be_visible(timeout=20_000)
        rows = page.locator("tbody tr")
        await expect(rows).to_have_count(3)
        for row, told in enumerate(("Signs of osteoporosis", "Not judged", "Not an image we read")):
            await expect(rows.nth(row)).to_contain_text(told)
        await rows.first.get_by_role("link").click()
        await page.wait_for_url(RESULT)


async def test_progress_is_live(chromium: Browser, tmp_path: Path, screenshots: Path) -> None:
    async with holding(chromium, tmp_path) as (visit, held):
        page = visit.page
        await visit.go("/bulk")
        await page.set_input_files("#file", [SEVERAL[2], PNG, PNG])
        await page.get_by_role("button", name="Analyse images").click()
        await page.wait_for_url(BATCH)
        await expect(page.locator("#told")).to_have_text("1 of 3 images finished")
        await page.evaluate("() => { window.same = true }")
        assert await visit.grave() == []
        await page.screenshot(path=screenshots / "batch-running.png", full_page=True)
        # What has the focus keeps it, whatever comes meanwhile.
        stop = page.get_by_role("button", name="Stop after the image in hand")
        await stop.focus()
        held.go.set()
        await expect(page.get_by_role("heading", name="Finished")).to_be_visible()
        await expect(page.locator("#told")).to_have_text("3 of 3 images finished")
        await expect(page.get_by_role("status")).to_have_text("Finished: 3 of 3 images finished")
        await expect(stop).to_have_count(0)
        assert await page.evaluate("() => window.same"), "the page was loaded anew"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_stopped(chromium: Browser, tmp_path: Path, scripts: bool) -> None:
    async with holding(chromium, tmp_path, java_script_enabled=scripts) as (visit, held):
        page = visit.page
        await visit.go("/bulk")
        await page.set_input_files("#file", [PNG] * 4)
        await page.get_by_role("button", name="Analyse images").click()
        await page.wait_for_url(BATCH)
        await held.asked.wait()
        await page.get_by_role("button", name="Stop after the image in hand").click()
        await expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
        await expect(page.get_by_text("Not analysed:")).to_be_visible()


async def test_an_upload_is_cancelled(visit: Visit) -> None:
    page = visit.page
    await visit.go("/bulk")
    await page.set_input_files("#file", SEVERAL)
    await page.route("**/bulk", never)
    send = page.get_by_role("button", name="Analyse images")
    await send.click()
    await expect(send).to_be_disabled()
    await page.get_by_role("button", name="Cancel").click()
    await expect(send).to_be_enabled()
    await expect(page.locator(".sending")).to_be_hidden()
    assert page.url.endswith("/bulk")
    await page.unroute_all(behavior="ignoreErrors")


async def test_what_cannot_be_taken_is_said_before_it_is_sent(visit: Visit) -> None:
    page = visit.page
    await visit.go("/bulk")
    await page.eval_on_selector("#bulk", "form => { form.dataset.maxItems = '2' }")
    await page.set_input_files("#file", SEVERAL)
    await expect(page.get_by_role("alert")).to_have_text(
        "These are more files than one batch takes."
    )
    await page.set_input_files("#file", [PNG])
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_what_the_server_says_is_said(visit: Visit) -> None:
    page = visit.page
    await visit.go("/bulk")
    await page.set_input_files("#file", [file("bad.zip", "application/zip", b"PK\3\4 cut short")])
    await page.get_by_role("button", name="Analyse images").click()
    await expect(page.get_by_role("alert")).to_contain_text("Archive cannot be taken")
    assert await visit.grave() == []


@pytest.mark.parametrize(
    ("status", "said"), [(413, "a proxy refused it"), (502, "does not answer now")]
)
async def test_a_proxys_own_answer_is_told_apart(visit: Visit, status: int, said: str) -> None:
    async def answer(route: Route) -> None:
        if route.request.method == "POST":
            await route.fulfill(status=status, content_type="text/html", body="<h1>Sorry</h1>")
        else:
            await route.continue_()

    await visit.go("/bulk")
    await visit.page.set_input_files("#file", [PNG])
    await visit.page.route("**/bulk", answer)
    await visit.page.get_by_role("button", name="Analyse images").click()
    await expect(visit.page.get_by_role("alert")).to_contain_text(said)
