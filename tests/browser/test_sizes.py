"""Worklist, result, batch, patient and use on screens from a telephone to a wall, as they are seen.

400 % on a screen of 1280 pixels is one of 320, 200 % of 1536 is one of 768: what zoom does to a
page is done here by the window's width.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.browser.places import batch, result, studies
from tests.browser.visits import opened
from tests.service.kit import images
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

WIDTHS = (320, 768, 1280, 2560)
LOOKS = ("light", "dark", "forced")
TELLING = ("moderate", "serious", "critical")
PLACES = ("worklist", "result", "refused", "batch", "bulk", "patient", "usage")


@pytest.fixture(scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners) as made,
    ):
        yield made


@pytest.fixture(scope="module")
async def places(filled: Front) -> dict[str, str]:
    number = await studies(filled, "ward-9/a long reference of somebody who was often here")
    await result(filled, 0.07)
    found = await filled.client.post("/patients", data={"patient_reference": "ward-9/0042"})
    assert found.status_code == 404
    named = {"patient_reference": "ward-9/a long reference of somebody who was often here"}
    patient = await filled.client.post("/patients", data=named)
    return {
        "worklist": "/history",
        "result": f"/results/{number}",
        "refused": await result(filled, data=images.unusable()),
        "batch": await batch(filled),
        "bulk": "/bulk",
        "patient": patient.headers["location"],
        "usage": "/usage",
    }


@pytest.mark.parametrize("name", PLACES)
async def test_a_page(
    chromium: Browser, filled: Front, places: dict[str, str], screenshots: Path, name: str
) -> None:
    url = str(filled.client.base_url)
    for width in WIDTHS:
        size = {"width": width, "height": 900}
        async with opened(chromium, url, viewport=size, locale="de") as visit:
            await visit.go(places[name])
            assert await visit.sideways() <= 0, f"wider than {width} px"
            for look in LOOKS:
                await visit.themed("dark" if look == "dark" else "light")
                forced = "active" if look == "forced" else "none"
                await visit.page.emulate_media(forced_colors=forced)
                if width in (WIDTHS[0], WIDTHS[2]) and look != "forced":
                    assert await visit.grave(TELLING) == [], f"{width} px, {look}"
                if look == "forced" and name in ("worklist", "batch"):
                    chosen, others = await borders(visit.page)
                    assert chosen not in others
                picture = screenshots / f"size-{name}-{width}-{look}.png"
                await visit.page.screenshot(path=picture, full_page=width < 2560)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("width", WIDTHS)
async def test_the_navigation_is_one_line(
    chromium: Browser, filled: Front, language: str, width: int
) -> None:
    size = {"width": width, "height": 900}
    url = str(filled.client.base_url)
    async with opened(chromium, url, viewport=size, locale=language) as visit:
        await visit.go("/history")
        brand = await visit.page.locator(".brand").bounding_box()
        bar = await visit.page.locator(".top").bounding_box()
        assert brand is not None
        assert bar is not None
        assert bar["height"] < 2 * brand["height"] + 8
        links = visit.page.locator(".menu-list a")
        if await visit.page.locator(".menu").is_visible():
            await visit.page.locator(".menu").click()
            assert await links.first.is_visible()
            return
        tops = await links.evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
        assert len(set(tops)) == 1


async def borders(page: Page) -> tuple[str, set[str]]:
    """Return what the chosen one of several lists is framed in, and what the others are."""
    links = page.locator("nav:is(.lists, .parts) a:not(.button)")
    found: list[tuple[bool, str]] = await links.evaluate_all(
        "all => all.map(one => [one.matches('[aria-current]'), getComputedStyle(one).borderColor])"
    )
    (chosen,) = [colour for current, colour in found if current]
    return chosen, {colour for current, colour in found if not current}
