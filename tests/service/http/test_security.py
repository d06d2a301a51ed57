from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from fastapi import FastAPI
from lxml import html

from service.web.dependencies import TemplatesDep
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/api/docs", "/api/openapi.json", "/static/base.css", "/health/live"]
)
async def test_headers_on_every_answer(shared: Front, path: str) -> None:
    headers = (await shared.client.get(path)).headers
    policy = headers["content-security-policy"]
    for rule in ("default-src 'self'", "frame-ancestors 'none'", "object-src 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in headers


@pytest.mark.parametrize("url", ["https://dxa.example", "http://dxa.example"])
async def test_who_comes_by_https_is_told_to_stay_with_it(tmp_path: Path, url: str) -> None:
    settings = {"auth": "local", "public_url": url}
    async with running() as runners, front(tmp_path, runners, **settings) as opened:
        answer = await opened.client.get("/health/live")
    told = answer.headers.get("strict-transport-security")
    secure = url.startswith("https")
    assert told == ("max-age=31536000; includeSubDomains" if secure else None)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Origin": "http://[::1"},
        {"Origin": "http://a:b:c"},
        {"Origin": "file://"},
        {"Origin": "//"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "HOST"},
    ],
    ids=str,
)
async def test_other_sites_may_not_send(shared: Front, png: bytes, headers: dict[str, str]) -> None:
    headers = filled(shared, headers)
    calls = shared.calls
    response = await shared.client.post(API, content=png, headers=headers)
    assert_problem(response, "cross_origin")
    page = await shared.client.post("/", files={"file": ("a", png)}, headers=headers)
    assert_error_page(page, "cross_origin")
    assert shared.calls == calls


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "HOST"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "HOST"},
    ],
    ids=str,
)
async def test_own_pages_and_programs_may(
    shared: Front, png: bytes, headers: dict[str, str]
) -> None:
    response = await shared.client.post(API, content=png, headers=filled(shared, headers))
    assert response.status_code == 201


def filled(opened: Front, headers: dict[str, str]) -> dict[str, str]:
    own = str(opened.client.base_url).rstrip("/")
    return {key: own if value == "HOST" else value for key, value in headers.items()}


async def test_the_host_header_is_not_repeated(shared: Front, png: bytes) -> None:
    headers = {"Host": "stranger.localhost"}
    for path in ("/", "/results/1", "/nowhere/", "/api/v1/predictions/", "/static", "/api/docs/"):
        response = await shared.client.get(path, headers=headers)
        assert "stranger" not in response.text + str(response.headers)
        assert not response.is_redirect
    response = await shared.client.post(API, content=png, headers=headers)
    assert response.headers["location"].startswith("/api/")


async def test_what_comes_back_in_a_page_is_escaped(shared: Front) -> None:
    response = await shared.client.get("/%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    page = html.fromstring(response.text)
    assert page.xpath("//script") == []
    assert "alert(1)" in page.text_content()


async def test_static_files_stay_in_their_folder(shared: Front) -> None:
    for path in ("/static/../templates/base.html", "/static/%2e%2e/templates/base.html"):
        assert (await shared.client.get(path)).status_code == 404


def broken(app: FastAPI) -> None:
    @app.get("/api/broken")
    async def api(shown: TemplatesDep) -> None:
        raise RuntimeError("SECRET^PATIENT")

    @app.get("/broken")
    async def page(shown: TemplatesDep) -> None:
        raise RuntimeError("SECRET^PATIENT")


async def test_a_bug_tells_nobody_anything(
    var: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running() as runners, front(var, runners, change=broken) as opened:
        assert_problem(await opened.client.get("/api/broken"), "internal_error")
        assert_error_page(await opened.client.get("/broken"), "internal_error")
        labels = {"method": "GET", "route": "/api/broken", "status": "500"}
        assert await opened.sample("osteoserve_http_requests_total", **labels) == 1
    logged = caplog.text + json.dumps([str(vars(record)) for record in caplog.records])
    assert "SECRET" not in logged + "".join(capfd.readouterr())
    faults = [getattr(record, "osteoserve_fault", "") for record in caplog.records]
    assert any("RuntimeError at" in fault and "api:" in fault for fault in faults)


@pytest.mark.parametrize("kept", [False, True], ids=["not kept", "kept"])
async def test_names_of_files_are_logged_nowhere_and_told_to_their_sender_alone(
    var: Path, png: bytes, caplog: pytest.LogCaptureFixture, kept: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    # It tells what it writes into the database, and is never that loud in a front.
    caplog.set_level(logging.INFO, logger="aiosqlite")
    async with running() as runners, front(var, runners, keep_file_names=kept) as opened:
        good = await opened.upload(png)
        page = await opened.analyse(png)
        bad = await opened.upload(b"SECRET content")
    assert (good.status_code, page.status_code, bad.status_code) == (201, 200, 415)
    assert "SECRET" not in caplog.text + good.text + bad.text
    there = b"".join(path.read_bytes() for path in var.iterdir())  # noqa: ASYNC240 - a moment
    # Where nobody signs in, all are one sender.
    assert ("SECRET^NAME.bin" in page.text, b"SECRET^NAME.bin" in there) == (kept, kept)
