"""From a file to its result, in every way there is."""

from __future__ import annotations

import io
import re
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser, FilePayload, Route, expect

from models import phantom
from models.phantom import Artefact
from models.phantom.dicom import encode
from tests.browser.visits import Visit, opened
from tests.service.kit import images
from tests.service.kit.fronts import Front

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

RESULT = re.compile(r"/results/[0-9a-f-]{36}$")


def saved(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(images.picture()).save(buffer, kind)
    return buffer.getvalue()


def dicom() -> bytes:
    return encode(phantom.draw(np.random.default_rng(5), artefact=Artefact.NONE))


def file(name: str, kind: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": data}


PNG = file("scan.png", "image/png", saved("PNG"))
FILES = {
    "png": PNG,
    "jpeg": file("scan.jpg", "image/jpeg", saved("JPEG")),
    "tiff": file("scan.tif", "image/tiff", saved("TIFF")),
    "dicom": file("scan.dcm", "application/dicom", dicom()),
    "dicom without a name": file("IM0001", "", dicom()),
}


@pytest.mark.parametrize("name", FILES)
async def test_real_formats(visit: Visit, name: str) -> None:
    await visit.go("/")
    await visit.page.set_input_files("#file", FILES[name])
    row = visit.page.locator(".queued")
    await expect(row.locator(".state")).to_have_text("Waiting")
    shown = name in ("png", "jpeg")
    await expect(row.locator("canvas")).to_be_visible(visible=shown)
    await expect(row.get_by_text("No preview")).to_be_visible(visible=not shown)
    await visit.page.get_by_role("button", name="Analyse image").click()
    await visit.page.wait_for_url(RESULT)
    await expect(visit.page.locator("h1")).to_have_text("Signs of osteoporosis")


async def test_without_scripts(chromium: Browser, shared: Front) -> None:
    url = str(shared.client.base_url)
    async with opened(chromium, url, java_script_enabled=False) as visit:
        await visit.go("/")
        await visit.page.set_input_files("#file", PNG)
        await visit.page.get_by_role("button", name="Analyse image").click()
        await expect(visit.page.locator("h1")).to_have_text("Signs of osteoporosis")
        await visit.page.wait_for_url(RESULT)
        # Loading it again sends no form again, and judges nothing.
        sent, address = [], visit.page.url
        visit.page.on("request", lambda request: sent.append(request.method))
        await visit.page.reload()
        await expect(visit.page.locator("h1")).to_have_text("Signs of osteoporosis")
        assert visit.page.url == address
        assert set(sent) == {"GET"}
        await visit.page.get_by_role("button", name="Deutsch").click()
        await expect(visit.page.locator("html")).to_have_attribute("lang", "de")
        assert RESULT.search(visit.page.url)


async def test_several_files_with_their_own_fates(visit: Visit, screenshots: Path) -> None:
    files = [
        PNG,
        file("empty.png", "image/png", b""),
        file("letter.pdf", "application/pdf", b"%PDF-1.7 letter"),
        file("narrow.png", "image/png", images.unusable()),
        file("broken.png", "image/png", PNG["buffer"][:500]),
    ]
    await visit.go("/")
    await visit.page.set_input_files("#file", files)
    states = visit.page.locator(".queued .state")
    await expect(states).to_have_text(
        ["Waiting", "Empty: not sent.", re.compile("^Not DICOM"), "Waiting", "Waiting"]
    )
    await visit.page.get_by_role("button", name="Analyse images").click()
    await expect(visit.page.get_by_role("status")).to_have_text("All images are done.")
    await expect(states).to_have_text(
        [
            "Signs of osteoporosis",
            "Empty: not sent.",
            re.compile("^Not DICOM"),
            "Not judged",
            re.compile("^File is damaged"),
        ]
    )
    await visit.page.screenshot(path=screenshots / "analyse-queue.png", full_page=True)
    assert await visit.grave() == []
    await expect(visit.page.get_by_role("link", name="Open the result")).to_have_count(2)
    await visit.page.get_by_role("link", name="Open the result").first.click()
    await visit.page.wait_for_url(RESULT)


async def test_too_large_is_not_even_sent(visit: Visit) -> None:
    sent = []
    visit.page.on("request", lambda request: sent.append(request.method))
    await visit.go("/")
    await visit.page.eval_on_selector("#file", "input => { input.dataset.maxBytes = '1000' }")
    await visit.page.set_input_files("#file", PNG)
    await expect(visit.page.locator(".queued .state")).to_have_text(re.compile("^Larger than"))
    await expect(visit.page.get_by_role("button", name="Analyse image")).to_be_disabled()
    assert "POST" not in sent


async def never(_route: Route) -> None:
    """Hold a request back for good."""


async def test_cancel(visit: Visit) -> None:
    await visit.go("/")
    await visit.page.set_input_files("#file", PNG)
    await visit.page.route("**/api/v1/predictions", never)
    await visit.page.get_by_role("button", name="Analyse image").click()
    await expect(visit.page.locator(".queued")).to_have_attribute(
        "data-state", re.compile("sending|judging")
    )
    await visit.page.get_by_role("button", name="Cancel").click()
    await expect(visit.page.locator(".queued .state")).to_have_text("Cancelled")
    await visit.page.unroute_all(behavior="ignoreErrors")


BETWEEN = {
    413: "a proxy refused it",
    502: "does not answer now",
    504: "does not answer now",
    418: "The connection broke off",
}
"""What is said of answers that are a proxy's."""


@pytest.mark.parametrize("status", BETWEEN)
async def test_a_proxys_own_answer_is_told_apart(visit: Visit, status: int) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(status=status, content_type="text/html", body="<h1>Sorry</h1>")

    await visit.go("/")
    await visit.page.set_input_files("#file", PNG)
    await visit.page.route("**/api/v1/predictions", answer)
    await visit.page.get_by_role("button", name="Analyse image").click()
    await expect(visit.page.locator(".queued .state")).to_contain_text(BETWEEN[status])


async def test_dropped(visit: Visit) -> None:
    await visit.go("/")
    data = await visit.page.evaluate_handle(
        """bytes => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "a.png", { type: "image/png" }));
          return data;
        }""",
        list(PNG["buffer"]),
    )
    for event in ("dragenter", "dragover", "drop"):
        await visit.page.dispatch_event(".drop", event, {"dataTransfer": data})
    await expect(visit.page.locator(".queued .file-name")).to_have_text("a.png")


async def test_what_the_server_says_is_said(visit: Visit, shared: Front) -> None:
    for name in ("cnn", "vgg16", "resnet", "vertebrae"):
        await shared.runners[name].stop()
    try:
        await visit.go("/")
        await visit.page.set_input_files("#file", PNG)
        await visit.page.get_by_role("button", name="Analyse image").click()
        await expect(visit.page.locator(".queued .state")).to_have_text(
            re.compile("^No model is available")
        )
    finally:
        for name in ("cnn", "vgg16", "resnet", "vertebrae"):
            await shared.runners[name].start()


async def test_a_number_that_cannot_be_taken_is_named_by_its_region(visit: Visit) -> None:
    page = visit.page
    await visit.go("/")
    own = file("a.png", "image/png", images.png() + uuid4().bytes)
    await page.locator("#file").set_input_files(own)
    outer = page.get_by_text("Scanner, BMD, T- and Z-score, sex, age")
    inner = page.get_by_text("Vertebrae, hip and forearm")
    await outer.click()
    await inner.click()
    wrong = page.locator("#regions_L1_t_score")
    await wrong.fill("7")
    await page.locator("#regions_total_hip_side").select_option("left")
    await inner.click()
    await outer.click()
    await page.get_by_role("button", name="Analyse image").click()
    state = page.locator(".queued .state")
    await expect(state).to_contain_text("L1, T-score, Total hip, BMD")
    await expect(wrong).to_have_attribute("aria-invalid", "true")
    await expect(wrong).to_be_visible()
    await wrong.fill("−2,1")
    await page.locator("#regions_total_hip_t_score").fill("-1,6")
    await page.get_by_role("button", name="Analyse image").click()
    entered = page.get_by_role("region", name="Entered by hand")
    await expect(entered).to_contain_text("−2.1")
    await expect(entered).to_contain_text("Total hip, left")
