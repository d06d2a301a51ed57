from __future__ import annotations

import pytest
from starlette.requests import Request

from service.http.negotiation import weighed, weight
from service.http.problems import wants_page


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", {}),
        (",;q=1, ", {}),
        ("de-AT, de;q=0.8, en;q=0.5", {"de-at": 1.0, "de": 0.8, "en": 0.5}),
        ("en;q=0.1,de;q=0.9", {"de": 0.9, "en": 0.1}),
        ("text/html;level=1;q=0.4", {"text/html": 0.4}),
        ("a;q=x, b;q=7, c;q=-1", {"b": 1.0, "c": 0.0}),
        ("de;q=nan", {"de": 0.0}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_weighed(header: str, found: dict[str, float]) -> None:
    assert list(weighed(header).items()) == list(found.items())


def test_a_header_without_end_is_cut() -> None:
    assert len(weighed(",".join(f"x{n}" for n in range(100_000)))) < 300


@pytest.mark.parametrize(
    ("header", "media_type", "found"),
    [
        ("", "text/html", 1.0),
        ("*/*", "text/html", 1.0),
        ("text/*;q=0.3, */*;q=0.1", "text/html", 0.3),
        ("text/html;q=0, */*", "text/html", 0.0),
        ("application/json", "text/html", 0.0),
    ],
)
def test_the_most_specific_range_decides(header: str, media_type: str, found: float) -> None:
    assert weight(header, media_type) == found


@pytest.mark.parametrize(
    ("path", "accept", "page"),
    [
        ("/", "", True),
        ("/", "*/*", True),
        ("/", "text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("/", "application/json", False),
        ("/", "application/problem+json", False),
        ("/", "application/*", False),
        ("/", "application/json, text/html;q=0.5", False),
        ("/", "text/html, application/json;q=0.9", True),
        ("/", "application/json, text/html;q=0", False),
        ("/", "image/png", True),
        ("/api/v1/predictions", "text/html", False),
        ("/health/ready", "text/html", False),
        ("/metrics", "text/html", False),
        ("/api", "text/html", True),
    ],
)
def test_page_or_json(path: str, accept: str, page: bool) -> None:
    headers = [(b"accept", accept.encode())] if accept else []
    request = Request({"type": "http", "method": "GET", "path": path, "headers": headers,
                       "query_string": b"", "server": ("here", 80), "scheme": "http"})  # fmt: skip
    assert wants_page(request) is page
