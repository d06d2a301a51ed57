"""The viewer of a result, by mouse and by keyboard."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.places import result
from tests.browser.visits import Visit, opened
from tests.service.kit.fronts import Front

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_slider(visit: Visit, shared: Front) -> None:
    await visit.go(await result(shared))
    slider = visit.page.get_by_label("Opacity of the heat map")
    heat = visit.page.locator(".heat:visible")
    await slider.focus()
    await visit.page.keyboard.press("Home")
    await expect(heat).to_have_css("opacity", "0")
    await visit.page.keyboard.press("ArrowRight")
    await expect(heat).to_have_css("opacity", "0.05")
    await visit.page.keyboard.press("End")
    await expect(heat).to_have_css("opacity", "1")


async def test_one_map_at_a_time(visit: Visit, shared: Front) -> None:
    await visit.go(await result(shared))
    shown = visit.page.locator(".pane.map:visible")
    await expect(shown).to_have_count(1)
    await expect(shown).to_have_attribute("data-model", "cnn")
    await visit.page.get_by_label("CNN").focus()
    await visit.page.keyboard.press("ArrowRight")
    await expect(shown).to_have_attribute("data-model", "vgg16")


async def test_window_and_level(visit: Visit, shared: Front) -> None:
    await visit.go(await result(shared))
    scan = visit.page.locator(".pane.scan .grey")
    await expect(scan).to_have_css("filter", "none")
    await visit.page.get_by_label("Window width").focus()
    await visit.page.keyboard.press("PageDown")
    await expect(scan).not_to_have_css("filter", "none")
    await visit.page.get_by_role("button", name="Reset view").click()
    await expect(scan).to_have_css("filter", "none")


async def test_without_scripts_every_map_is_a_picture(chromium: Browser, shared: Front) -> None:
    url = str(shared.client.base_url)
    place = await result(shared)
    async with opened(chromium, url, java_script_enabled=False) as visit:
        await visit.go(place)
        await expect(visit.page.locator(".pane.map:visible")).to_have_count(3)
        await expect(visit.page.get_by_label("Opacity of the heat map")).to_be_hidden()
        for picture in await visit.page.locator(".heat").all():
            box = await picture.bounding_box()
            assert box is not None
            assert box["width"] > 50


async def test_signed_without_scripts(chromium: Browser, shared: Front) -> None:
    url = str(shared.client.base_url)
    place = await result(shared)
    async with opened(chromium, url, java_script_enabled=False) as visit:
        await visit.go(place)
        await visit.page.get_by_text("Sign: I agree with this outcome").click()
        await visit.page.get_by_label("Your name or initials").first.fill("AB")
        await visit.page.get_by_role("button", name="Sign", exact=True).click()
        await expect(visit.page.get_by_text("Signed by AB").first).to_be_visible()


async def test_outlines_go_and_come_without_scripts_and_lead_to_their_rows(
    chromium: Browser, shared: Front
) -> None:
    url = str(shared.client.base_url)
    place = await result(shared)
    async with opened(chromium, url, java_script_enabled=False) as visit:
        await visit.go(place)
        outlines = visit.page.locator(".outlines")
        picture = visit.page.locator(".pane.scan img")
        assert await outlines.bounding_box() == await picture.bounding_box()
        box = visit.page.get_by_label("Outlines of the vertebrae", exact=True).first
        await box.uncheck()
        await expect(outlines).to_be_hidden()
        await box.check()
        await expect(outlines).to_be_visible()
        await visit.page.get_by_role("link", name="L3: to its measurements").click()
        await expect(visit.page.locator("tr:target")).to_contain_text("L3")
