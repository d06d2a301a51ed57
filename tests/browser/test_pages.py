"""Every page, as it is seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.places import KEPT, RESULTS, STATIC, addresses
from tests.browser.trickle import Trickle
from tests.browser.visits import Visit, opened
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NAMES = [*STATIC, *RESULTS, "refused", "degraded", *KEPT]
WIDTHS = (320, 1440)


@pytest.fixture(scope="session")
async def places(shared: Front) -> dict[str, str]:
    return await addresses(shared)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_page(
    chromium: Browser,
    shared: Front,
    places: dict[str, str],
    screenshots: Path,
    name: str,
    language: str,
) -> None:
    url = str(shared.client.base_url)
    for width in WIDTHS:
        size = {"width": width, "height": 900}
        async with opened(chromium, url, viewport=size, locale=language) as visit:
            await visit.go(places[name])
            assert await visit.page.get_attribute("html", "lang") == language
            assert await visit.sideways() <= 0, f"wider than {width} px"
            assert await visit.shifted() < 0.01
            for theme in ("light", "dark"):
                await visit.themed(theme)
                assert await visit.grave() == []
                await visit.page.screenshot(
                    path=screenshots / f"{name}-{language}-{width}-{theme}.png", full_page=True
                )


@pytest.fixture(scope="session")
async def slow(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    var = tmp_path_factory.mktemp("slow")
    async with (
        running() as runners,
        front(var, runners, lambda app: app.add_middleware(Trickle)) as opened,
    ):
        yield opened


@pytest.fixture(scope="session")
async def slow_places(slow: Front) -> dict[str, str]:
    return await addresses(slow)


@pytest.mark.parametrize("name", NAMES)
async def test_nothing_moves_when_a_page_arrives_slowly(
    chromium: Browser, slow: Front, slow_places: dict[str, str], name: str
) -> None:
    url = str(slow.client.base_url)
    for width in WIDTHS:
        size = {"width": width, "height": 900}
        async with opened(chromium, url, viewport=size, locale="de") as visit:
            await visit.go(slow_places[name])
            assert await visit.shifted() < 0.001, f"at {width} px"


@pytest.mark.parametrize("name", [*RESULTS, "treatment", "patient"])
async def test_printed(visit: Visit, places: dict[str, str], screenshots: Path, name: str) -> None:
    await visit.go(places[name])
    await visit.page.pdf(path=screenshots / f"{name}.pdf", format="A4")
    await visit.page.emulate_media(media="print")
    for gone in ("nav", ".menu", ".skip", ".languages"):
        assert not await visit.page.locator(gone).first.is_visible()
