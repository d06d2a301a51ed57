"""CT and ultrasound in a browser without scripts: a region by two clicks, and axe on each page."""

from __future__ import annotations

import io
import zipfile

import pytest
from playwright.async_api import Browser, expect

from models.phantom.ct import Series, encode
from tests.browser.places import result
from tests.browser.visits import opened
from tests.service.kit.fronts import Front

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SERIES = Series(trabecular=130.0, slices=5, side=128, step=6.0)


def packed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, one in enumerate(encode(SERIES)):
            archive.writestr(f"IM{number}", one)
    return buffer.getvalue()


async def test_a_region_is_placed_by_two_clicks_without_a_script(
    chromium: Browser, shared: Front
) -> None:
    address = await result(shared)
    url = str(shared.client.base_url)
    async with opened(chromium, url, java_script_enabled=False) as visit:
        page = visit.page
        await visit.go(f"{address}/ct")
        await page.locator("#file").set_input_files(
            {"name": "ct.zip", "mimeType": "application/zip", "buffer": packed()}
        )
        await page.get_by_role("button", name="Send", exact=True).click()
        overview = page.locator("#level")
        box = await overview.bounding_box()
        assert box is not None
        share = (SERIES.middle - 0.5) / SERIES.slices
        await overview.click(position={"x": 20, "y": box["height"] * share})
        await expect(page.locator("#slice")).to_have_value(str(SERIES.middle))
        x, y = SERIES.centre
        await page.locator("#at").click(position={"x": x + 0.5, "y": y + 0.5})
        await expect(page.locator("#x")).to_have_value(f"{x:g}")
        await expect(page.get_by_role("heading", name="In this region")).to_be_visible()
        await page.get_by_role("button", name="Keep this region").click()
        section = page.locator("section[aria-labelledby=modalities]")
        await expect(section).to_contain_text("HU (SD")
        await expect(section).to_contain_text("left open")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_grave_on_any_of_the_pages(
    chromium: Browser, shared: Front, width: int, scheme: str
) -> None:
    address = await result(shared)
    id = address.rpartition("/")[2]
    api = f"/api/v1/predictions/{id}"
    await shared.client.put(f"{api}/study", json={"t_score": 0.4, "sex": "female", "age_years": 70})
    heel = {"device": "sahara", "sos_m_s": 1500.0, "bua_db_mhz": 50.0}
    await shared.client.put(f"{api}/ultrasound", json=heel)
    zipped = {"Content-Type": "application/zip"}
    sent = await shared.client.post(f"{api}/ct", content=packed(), headers=zipped)
    assert sent.status_code == 201, sent.text
    x, y = SERIES.centre
    query = f"?slice={SERIES.middle}&x={x:g}&y={y:g}"
    url = str(shared.client.base_url)
    size = {"width": width, "height": 900}
    async with opened(chromium, url, viewport=size) as visit:
        await visit.themed(scheme)
        for path in (f"{address}/ct{query}", f"{address}/ultrasound", f"{address}/treatment",
                     address):  # fmt: skip
            await visit.go(path)
            assert await visit.grave() == [], path
            assert await visit.sideways() <= 0, path
