from __future__ import annotations

import datetime
import re
import string
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from lxml import html
from starlette.datastructures import Headers

from service.http.locale import choose
from service.http.problem_types import KINDS
from service.language import formats
from service.language import locale as language
from service.language import messages as catalogue
from service.language.locale import languages, po, speaking
from tests.service.kit.fronts import Front

OTHERS = [code for code in languages() if code != language.SOURCE]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "en"),
        ({"accept-language": "de"}, "de"),
        ({"accept-language": "DE-at,en;q=0.9"}, "de"),
        ({"accept-language": "fr,en;q=0.2,de;q=0.9"}, "de"),
        ({"accept-language": "en-US,de;q=0.9"}, "en"),
        ({"accept-language": "fr, *;q=0.1"}, "en"),
        ({"accept-language": "de;q=0"}, "en"),
        ({"accept-language": "de", "cookie": "language=en"}, "en"),
        ({"accept-language": "de", "cookie": "language=../../etc"}, "de"),
        ({"cookie": "a=b; language=de"}, "de"),
        ({"accept-language": "\x00;;;q=,,"}, "en"),
    ],
    ids=str,
)
def test_who_chooses(headers: dict[str, str], code: str) -> None:
    assert choose(Headers(headers)).code == code


def test_numbers_and_dates() -> None:
    when = datetime.datetime(
        2026, 3, 2, 15, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=1))
    )
    written = lambda: (  # noqa: E731 - the same five things in each language
        formats.number(1234.5, 1),
        formats.number(-0.33, 2, signed=True),
        formats.number(0.61, 2, signed=True),
        formats.percent(0.638),
        formats.moment(when),
    )
    assert written() == ("1,234.5", "−0.33", "+0.61", "63.8 %", "2 March 2026, 14:04 UTC")
    with speaking("de"):
        assert written() == ("1.234,5", "−0,33", "+0,61", "63,8 %", "2. März 2026, 14:04 UTC")
    assert language.current().code == "en"


@pytest.fixture(scope="module")
def source() -> Catalog:
    return catalogue.extracted()


def messages(found: Catalog) -> Iterator[Message]:
    return (message for message in found if message.id)


def texts(value: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return (
        [value or ""] if isinstance(value, str) or value is None else [one or "" for one in value]
    )


def key(message: Message) -> tuple[str | None, tuple[str, ...]]:
    return message.context, tuple(texts(message.id))


def stored(code: str) -> Catalog:
    with po(code).open("rb") as file:
        return read_po(file, locale=code)


@pytest.mark.parametrize("code", OTHERS)
def test_catalogues_have_every_sentence_and_no_other(source: Catalog, code: str) -> None:
    """``python -m service catalogue`` brings them up to date."""
    there = {key(message) for message in messages(stored(code))}
    assert there == {key(message) for message in messages(source)}


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_translated(code: str) -> None:
    left = [
        message.id
        for message in messages(stored(code))
        if message.fuzzy or not all(texts(message.string))
    ]
    assert left == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_keep_names_and_markup(code: str) -> None:
    for message in messages(stored(code)):
        told = sorted(placeholders(texts(message.id)[-1]))
        for text in texts(message.string):
            names = placeholders(text)
            assert set(names) <= set(told), message.id
            # One of something may do without its number.
            if isinstance(message.id, str):
                assert sorted(names) == told, message.id
            assert sorted(tags(text)) == sorted(tags(texts(message.id)[-1])), message.id


def placeholders(text: str) -> list[str]:
    return re.findall(r"%\(\w+\)[sd]|%%", text)


def tags(text: str) -> list[str]:
    return re.findall(r"</?[a-z][^<>]*>", text)


def test_extraction_sees_code_and_templates(source: Catalog) -> None:
    ids = {text for message in messages(source) for text in texts(message.id)}
    assert {"Analyse", "Skip to content", KINDS["empty_file"].title} <= ids
    assert not any(set(text) <= set(string.whitespace) for text in ids)


pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/", "/problems", "/nowhere"])
async def test_pages_speak_the_language_that_is_asked_for(shared: Front, path: str) -> None:
    english = await shared.client.get(path)
    german = await shared.client.get(path, headers={"Accept-Language": "de"})
    for response, code in ((english, "en"), (german, "de")):
        assert response.headers["content-language"] == code
        assert {"Accept-Language", "Cookie"} <= set(response.headers["vary"].split(", "))
        assert html.fromstring(response.text).get("lang") == code
    assert english.text != german.text


async def test_programs_are_answered_in_english(shared: Front) -> None:
    path = "/api/v1/predictions/none"
    german = await shared.client.get(path, headers={"Accept-Language": "de"})
    assert german.json() == (await shared.client.get(path)).json()


async def test_the_switch_works_without_scripts(shared: Front) -> None:
    page = html.fromstring((await shared.client.get("/problems?a=b")).text)
    (form,) = page.xpath("//form[@action='/language']")
    assert form.xpath(".//button[@aria-current]/@value") == ["en"]
    (back,) = form.xpath(".//input[@name='back']/@value")
    answer = await shared.client.post("/language", data={"language": "de", "back": back})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/problems?a=b"
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
    cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    again = await shared.client.get(back, headers=cookie)
    assert html.fromstring(again.text).get("lang") == "de"
    shared.client.cookies.clear()


@pytest.mark.parametrize(
    "back",
    ["", "//evil.example", "https://evil.example/", "\\\\evil.example", "/\\evil.example",
     "javascript:alert(1)", "/\r\nSet-Cookie: a=b", "evil.example", "///evil.example/x",
     "http://[", "/\x00"],
)  # fmt: skip
async def test_the_switch_goes_nowhere_else(shared: Front, back: str) -> None:
    answer = await shared.client.post("/language", data={"language": "de", "back": back})
    shared.client.cookies.clear()
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert len(answer.headers.get_list("set-cookie")) == 1


@pytest.mark.parametrize("fields", [{}, {"language": "xx", "back": "/"}, {"language": ""}], ids=str)
async def test_a_language_that_there_is_not(shared: Front, fields: dict[str, str]) -> None:
    answer = await shared.client.post("/language", data=fields)
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers
