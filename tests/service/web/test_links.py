"""Every link of every page leads somewhere: to a page or file, and to the place in it, if named."""

from __future__ import annotations

from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from lxml import html

from tests.service.kit.fronts import API, Front
from tests.service.kit.links import Unseen

pytestmark = pytest.mark.anyio

ADDRESSES = "//a/@href | //link/@href | //script/@src | //img/@src | //form[@method='get']/@action"


@pytest.mark.parametrize("language", ["en", "de"])
async def test_no_link_is_broken(shared: Front, png: bytes, language: str) -> None:
    posted = await shared.post(png)
    facts = {"patient_reference": "ward-9", "bmd_g_cm2": 0.9, "acquired_on": "2024-01-02"}
    await shared.client.put(posted.headers["location"] + "/study", json=facts)
    sent = await shared.client.post("/bulk", files={"file": ("a", png)})
    base = str(shared.client.base_url)
    missing = (await shared.client.get("/nowhere", headers={"Accept": "text/html"})).text
    waiting = ["/", sent.headers["location"], *html.fromstring(missing).xpath("//main//a/@href")]
    found: dict[str, html.HtmlElement | None] = {}
    named: set[tuple[str, str]] = set()
    unseen = Unseen()
    while waiting:
        address = waiting.pop()
        if not unseen.take(address):
            found.setdefault(address, None)
            continue
        response = await shared.client.get(
            address, headers={"Accept-Language": language}, follow_redirects=True
        )
        assert response.status_code == 200, address
        if not response.headers["content-type"].startswith("text/html"):
            found[address] = None
            continue
        page = found[address] = html.fromstring(response.text)
        for link in page.xpath(ADDRESSES):
            target, fragment = urldefrag(urljoin(base + address, link))
            if urlsplit(target).netloc != urlsplit(base).netloc:
                continue
            target = target.removeprefix(base.rstrip("/"))
            named.add((target, fragment))
            waiting.append(target)
    for target, fragment in sorted(named):
        page = found[target]
        if fragment and page is not None:
            assert page.xpath("//*[@id=$id]", id=fragment), f"{target}#{fragment}"
    seen = {urlsplit(address).path for address in found}
    assert {"/faq", "/models", "/integrate", "/treatment", "/about", "/history"} <= seen
    assert posted.headers["location"].replace(API, "/results") in seen


async def test_head_is_wherever_get_is(shared: Front, png: bytes) -> None:
    location = (await shared.post(png)).headers["location"]
    result = location.replace(API, "/results")
    for address in (location, f"{location}/image", API, "/api/v1/models", "/health/live", result):
        got = await shared.client.get(address, headers={"Accept-Encoding": "identity"})
        head = await shared.client.head(address, headers={"Accept-Encoding": "identity"})
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]
        assert head.headers["content-type"] == got.headers["content-type"]
    refused = await shared.client.put("/api/v1/models")
    assert refused.status_code == 405
    assert {"GET", "HEAD"} <= set(refused.headers["allow"].split(", "))
