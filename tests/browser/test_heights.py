"""Points on a lateral image: proposed, moved by keys and measured; and axe on each of the pages."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.places import result, side_view
from tests.browser.visits import opened
from tests.service.kit.fronts import Front

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

TELLING = ("moderate", "serious", "critical")


@pytest.mark.parametrize("width", [320, 768, 1280])
async def test_nothing_moderate_or_grave_from_proposal_to_grades(
    chromium: Browser, shared: Front, width: int
) -> None:
    address = await result(shared, data=side_view())
    size = {"width": width, "height": 900}
    url = str(shared.client.base_url)
    async with opened(chromium, url, viewport=size, locale="de") as visit:
        await visit.go(address)
        assert await visit.grave(TELLING) == []
        await visit.go(f"{address}/heights")
        for step in ("empty", "proposed", "wrong", "measured"):
            match step:
                case "proposed":
                    await visit.page.get_by_role("link", name="Punkte vorschlagen").click()
                    await expect(visit.page.locator("svg.points circle").first).to_be_attached()
                case "wrong":
                    was = await visit.page.locator("#points-L1").input_value()
                    await visit.page.locator("#points-L1").fill("1,2 3,4")
                    await visit.page.get_by_role("button", name="Messen").click()
                    await expect(visit.page.locator("#points-L1-error")).to_be_visible()
                case "measured":
                    await visit.page.locator("#points-L1").fill(was)
                    await visit.page.get_by_role("button", name="Messen").click()
                    await expect(visit.page.locator("#heights")).to_be_visible()
            assert await visit.sideways() <= 0, step
            for scheme in ("light", "dark"):
                await visit.themed(scheme)
                assert await visit.grave(TELLING) == [], f"{step}, {scheme}"


async def test_a_point_is_moved_by_keys(chromium: Browser, shared: Front) -> None:
    address = await result(shared, data=side_view())
    async with opened(chromium, str(shared.client.base_url)) as visit:
        await visit.go(f"{address}/heights?propose=true")
        field = visit.page.locator("#points-L1")
        before = (await field.input_value()).split()
        point = visit.page.get_by_role("button", name="L1, point 2 of 6")
        await point.focus()
        await visit.page.keyboard.press("ArrowRight")
        after = (await field.input_value()).split()
        assert [one for one, (a, b) in enumerate(zip(before, after, strict=True)) if a != b] == [1]
        assert float(after[1].split(",")[0]) == pytest.approx(
            float(before[1].split(",")[0]) + 0.5, abs=0.051
        )
        await expect(point).to_be_focused()
