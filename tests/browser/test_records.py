"""What is kept: found again, given its facts, followed over time, taken away. Scripts or none."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect

from tests.browser.places import result, studies
from tests.browser.visits import Visit, opened
from tests.service.kit.fronts import Front

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
async def either(
    request: pytest.FixtureRequest, chromium: Browser, shared: Front
) -> AsyncIterator[Visit]:
    url = str(shared.client.base_url)
    async with opened(chromium, url, java_script_enabled=request.param) as made:
        yield made


async def test_facts_are_entered_and_kept(either: Visit, shared: Front) -> None:
    page = either.page
    place = await result(shared)
    await either.go(place + "/study")
    await page.get_by_label("Patient reference").fill("ward-7/0007")
    await page.get_by_label("Spine BMD").fill("9,01")
    await page.get_by_label("Spine T-score").fill("−2,1")
    await page.get_by_label("L2").check()
    await page.get_by_label("L3").check()
    await page.get_by_label("Sex").select_option("Female")
    await page.get_by_role("button", name="Keep these facts").click()
    wrong = page.get_by_label("Spine BMD")
    await expect(page.get_by_role("alert")).to_contain_text("One field needs another value.")
    await expect(wrong).to_have_attribute("aria-invalid", "true")
    await expect(wrong).to_have_accessible_description(re.compile(r"0\.422 to 1\.901"))
    await expect(page.get_by_label("L3")).to_be_checked()
    await wrong.fill("0,901")
    await page.get_by_role("button", name="Keep these facts").click()
    await page.wait_for_url(re.compile(place + "#study$"))
    study = page.locator("section[aria-labelledby=study]")
    for fact in ("ward-7/0007", "0.901", "−2.1", "L2", "Female"):
        await expect(study).to_contain_text(fact)
    assert "ward-7" not in page.url


async def test_a_patient_is_found_and_followed(either: Visit, shared: Front) -> None:
    page = either.page
    reference = f"ward-8/{uuid4()}"
    await studies(shared, reference)
    await either.go("/history")
    await page.get_by_text("One patient over time").click()
    await page.get_by_label("Patient reference").fill(reference)
    await page.get_by_role("button", name="Show studies").click()
    await expect(page.get_by_role("heading", name="One patient over time")).to_be_visible()
    assert "ward-8" not in page.url
    await expect(page.locator("main strong").first).to_have_text(reference)
    rows = page.locator("section[aria-labelledby=studies] tbody tr")
    await expect(rows).to_have_count(5)
    told = (
        "the first",
        "Not comparable with the study of 1 April 2021: they are of different machines",
        "Loss since 1 April 2021",
        "Not comparable with the study of 20 March 2023: they are of different vertebrae",
        "Loss since 1 April 2021",
    )
    for number, sentence in enumerate(told):
        await expect(rows.nth(number)).to_contain_text(sentence)
    chart = page.get_by_role("img", name=re.compile("^BMD of 5 studies"))
    await expect(chart).to_be_visible()
    await rows.nth(1).get_by_role("link").click()
    await page.wait_for_url(re.compile("/results/"))


async def test_nobody_is_found(either: Visit) -> None:
    page = either.page
    await either.go("/history")
    await page.get_by_text("One patient over time").click()
    await page.get_by_label("Patient reference").fill("no-such-person")
    await page.get_by_role("button", name="Show studies").click()
    await expect(page.locator("h1")).to_have_text("No such patient")
    assert "no-such-person" not in await page.content()


async def test_a_list_is_narrowed_ordered_and_read_on(either: Visit, shared: Front) -> None:
    page = either.page
    for probability in (0.44, 0.44, 0.07):
        await result(shared, probability)
    await either.go("/history?limit=1")
    await page.get_by_text("Find results").click()
    await page.get_by_label("Outcome").select_option("Indeterminate")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.get_by_label("Outcome")).to_have_value("indeterminate")
    await page.get_by_role("link", name="50").click()
    await page.get_by_role("link", name="Analysed").click()
    oldest = page.get_by_role("columnheader", name="Analysed")
    await expect(oldest).to_have_attribute("aria-sort", "ascending")
    await expect(page.get_by_label("Outcome")).to_have_value("indeterminate")
    cells = page.locator("td[data-label=Outcome]")
    assert set(await cells.all_inner_texts()) == {"Indeterminate"}
    whole = await cells.count()
    assert whole >= 2
    await either.go("/history?outcome=indeterminate&sort=oldest&limit=1")
    seen = [await page.locator("tbody th a").first.get_attribute("href")]
    await page.get_by_role("link", name="Next page").click()
    await expect(page.get_by_role("link", name="Back to the start")).to_be_visible()
    seen.append(await page.locator("tbody th a").first.get_attribute("href"))
    assert len(set(seen)) == 2
    await page.get_by_role("link", name="Show all").click()
    await expect(page.get_by_label("Outcome")).to_have_value("")


async def test_deleting_asks_first(either: Visit, shared: Front) -> None:
    page = either.page
    place = await result(shared)
    await either.go("/history")
    await page.locator(f'a[href="{place}/delete"]').click()
    await expect(page.locator("h1")).to_have_text("Delete this result?")
    await page.get_by_role("link", name="Keep it").click()
    await expect(page.locator("h1")).to_contain_text("Signs of osteoporosis")
    await either.go(place + "/delete")
    await page.get_by_label("Why").select_option("test")
    await page.get_by_role("button", name="Delete for good").click()
    await page.wait_for_url(re.compile("/history$"))
    await expect(page.locator(f'a[href="{place}"]')).to_have_count(0)
    await either.go(place)
    await expect(page.locator("h1")).to_have_text("No such result")


async def test_facts_are_weighed(either: Visit) -> None:
    page = either.page
    await either.go("/treatment")
    await page.get_by_label("Age", exact=True).fill("700")
    await page.get_by_role("button", name="Show what to consider").click()
    await page.get_by_role("alert").get_by_role("link", name="Age").click()
    await page.get_by_label("Age", exact=True).fill("71")
    await page.get_by_label("T-score, lumbar spine").fill("-2.8")
    await page.get_by_role("button", name="Show what to consider").click()
    considered = page.locator("#considered")
    await expect(considered).to_contain_text("T-score, lumbar spine: −2.8")
    await expect(considered).to_contain_text("not a treatment plan")
