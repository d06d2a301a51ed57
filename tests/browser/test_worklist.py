"""A technician's and a radiologist's way through the worklist, in a browser, with accounts."""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.browser.places import result
from tests.browser.test_accounts import entered
from tests.browser.visits import Visit, opened
from tests.service.kit import images
from tests.service.kit.accounts import Somebody, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

WIDTHS = (320, 390, 768, 1280)


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as made,
    ):
        yield made


@pytest.fixture(scope="module")
async def ann(guarded: Front) -> AsyncIterator[Somebody]:
    async with person(guarded, "ann", "clinician") as somebody:
        yield somebody


@pytest.fixture
async def hers(chromium: Browser, guarded: Front, ann: Somebody) -> AsyncIterator[Visit]:
    size = {"width": 1280, "height": 800}
    async with opened(chromium, str(guarded.client.base_url), viewport=size) as visit:
        await entered(visit, ann)
        yield visit


def picture(name: str) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": images.png() + uuid4().bytes}


async def send(somebody: Somebody, reference: str) -> str:
    files = {"file": ("scan.png", images.png() + uuid4().bytes, "image/png")}
    answer = await somebody.client.post(API, files=files, data={"patient_reference": reference})
    return str(answer.json()["id"])


async def test_a_technician_sends_scans_with_their_patients_finds_and_exports_them(
    hers: Visit, tmp_path: Path
) -> None:
    page = hers.page
    await hers.go("/")
    # One image: all that is known goes with it.
    await page.set_input_files("#file", picture("alone.png"))
    await page.get_by_label("Patient reference").first.fill("T-100")
    await page.get_by_label("Scan acquired on").first.fill("2025-11-03")
    await page.get_by_text("Scanner, BMD, T- and Z-score, sex, age").click()
    await page.get_by_label("Spine BMD").fill("9")
    await page.get_by_role("button", name="Analyse image").click()
    wrong = page.get_by_label("Spine BMD")
    await expect(wrong).to_have_attribute("aria-invalid", "true")
    await expect(wrong).to_be_focused()
    await wrong.fill("0,9")
    await page.get_by_role("button", name="Analyse image").click()
    await page.wait_for_url(re.compile("/results/"))
    head = page.get_by_role("region", name="T-100")
    for told in ("3 November 2025", "BMD 0.900", "alone.png"):
        await expect(head).to_contain_text(told)
    # Several: each has its own.
    await hers.go("/")
    await page.set_input_files("#file", [picture(f"t-{number}.png") for number in range(3)])
    rows = page.locator(".queued")
    await expect(rows).to_have_count(3)
    await expect(page.get_by_role("group", name="Whom it shows")).to_be_hidden()
    for number in range(3):
        await rows.nth(number).get_by_label("Patient reference").fill(f"T-20{number % 2}")
    await page.get_by_role("button", name="Analyse images").click()
    await expect(page.get_by_text("All images are done.")).to_be_visible()
    # Found again, in any case, and none of it in the address.
    await hers.go("/history")
    await page.get_by_label("Part of the reference").fill("t-20")
    await page.get_by_role("button", name="Find", exact=True).click()
    await expect(page.locator("tr[data-result]")).to_have_count(3)
    assert "t-20" not in page.url.lower()
    await expect(page.get_by_text("1 to 3 of 3")).to_be_visible()
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="CSV").click()
    download = await waiting.value
    await download.save_as(tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert sorted(row["patient"] for row in table) == ["T-200", "T-200", "T-201"]
    assert {row["file"] for row in table} == {"t-0.png", "t-1.png", "t-2.png"}


async def pressed(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def test_a_radiologist_reads_by_keyboard_alone(
    hers: Visit, ann: Somebody, guarded: Front
) -> None:
    mark = uuid4().hex[:6]
    ids = [await send(ann, f"R-{mark}/{number}") for number in range(6)]
    page = hers.page
    await hers.go("/history?reviewed=false")
    await pressed(page, "j", "j", "k")
    await expect(page.locator("tr.here")).to_contain_text(f"R-{mark}/5")
    await pressed(page, "ArrowDown", "ArrowUp", "Enter")
    await page.wait_for_url(re.compile(f"/results/{ids[5]}$"))
    for number in (5, 4, 3):
        await expect(page.get_by_role("region", name=f"R-{mark}/{number}")).to_be_visible()
        await pressed(page, "s")
        await expect(page.get_by_role("button", name="Sign", exact=True)).to_be_focused()
        await pressed(page, "Enter")
        await page.wait_for_url(re.compile("#review$"))
        await expect(page.locator("#review .standing")).to_contain_text("Signed by Ann")
        await pressed(page, "n")
        await page.wait_for_url(re.compile(f"/results/{ids[number - 1]}$"))
    # The fourth is something else.
    await pressed(page, "o")
    outcome = page.get_by_label("Your outcome")
    await expect(outcome).to_be_focused()
    await page.keyboard.type("Indeterminate")
    await pressed(page, "Tab")
    await page.keyboard.type("Marked degeneration; the hip decides.")
    await pressed(page, "Tab", "Enter")
    await expect(page.locator("#review .standing")).to_contain_text("Overridden by Ann")
    # Before that its script does not listen yet.
    await page.wait_for_load_state("load")
    await pressed(page, "n")
    await page.wait_for_url(re.compile(f"/results/{ids[1]}$"))
    # Of the fifth something is said and left open; letters typed there are text.
    await pressed(page, "c")
    await page.keyboard.type("so note: compare with the next hip scan")
    await pressed(page, "Tab", "Enter")
    await expect(page.locator("#review")).to_contain_text("Comment by Ann")
    await expect(page.locator("#review .standing")).to_contain_text("Preliminary until signed.")
    # The first signature was a mistake.
    await hers.go(f"/results/{ids[5]}")
    await page.locator("summary", has_text="Withdraw what was signed").press("Enter")
    await page.locator("#withdraw-reason").fill("Signed the wrong result.")
    await page.get_by_role("button", name="Withdraw", exact=True).press("Enter")
    await expect(page.locator("#review")).to_contain_text("Signature withdrawn by Ann")
    await page.wait_for_load_state("load")
    await pressed(page, "f")
    await expect(page.get_by_role("button", name="Flagged")).to_be_visible()
    await page.wait_for_load_state("load")
    await pressed(page, "l")
    await page.wait_for_url(re.compile("/history$"))
    await page.get_by_role("link", name="Flagged", exact=True).click()
    await expect(page.locator("tr[data-result]")).to_have_count(1)


async def test_the_keys_are_told_and_can_be_turned_off(hers: Visit, ann: Somebody) -> None:
    await send(ann, "K-1")
    page = hers.page
    await hers.go("/history")
    await pressed(page, "?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    await expect(dialog).to_be_visible()
    assert await hers.grave() == []
    # What is behind does not hear.
    await pressed(page, "n")
    assert page.url.endswith("/history")
    await dialog.get_by_label("Single keys do these things in this browser").uncheck()
    await pressed(page, "Escape")
    await expect(dialog).to_be_hidden()
    await pressed(page, "j")
    await expect(page.locator("tr.here")).to_have_count(0)
    await hers.go("/history")
    await pressed(page, "?")
    await expect(dialog).to_be_hidden()
    await page.get_by_role("button", name="Keyboard").click()
    await expect(dialog).to_be_visible()
    await dialog.get_by_label("Single keys do these things in this browser").check()
    await dialog.get_by_role("button", name="Close").click()
    await pressed(page, "j")
    await expect(page.locator("tr.here")).to_have_count(1)


async def test_all_of_it_without_scripts(chromium: Browser, guarded: Front, ann: Somebody) -> None:
    id = await send(ann, "N-1")
    url = str(guarded.client.base_url)
    async with opened(chromium, url, java_script_enabled=False) as visit:
        await entered(visit, ann)
        page = visit.page
        await visit.go("/history")
        await expect(page.get_by_role("button", name="Keyboard")).to_be_hidden()
        await page.get_by_role("link", name="Next unread").click()
        await page.wait_for_url(re.compile("/results/"))
        await visit.go(f"/results/{id}")
        await page.get_by_role("button", name="Flag", exact=True).click()
        await expect(page.get_by_role("button", name="Flagged")).to_be_visible()
        await page.get_by_label("Who reads it").select_option("Ann (you)")
        await page.get_by_role("button", name="Assign").click()
        await page.get_by_role("link", name="Retire").click()
        await page.get_by_label("Why").select_option("It was a test")
        await page.get_by_role("button", name="Retire").click()
        await expect(page.get_by_text("It was a test.")).to_be_visible()
        await page.get_by_role("button", name="List it again").click()
        await expect(page.get_by_role("link", name="Retire")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", ["worklist", "reading", "retire", "sending"])
async def test_a_page(
    chromium: Browser,
    guarded: Front,
    ann: Somebody,
    screenshots: Path,
    name: str,
    language: str,
) -> None:
    id = await send(ann, "ward-7/a very long reference of somebody who was often here")
    await ann.client.post(f"{API}/{id}/reviews", json={"action": "sign"})
    withdraw = {"action": "withdraw", "reason": "Signed the wrong result."}
    await ann.client.post(f"{API}/{id}/reviews", json=withdraw)
    await ann.client.post(f"/results/{id}/flag", data={"flagged": "yes"})
    await ann.client.post(f"/results/{id}/assign", data={"person": str(ann.id)})
    path = {
        "worklist": "/history?flagged=true",
        "reading": f"/results/{id}",
        "retire": f"/results/{id}/retire",
        "sending": "/",
    }[name]
    for width in WIDTHS:
        size = {"width": width, "height": 800}
        url = str(guarded.client.base_url)
        async with opened(chromium, url, viewport=size, locale=language) as visit:
            await entered(visit, ann)
            await visit.go(path)
            assert await visit.sideways() <= 0, f"wider than {width} px"
            assert await visit.shifted() < 0.01
            for theme in ("light", "dark"):
                await visit.themed(theme)
                assert await visit.grave() == []
                picture = screenshots / f"w-{name}-{language}-{width}-{theme}.png"
                await visit.page.screenshot(path=picture, full_page=True)


async def test_the_list_of_where_nobody_signs_in(visit: Visit, shared: Front) -> None:
    await result(shared)
    await visit.go("/history")
    assert await visit.sideways() <= 0
    assert await visit.grave() == []
