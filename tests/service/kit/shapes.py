"""The shape of every page, and of every answer that is not a success."""

from __future__ import annotations

from typing import Any

import httpx
from lxml import html

from service.http.problem_types import KINDS
from service.language.locale import languages


def assert_problem(response: httpx.Response, code: str) -> dict[str, Any]:
    """Assert an RFC 9457 body with stable ``code``, and nothing told that must not be."""
    kind = KINDS[code]
    assert response.status_code == kind.status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["code"] == code
    assert body["type"] == f"/problems#{code}"
    assert body["status"] == response.status_code
    assert body["title"] == kind.title
    assert body["instance"] == response.request.url.path
    assert body["detail"]
    if response.status_code == 503:
        assert int(response.headers["retry-after"]) >= 1
    _assert_discreet(response)
    return body


def assert_error_page(response: httpx.Response, code: str) -> html.HtmlElement:
    """Assert a page that tells what the problem document would."""
    kind = KINDS[code]
    assert response.status_code == kind.status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    page = html.fromstring(response.text)
    assert page.xpath("string(//h1)").strip() == kind.title
    text = page.text_content()
    for fact in (str(kind.status), code, kind.help, response.request.url.path):
        assert fact in text
    _assert_discreet(response)
    return page


def _assert_discreet(response: httpx.Response) -> None:
    for never in ("Traceback", 'File "', "SECRET", "site-packages", "Error("):
        assert never not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in response.headers["content-security-policy"]


def assert_well_made(page: html.HtmlElement) -> None:
    """What every page owes: nothing inline, nothing from elsewhere, names for everything."""
    assert page.xpath("//*[@style]") == []
    assert page.xpath("//style | //script[not(@src)]") == []
    assert page.xpath("//@*[starts-with(name(), 'on')]") == []
    for address in page.xpath("//@src | //@href | //@action"):
        assert address.startswith(("/", "#")), address
        assert not address.startswith("//"), address
    assert page.get("lang") in languages()
    assert len(page.xpath("//h1")) <= 1
    assert page.xpath("//title")[0].text
    for image in page.xpath("//img"):
        assert image.get("alt")
        assert image.get("width")
        assert image.get("height")
    for svg in page.xpath("//svg[not(ancestor::svg)]"):
        assert svg.get("aria-hidden") == "true" or (svg.get("role") and svg.get("aria-label"))
    for field in page.xpath("//input[@type != 'hidden']"):
        assert page.xpath(f"//label[@for='{field.get('id')}']")
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    for reference in page.xpath("//@aria-labelledby | //@aria-describedby"):
        assert set(reference.split()) <= set(ids)
