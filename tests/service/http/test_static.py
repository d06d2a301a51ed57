"""What pages are made of: small, kept, and all there."""

from __future__ import annotations

from urllib.parse import urldefrag, urlsplit

import pytest
from lxml import html

from service.web.navigation import ACCOUNTS, NAVIGATION
from service.web.templates import asset
from tests.service.kit.fronts import Front
from tests.service.kit.links import Unseen

pytestmark = pytest.mark.anyio


async def test_an_address_that_names_the_content_is_kept_for_good(shared: Front) -> None:
    named = await shared.client.get(asset("base.css"))
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    plain = await shared.client.get("/static/base.css")
    assert plain.headers["cache-control"] == "no-cache"
    again = {"If-None-Match": plain.headers["etag"]}
    unchanged = await shared.client.get("/static/base.css", headers=again)
    assert unchanged.status_code == 304
    assert unchanged.content == b""


@pytest.mark.parametrize("path", ["/", "/problems", "/static/base.css", "/api/openapi.json"])
async def test_text_is_compressed(shared: Front, path: str) -> None:
    small = await shared.client.get(path)
    assert small.headers["content-encoding"] == "gzip"
    plain = await shared.client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert small.num_bytes_downloaded < plain.num_bytes_downloaded / 1.5
    assert "Accept-Encoding" in small.headers["vary"]


async def test_pictures_are_not_compressed_again(shared: Front, png: bytes) -> None:
    prediction = (await shared.post(png)).json()
    image = await shared.client.get(f"/api/v1/predictions/{prediction['id']}/image")
    assert "content-encoding" not in image.headers


@pytest.mark.parametrize("path", sorted(NAVIGATION))
async def test_head_tells_what_get_would(shared: Front, path: str) -> None:
    identity = {"Accept-Encoding": "identity"}
    get = await shared.client.get(path, headers=identity)
    head = await shared.client.head(path, headers=identity)
    assert (head.status_code, head.content) == (get.status_code, b"")
    for name in ("content-type", "cache-control", "vary", "content-language"):
        assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_no_link_leads_nowhere(shared: Front, png: bytes, language: str) -> None:
    """Every address that a page names is there, with the part of it that is named."""
    headers = {"Accept-Language": language}
    waiting = [
        *NAVIGATION.keys() - ACCOUNTS,
        (await shared.analyse(png)).headers["content-location"],
    ]
    pages: dict[str, html.HtmlElement] = {}
    parts: list[tuple[str, str, str]] = []
    unseen = Unseen()
    while waiting:
        address = waiting.pop()
        if not unseen.take(address):
            continue
        response = await shared.client.get(address, headers=headers)
        if response.status_code == 303:  # to the next unread
            waiting.append(response.headers["location"])
            continue
        assert response.status_code == 200, address
        if not response.headers["content-type"].startswith("text/html"):
            continue
        page = pages[address] = html.fromstring(response.text)
        for link in page.xpath("//a/@href | //img/@src | //link/@href | //script/@src"):
            target, fragment = urldefrag(link)
            if urlsplit(target).netloc:
                continue
            target = target or address
            waiting.append(target)
            if fragment:
                parts.append((address, target, fragment))
    assert len(pages) > len(NAVIGATION)
    for address, target, fragment in parts:
        if target in pages:
            found = pages[target].xpath("//@id | //a/@name")
            assert fragment in found, f"{address} points at #{fragment}, not on {target}"
