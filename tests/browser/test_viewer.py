"""The viewer: what a mouse, fingers and keys do to the image."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect

from tests.browser.places import result, studies
from tests.browser.visits import Visit, opened
from tests.models.reading.files import grey_dicom
from tests.service.kit import images
from tests.service.kit.fronts import API, Front

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

Box = tuple[float, float, float, float]

DRAWN = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => done())))"""
MIDDLE = """(one) => {
  const copy = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(one, -Math.floor(one.width / 2), -Math.floor(one.height / 2));
  return context.getImageData(0, 0, 1, 1).data[0];
}"""
ACTION = "(one) => getComputedStyle(one).touchAction"


async def looked_at(page: Page, number: int = 0) -> Box:
    """Return the part of the image that is in sight: left, top, width, height in its pixels."""
    await page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    told = await page.locator(".sheet").nth(number).get_attribute("viewBox")
    assert told is not None
    left, top, width, height = map(float, told.split())
    return left, top, width, height


async def middle(page: Page) -> tuple[float, float]:
    box = await page.locator(".stage").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def grey(page: Page) -> int:
    """Return the grey level in the middle of the stage."""
    await looked_at(page)
    found: int = await page.locator(".stage canvas").first.evaluate(MIDDLE)
    return found


async def visited(visit: Visit, place: str) -> Page:
    await visit.go(place)
    await visit.page.wait_for_selector(".viewer[data-ready]")
    return visit.page


async def test_a_wheel_enlarges_around_the_point_under_it(visit: Visit, shared: Front) -> None:
    page = await visited(visit, await result(shared))
    whole = await looked_at(page)
    x, y = await middle(page)
    await page.mouse.move(x + 40, y + 60)
    stage = await page.locator(".stage").bounding_box()
    assert stage is not None
    # Across there is room beside the image at first, which goes evenly from both sides.
    share = (y + 60 - stage["y"]) / stage["height"]
    for _ in range(6):
        await page.mouse.wheel(0, -100)
    part = await looked_at(page)
    assert part[2] == pytest.approx(whole[2] / 1.25**6, rel=0.01)
    before, after = (box[1] + share * box[3] for box in (whole, part))
    assert after == pytest.approx(before, abs=0.5)
    for _ in range(20):
        await page.mouse.wheel(0, 100)
    assert await looked_at(page) == pytest.approx(whole, abs=0.01)


async def test_dragging_moves_and_never_loses_the_image(visit: Visit, shared: Front) -> None:
    page = await visited(visit, await result(shared))
    for _ in range(3):
        await page.get_by_role("button", name="Zoom in").click()
    before = await looked_at(page)
    x, y = await middle(page)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x - 50, y - 30, steps=5)
    await page.mouse.up()
    after = await looked_at(page)
    stage = await page.locator(".stage").bounding_box()
    assert stage is not None
    scale = stage["width"] / before[2]
    assert after[0] - before[0] == pytest.approx(50 / scale, rel=0.05)
    assert after[1] - before[1] == pytest.approx(30 / scale, rel=0.05)
    # A vertebra that was dragged is not a link that was followed.
    assert "#" not in page.url
    for _ in range(12):
        await page.mouse.move(x, y)
        await page.mouse.down()
        await page.mouse.move(x - 300, y - 200, steps=3)
        await page.mouse.up()
    end = await looked_at(page)
    assert end[1] + end[3] == pytest.approx(images.HEIGHT, abs=0.01)
    await page.get_by_role("button", name="Reset").click()
    assert (await looked_at(page))[3] == pytest.approx(images.HEIGHT, abs=0.01)


async def test_the_whole_way_by_keys(visit: Visit, shared: Front) -> None:
    page = await visited(visit, await result(shared))
    stage = page.get_by_role("application")
    await stage.focus()
    whole, level = await looked_at(page), await grey(page)
    for _ in range(4):
        await page.keyboard.press("+")
    enlarged = await looked_at(page)
    assert enlarged[2] < 0.5 * whole[2]
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowDown")
    moved = await looked_at(page)
    assert moved[0] > enlarged[0]
    assert moved[1] > enlarged[1]
    await page.keyboard.press("0")
    assert await looked_at(page) == pytest.approx(whole, abs=0.01)
    await page.keyboard.press("i")
    assert await grey(page) == pytest.approx(255 - level, abs=2)
    await expect(page.get_by_role("button", name="Invert")).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.keyboard.press("0")
    assert await grey(page) == level
    for key in "ssssss":
        await page.keyboard.press(key)
    for key in "dddd":
        await page.keyboard.press(key)
    await expect(page.locator(".state")).to_contain_text("window 195 · level 168")
    await page.keyboard.press("o")
    await expect(page.locator(".outlines")).to_be_hidden()
    await page.keyboard.press("0")
    await page.keyboard.press("m")
    for _ in range(10):
        await page.keyboard.press("ArrowRight")
    await expect(page.locator(".length")).to_have_text(re.compile(r"^\d+\.\d image pixels$"))
    await page.keyboard.press("Escape")
    await expect(page.locator(".length")).to_be_hidden()
    # Keys that are not the viewer's are the page's.
    await page.keyboard.press("Tab")
    await expect(stage).not_to_be_focused()


@pytest.mark.parametrize("by", ["the tool", "the right button", "shift"])
async def test_a_window_is_set_by_dragging(visit: Visit, shared: Front, by: str) -> None:
    page = await visited(visit, await result(shared))
    whole = await looked_at(page)
    if by == "the tool":
        await page.get_by_role("button", name="Window").click()
    x, y = await middle(page)
    await page.mouse.move(x, y)
    if by == "shift":
        await page.keyboard.down("Shift")
    await page.mouse.down(button="right" if by == "the right button" else "left")
    await page.mouse.move(x - 100, y + 20, steps=5)
    await page.mouse.up(button="right" if by == "the right button" else "left")
    await expect(page.locator(".state")).to_contain_text("window 155 · level 148")
    assert await looked_at(page) == whole


@pytest.mark.parametrize(
    ("spacing", "unit", "times"), [(None, "image pixels", 1.0), ("0.6", "mm", 0.6)]
)
async def test_a_length_is_in_the_file_s_own_millimetres_or_in_pixels(
    visit: Visit, shared: Front, spacing: str | None, unit: str, times: float
) -> None:
    told = {"PixelSpacing": [spacing] * 2} if spacing else {}
    page = await visited(visit, await result(shared, data=grey_dicom(images.picture(), **told)))
    await page.get_by_role("button", name="Measure").click()
    seen = await looked_at(page)
    stage = await page.locator(".stage").bounding_box()
    assert stage is not None
    x, y = await middle(page)
    await page.mouse.move(x - 60, y - 80)
    await page.mouse.down()
    await page.mouse.move(x + 60, y + 80, steps=5)
    await page.mouse.up()
    # 200 pixels of the screen.
    length = 200 * seen[2] / stage["width"] * times
    text = await page.locator(".length").inner_text()
    assert text.endswith(unit)
    assert float(text.removesuffix(unit)) == pytest.approx(length, abs=0.3)
    assert await page.locator(".ruler text").text_content() == text
    # Lines over outlines follow no link.
    assert "#" not in page.url
    await page.get_by_role("button", name="Reset").click()
    await expect(page.locator(".ruler")).to_be_hidden()


async def test_the_prior_stands_beside_and_moves_along(visit: Visit, shared: Front) -> None:
    await visit.page.set_viewport_size({"width": 1600, "height": 900})
    page = await visited(visit, f"/results/{await studies(shared, 'ward-9/0044')}")
    await page.get_by_role("button", name="Prior beside").click()
    await expect(page.locator(".view")).to_have_count(2)
    await expect(page.get_by_text("Before: 2 May 2024").first).to_be_visible()
    for _ in range(4):
        await page.get_by_role("button", name="Zoom in").click()
    x, y = await middle(page)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 30, y + 40, steps=4)
    await page.mouse.up()
    assert await looked_at(page, 0) == pytest.approx(await looked_at(page, 1), abs=0.5)
    assert await visit.grave() == []
    await page.get_by_role("button", name="Prior beside").click()
    await expect(page.locator(".view")).to_have_count(1)


async def test_without_an_earlier_exam_there_is_no_prior(visit: Visit, shared: Front) -> None:
    page = await visited(visit, await result(shared))
    await expect(page.get_by_role("button", name="Prior beside")).to_have_count(0)


async def test_full_screen_and_back(visit: Visit, shared: Front, screenshots: Any) -> None:
    page = await visited(visit, await result(shared))
    button = page.get_by_role("button", name="Full screen")
    before = await page.locator(".stage").bounding_box()
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    await page.wait_for_function("document.fullscreenElement !== null")
    after = await page.locator(".stage").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"]
    assert await visit.sideways() <= 0
    await page.screenshot(path=screenshots / "viewer-full.png")
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "false")


async def test_two_fingers_enlarge_and_one_scrolls_the_page(
    chromium: Browser, shared: Front
) -> None:
    place = await result(shared)
    size = {"width": 390, "height": 800}
    async with opened(
        chromium, str(shared.client.base_url), viewport=size, has_touch=True, is_mobile=True
    ) as visit:
        page = await visited(visit, place)
        await page.locator(".stage").scroll_into_view_if_needed()
        fingers = await visit.context.new_cdp_session(page)

        async def touch(kind: str, *points: tuple[float, float]) -> None:
            told = [{"x": x, "y": y, "id": id} for id, (x, y) in enumerate(points)]
            await fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

        whole = await looked_at(page)
        x, y = await middle(page)
        assert await page.locator(".stage").evaluate(ACTION) == "pan-y"
        await touch("touchStart", (x - 20, y), (x + 20, y))
        for apart in range(24, 62, 4):
            await touch("touchMove", (x - apart, y), (x + apart, y))
        await touch("touchEnd")
        part = await looked_at(page)
        assert part[2] == pytest.approx(whole[2] / 3, rel=0.1)
        # Enlarged, one finger moves it.
        assert await page.locator(".stage").evaluate(ACTION) == "none"
        await touch("touchStart", (x, y))
        for step in range(10, 60, 10):
            await touch("touchMove", (x - step, y))
        await touch("touchEnd")
        assert (await looked_at(page))[0] > part[0]


async def test_a_picture_that_does_not_arrive_is_told(chromium: Browser, shared: Front) -> None:
    place = await result(shared)
    context = await chromium.new_context(locale="en-GB")
    page = await context.new_page()
    await page.route("**/sent-image", lambda route: route.abort())
    await page.goto(str(shared.client.base_url) + place)
    await expect(page.locator(".state")).to_have_text(re.compile("did not arrive"))
    await expect(page.locator(".outlines")).to_be_visible()
    await context.close()


async def test_a_part_of_a_framed_scan_is_analysed_by_itself(visit: Visit, shared: Front) -> None:
    """By the rectangle that is drawn, to the pixel's neighbours; and nothing of what is around."""
    wide = np.full((images.HEIGHT, 3 * images.WIDTH + 60), 140, np.uint8)
    wide[:, ::7] = 60
    wide[:, 100 : 100 + images.WIDTH] = images.picture()
    page = await visited(visit, await result(shared, data=images.png(wide)))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Not judged")
    await page.get_by_role("button", name="Cut out").click()
    seen = await looked_at(page)
    stage = await page.locator(".stage").bounding_box()
    assert stage is not None
    scale = stage["width"] / seen[2]

    def at(x: float, y: float) -> tuple[float, float]:
        return stage["x"] + (x - seen[0]) * scale, stage["y"] + (y - seen[1]) * scale

    await page.mouse.move(*at(100, 0))
    await page.mouse.down()
    await page.mouse.move(*at(100 + images.WIDTH, images.HEIGHT), steps=5)
    await page.mouse.up()
    await expect(page.locator(".cut")).to_be_visible()
    before = page.url
    await page.get_by_role("button", name="Analyse this part").click()
    await page.wait_for_url(lambda url: url != before)
    await page.wait_for_selector(".viewer[data-ready]")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Signs of osteoporosis")
    number = page.url.rsplit("/", 1)[-1]
    told = (await shared.client.get(f"{API}/{number}")).json()["image"]
    assert told["width"] == pytest.approx(images.WIDTH, abs=3)
    assert told["height"] == pytest.approx(images.HEIGHT, abs=3)
    answer = await shared.client.get(f"{API}/{number}/sent-image")
    with Image.open(io.BytesIO(answer.content)) as kept:
        middle_of_it = np.asarray(kept)[100:200, 100:150].astype(int)
    columns = [
        np.abs(images.picture()[100 + y : 200 + y, 100 + x : 150 + x].astype(int) - middle_of_it)
        for x in range(-3, 4)
        for y in range(-3, 4)
    ]
    # Levels are those that were sent, wherever a pixel of the screen began.
    assert min(int(one.max()) for one in columns) == 0


async def test_what_was_judged_has_nothing_to_cut(visit: Visit, shared: Front) -> None:
    page = await visited(visit, await result(shared))
    await expect(page.get_by_role("button", name="Cut out")).to_have_count(0)
