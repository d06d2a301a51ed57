"""A front below a path of its host, behind a proxy that leaves the path or takes it off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import httpx
import pytest
from lxml import html
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from service.http.sub_path import SubPath, below
from service.settings import Settings, SettingsError, check
from tests.service.kit.accounts import Somebody, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.links import Unseen
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

BELOW = "/dxa/osteoserve"
NAMING = {"href", "src", "action", "formaction", "content"}
ENTRANCES = ("/", "/bulk", "/history", "/account", "/people", "/keys", "/sites", "/usage", "/audit")


@pytest.fixture(scope="module")
async def lodger(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A front that shares its host with others."""
    var, url = tmp_path_factory.mktemp("var"), f"http://intranet.test{BELOW}/"
    async with (
        running() as runners,
        front(var, runners, auth="local", public_url=url) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
async def ann(lodger: Front) -> AsyncIterator[Somebody]:
    roles = ("clinician", "administrator", "auditor")
    async with person(lodger, "ann", *roles) as somebody:
        yield somebody


def asked(address: str, stripped: bool) -> str:
    """Return what the front is asked for when a browser asks its host for ``address``."""
    assert address.startswith(f"{BELOW}/"), f"{address} is somebody else's"
    return address.removeprefix(BELOW) if stripped else address


def addresses(page: html.HtmlElement) -> set[str]:
    """Return every address of this host in ``page``."""
    found = set()
    for element in page.iter():
        for name, value in element.attrib.items():
            if name == "content" and "url=" in value:
                value = value.partition("url=")[2]  # noqa: PLW2901 - the part that is an address
            elif name not in NAMING and not name.startswith("data-"):
                continue
            if value.startswith("/"):
                found.add(value)
    return found


@pytest.mark.parametrize("stripped", [False, True], ids=["left", "stripped"])
async def test_no_address_leads_out_of_it(ann: Somebody, png: bytes, stripped: bool) -> None:
    sent = await ann.client.post(
        asked(f"{BELOW}/", stripped), files={"file": ("a", png, "image/png")}
    )
    waiting, seen = [sent.headers["location"], *(f"{BELOW}{one}" for one in ENTRANCES)], set()
    unseen = Unseen()
    while waiting:
        address = urldefrag(waiting.pop())[0]
        seen.add(address)
        if not unseen.take(address):
            continue
        answer = await ann.client.get(asked(address, stripped), headers={"Accept": "text/html"})
        if "location" in answer.headers:
            waiting.append(answer.headers["location"])
        elif answer.headers["content-type"].startswith("text/html"):
            waiting += addresses(html.fromstring(answer.text))
        # Some addresses are for forms alone.
        assert answer.status_code in (200, 303, 404, 405), address
    assert {f"{BELOW}/models", f"{BELOW}/treatment", f"{BELOW}/api/docs"} <= seen


async def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back(
    lodger: Front, ann: Somebody
) -> None:
    sent = await lodger.client.get(f"{BELOW}/history", headers={"Accept": "text/html"})
    assert sent.headers["location"] == f"{BELOW}/signin?next=/history"
    fields = {"login": ann.login, "password": "correct horse battery staple", "next": "/history"}
    async with httpx.AsyncClient(base_url=lodger.client.base_url, trust_env=False) as client:
        done = await client.post(f"{BELOW}/signin", data=fields)
    assert (done.status_code, done.headers["location"]) == (303, f"{BELOW}/history")
    (cookie,) = done.headers.get_list("set-cookie")
    assert cookie.startswith("osteoserve.dxa.osteoserve=")


async def test_programs_are_told_addresses_that_hold(lodger: Front, ann: Somebody) -> None:
    document = (await ann.client.get(f"{BELOW}/api/openapi.json")).json()
    assert document["servers"] == [{"url": BELOW}]
    nowhere = (await lodger.client.get(f"{BELOW}{API}/nowhere")).json()
    assert urlsplit(nowhere["type"]).path == f"{BELOW}/problems"
    assert nowhere["instance"].startswith(f"{BELOW}{API}")


async def test_the_path_without_a_slash_is_the_first_page(lodger: Front) -> None:
    answer = await lodger.client.get(BELOW)
    assert (answer.status_code, answer.headers["location"]) == (308, f"{BELOW}/")


async def test_what_only_begins_alike_is_not_below(lodger: Front) -> None:
    assert (await lodger.client.get(f"{BELOW}x/signin")).status_code == 404
    assert (await lodger.client.get("/health/ready")).status_code == 200


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/a", f"{BELOW}/a"),
        ("//elsewhere.test/a", "//elsewhere.test/a"),
        ("https://elsewhere.test/a", "https://elsewhere.test/a"),
    ],
)
async def test_only_addresses_of_ours_are_put_below_it(location: str, told: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {"type": "http.response.start", "status": 303, "headers": []}
        MutableHeaders(scope=start)["location"] = location
        await send(start)
        await send({"type": "http.response.body"})

    transport = httpx.ASGITransport(SubPath(app, BELOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get(f"{BELOW}/x")).headers["location"] == told


def test_text_of_others_stays_as_it_is() -> None:
    text = '<p>a href=&#34;/x&#34; href=/x</p><a href="//x" title="/x">/x</a>'
    assert below(BELOW, text) == text
    assert below("", '<a href="/">') == '<a href="/">'
    assert below(BELOW, '<a href="/">') == f'<a href="{BELOW}/">'


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/dxa", "may not begin with /api"),
        ("/results", "may not begin with /results"),
        ("/a//b", "single slashes"),
        ("/a/../b", "letters, digits"),
        ("/a%20b", "letters, digits"),
        ('/a"b', "letters, digits"),
    ],
)
def test_a_path_that_cannot_be_told_apart_is_refused(tmp_path: Path, path: str, said: str) -> None:
    settings = Settings(var=tmp_path, public_url=f"https://intranet.test{path}")
    with pytest.raises(SettingsError, match=said):
        check(settings)


@pytest.mark.parametrize("path", ["", "/", "/osteoserve", "/osteoserve/", "/a.b/c_d~e-1"])
def test_other_paths_are_taken(tmp_path: Path, path: str) -> None:
    check(Settings(var=tmp_path, public_url=f"https://intranet.test{path}"))
