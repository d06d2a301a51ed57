"""The page of a result: in one screen, at every width, by mouse, fingers and keys, and without
scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.places import result, studies
from tests.browser.visits import GRAVE, Visit, opened
from tests.service.kit import images
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

READY = ".viewer[data-ready]"
IMPACTS = (*GRAVE, "moderate")
KINDS = ("osteoporosis", "normal", "indeterminate", "refused", "prior", "overridden")


@pytest.fixture(scope="session")
async def results(shared: Front) -> dict[str, str]:
    overridden = await result(shared, 0.9)
    review = {"action": "override", "outcome": "normal", "reviewer": "AB", "reason": "Sclerosis."}
    place = overridden.replace("/results", API) + "/reviews"
    assert (await shared.client.post(place, json=review)).status_code == 201
    return {
        "osteoporosis": await result(shared),
        "normal": await result(shared, 0.03),
        "indeterminate": await result(shared, 0.44),
        "refused": await result(shared, data=images.unusable()),
        "prior": f"/results/{await studies(shared, 'ward-9/0043')}",
        "overridden": overridden,
    }


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", KINDS)
async def test_at_every_width(
    chromium: Browser,
    shared: Front,
    results: dict[str, str],
    screenshots: Path,
    kind: str,
    language: str,
) -> None:
    url = str(shared.client.base_url)
    for width, height in ((320, 640), (768, 1024), (1280, 800), (2560, 1440)):
        size = {"width": width, "height": height}
        async with opened(chromium, url, viewport=size, locale=language) as visit:
            await visit.go(results[kind])
            await visit.page.wait_for_selector(READY)
            assert await visit.sideways() <= 0, f"wider than {width} px"
            assert await visit.shifted() < 0.01
            # Colours are the same in every language.
            for theme in ("light", "dark") if language == "en" else ("light",):
                await visit.themed(theme)
                assert await visit.grave(IMPACTS) == []
            await visit.themed("light")
            name = f"result-{kind}-{language}-{width}.png"
            await visit.page.screenshot(path=screenshots / name)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "prior"])
async def test_who_what_how_sure_and_the_signature_are_in_one_screen(
    chromium: Browser, shared: Front, results: dict[str, str], kind: str
) -> None:
    url = str(shared.client.base_url)
    size = {"width": 1280, "height": 800}
    async with opened(chromium, url, viewport=size) as visit:
        await visit.go(results[kind])
        page = visit.page
        for seen in (".who-what", ".verdict h1", ".say", "#attention", ".signing"):
            await expect(page.locator(seen).first).to_be_in_viewport(ratio=1)
        stage = await page.locator(".stage").bounding_box()
        assert stage is not None
        # The largest thing there is, and all of it in sight.
        assert stage["width"] * stage["height"] > 0.3 * 1280 * 800
        assert stage["y"] + stage["height"] <= 800


@pytest.mark.parametrize("forced", ["active", "none"])
async def test_in_forced_colours(
    chromium: Browser, shared: Front, results: dict[str, str], screenshots: Path, forced: Any
) -> None:
    url = str(shared.client.base_url)
    async with opened(chromium, url, forced_colors=forced) as visit:
        await visit.go(results["osteoporosis"])
        await visit.page.wait_for_selector(READY)
        colour = await visit.page.locator(".outlines polygon").first.evaluate(
            "(one) => getComputedStyle(one).stroke"
        )
        assert colour == "rgb(255, 216, 77)"
        await visit.page.screenshot(path=screenshots / f"result-forced-{forced}.png")


async def test_without_scripts_the_image_is_large_and_outlines_lead_to_their_rows(
    chromium: Browser, shared: Front, results: dict[str, str], screenshots: Path
) -> None:
    url = str(shared.client.base_url)
    async with opened(chromium, url, java_script_enabled=False) as visit:
        page = visit.page
        await visit.go(results["osteoporosis"])
        await expect(page.locator(".tools")).to_be_hidden()
        stage = await page.locator(".stage").bounding_box()
        assert stage is not None
        assert stage["width"] * stage["height"] > 0.3 * 1280 * 720
        outlines = page.locator(".outlines")
        picture = await page.locator(".sheet image").bounding_box()
        drawn = await outlines.bounding_box()
        assert picture is not None
        assert drawn is not None
        assert picture["x"] < drawn["x"]
        assert picture["y"] < drawn["y"]
        assert drawn["width"] > 0.2 * picture["width"]
        await page.screenshot(path=screenshots / "result-without-scripts.png")
        box = page.get_by_label("Outlines", exact=True)
        await box.uncheck()
        await expect(outlines).to_be_hidden()
        await box.check()
        await expect(outlines).to_be_visible()
        await page.get_by_role("link", name="L3: to its measurements").click()
        await expect(page.locator("tr:target")).to_contain_text("L3")


async def test_signed_without_scripts(chromium: Browser, shared: Front) -> None:
    url = str(shared.client.base_url)
    place = await result(shared)
    async with opened(chromium, url, java_script_enabled=False) as visit:
        await visit.go(place)
        await visit.page.get_by_text("Sign: I agree with this outcome").click()
        await visit.page.get_by_label("Your name or initials").first.fill("AB")
        await visit.page.get_by_role("button", name="Sign", exact=True).click()
        await expect(visit.page.get_by_text("Signed by AB").first).to_be_visible()


async def test_heat_maps_are_asked_for_when_somebody_looks(
    chromium: Browser, tmp_path: Path
) -> None:
    async with running() as runners, front(tmp_path, runners, research_maps=True) as opened_front:
        place = await result(opened_front)
        async with opened(chromium, str(opened_front.client.base_url)) as visit:
            page = visit.page
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            await visit.go(place)
            assert not any("/maps/" in one for one in asked)
            await page.get_by_text("Show where models found evidence").click()
            heat = page.locator(".heat")
            await expect(heat).to_have_count(3)
            await expect(heat.first).to_be_visible()
            slider = page.get_by_label("Opacity of the heat map")
            await slider.focus()
            await page.keyboard.press("Home")
            await expect(heat.first).to_have_css("opacity", "0")
            await page.keyboard.press("ArrowRight")
            await expect(heat.first).to_have_css("opacity", "0.05")
            assert await visit.grave(IMPACTS) == []


async def test_on_paper_the_whole_image_is_printed(
    visit: Visit, results: dict[str, str], screenshots: Path
) -> None:
    page = visit.page
    await visit.go(results["osteoporosis"])
    await page.wait_for_selector(READY)
    whole = await page.locator("image").get_attribute("width")
    await page.get_by_role("button", name="Zoom in").click()
    await page.pdf(path=screenshots / "result-enlarged.pdf", format="A4")
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await page.emulate_media(media="print")
    box = await page.locator(".sheet").get_attribute("viewBox")
    assert box is not None
    assert box.split()[2] == whole
    await expect(page.locator("image")).to_be_visible()
    await expect(page.locator(".stage canvas")).to_be_hidden()
