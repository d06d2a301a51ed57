from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from lxml import html

from models.gate import Reason
from models.image import recipe
from service.http.problem_types import KINDS
from service.language.locale import languages
from service.predictions.contexts import REASONS, ResultPage
from service.predictions.schemas import EXAMPLE, Prediction
from service.web.templates import STATIC, Templates
from tests.service.kit import images
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import Down, Foreign, Honest, Runner, running
from tests.service.kit.shapes import assert_error_page, assert_well_made

pytestmark = pytest.mark.anyio

LABELS = (
    "Research use only",
    "Not cleared",
    "Not a diagnosis",
    "Not for rule-out",
    "Does not replace the DXA T-score",
    "Preliminary",
    "aged 50 or over",
)


def variants() -> Iterator[tuple[str, dict[str, Any]]]:
    vote = EXAMPLE["models"]["cnn"]
    nothing = {"probability": None, "threshold": None, "band": None, "version": None, "models": {}}
    alone = {name: {**one, "contribution": None} for name, one in EXAMPLE["models"].items()}
    yield "osteoporosis", {}
    yield "normal", {"outcome": "normal", "probability": 0.0001}
    yield "certain", {"probability": 1.0}
    yield "indeterminate", {"outcome": "indeterminate", "probability": 0.41}
    yield "one absent", {"degraded": True, "missing": ["cnn"], "models": {"resnet": vote}}
    yield (
        "stack absent",
        {
            "degraded": True,
            "missing": ["stack"],
            "models": alone,
            "version": EXAMPLE["models"]["vgg16"]["version"],
        },
    )
    reasons = {"accepted": False, "reasons": ["too_small", "code_of_tomorrow"]}
    yield "refused", {**nothing, "outcome": "refused", "quality": reasons}


@pytest.mark.parametrize(
    ("name", "changes"), list(variants()), ids=[name for name, _ in variants()]
)
def test_every_result_renders(name: str, changes: dict[str, Any]) -> None:
    prediction = Prediction.model_validate({**EXAMPLE, **changes})
    page = html.fromstring(Templates().render(ResultPage.of(prediction)))
    assert page.xpath("//h1")
    for svg in page.iter("rect", "line"):
        for attribute in ("x", "width", "x1"):
            value = svg.get(attribute, "0%")
            assert 0 <= float(value.removesuffix("%")) <= 100


def test_every_refusal_has_words() -> None:
    assert REASONS.keys() == {reason.value for reason in Reason}


def parsed(response: httpx.Response) -> html.HtmlElement:
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    page = html.fromstring(response.text)
    assert_well_made(page)
    return page


async def test_the_form_works_without_scripts(shared: Front) -> None:
    page = parsed(await shared.client.get("/"))
    (form,) = page.xpath("//main//form")
    assert (form.get("method"), form.get("action")) == ("post", "/")
    assert form.get("enctype") == "multipart/form-data"
    (field,) = form.xpath(".//input[@name='file']")
    assert ".dcm" in field.get("accept")
    assert form.xpath(".//button[@type='submit']")
    assert "32 MiB" in page.text_content()
    for label in LABELS:
        assert label in page.text_content()


async def test_the_answer_to_the_form_is_the_result(shared: Front, png: bytes) -> None:
    sent = await shared.upload(png, "image/png", path="/")
    assert sent.status_code == 303
    calls = shared.calls
    response = await shared.client.get(sent.headers["location"])
    page = parsed(response)
    link = response.headers["content-location"]
    text = " ".join(page.text_content().split())
    assert response.status_code == 200
    assert link.startswith("/results/")
    assert page.xpath("string(//h1)").strip() == "Signs of osteoporosis"
    assert page.xpath(f"//a[@href='{link}']")
    for fact in ("83 %", "41 %", "35–48 %", "79 %", "+0.61", "−0.33", recipe.NAME):
        assert fact in text
    for label in LABELS:
        assert label in text
    assert "Degraded" not in text
    again = await shared.client.get(sent.headers["location"])
    assert again.text == response.text
    # Neither look has asked a model anything.
    assert shared.calls == calls
    assert again.headers["cache-control"] == "no-store"
    sources = set(page.xpath("//image/@href"))
    assert len(sources) == 1  # the scan; no heat map of a toy has been measured
    for source in sources:
        assert (await shared.client.get(source)).headers["content-type"] == "image/png"


async def test_the_page_tells_what_the_api_tells(shared: Front, png: bytes) -> None:
    link = (await shared.analyse(png)).headers["content-location"]
    body = (await shared.client.get(link.replace("/results", "/api/v1/predictions"))).json()
    text = (await shared.client.get(link)).text
    for fact in (body["id"], body["version"], body["image"]["sha256"], body["recipe"]):
        assert fact in text
    for vote in body["models"].values():
        assert vote["version"] in text


@pytest.mark.parametrize(
    ("probability", "heading", "careful"),
    [
        (0.07, "No sign of osteoporosis found", "does not rule out osteoporosis"),
        (0.44, "Indeterminate", "no answer"),
    ],
)
async def test_careful_words(
    var: Path, png: bytes, probability: float, heading: str, careful: str
) -> None:
    stack = Honest("stack")
    stack.probability = probability
    async with running(stack) as runners, front(var, runners) as opened:
        page = parsed(await opened.analyse(png))
    assert page.xpath("string(//h1)").strip() == heading
    assert careful in " ".join(page.text_content().split())


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ([Down("cnn")], "CNN did not answer."),
        ([Down("cnn"), Down("resnet")], "CNN and ResNet + forest did not answer."),
        ([Down("stack")], "VGG16 speaks alone"),
        ([Foreign("resnet")], "ResNet + forest answered, but took no part"),
    ],
    ids=["one", "two", "stack", "foreign"],
)
async def test_degraded_is_unmistakable(
    var: Path, png: bytes, failing: list[Runner], said: str
) -> None:
    async with running(*failing) as runners, front(var, runners) as opened:
        page = parsed(await opened.analyse(png))
    (note,) = page.xpath("//*[@class='degraded']")
    text = " ".join(note.text_content().split())
    assert "Degraded answer" in text
    assert said in text


async def test_refused_shows_no_number(shared: Front) -> None:
    page = parsed(await shared.analyse(images.unusable()))
    text = " ".join(page.text_content().split())
    assert page.xpath("string(//h1)").strip() == "Not judged"
    assert REASONS["wrong_shape"] in text
    assert page.xpath("//*[@class='gauge'] | //table") == []


async def test_each_outcome_has_a_shape_of_its_own(shared: Front) -> None:
    page = parsed(await shared.client.get("/"))
    shapes = [
        "".join(html.tostring(child).decode() for child in svg)
        for svg in page.xpath("//svg[contains(@class, 'shape')]")
    ]
    assert len(shapes) == len(set(shapes)) == 4


async def test_errors_are_pages_too(shared: Front) -> None:
    link = "/results/7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43"
    for path, code in ((link, "prediction_not_found"), ("/results/1", "prediction_not_found"),
                       ("/nowhere/%3Cscript%3E", "not_found")):  # fmt: skip
        response = await shared.client.get(path)
        page = html.fromstring(response.text)
        assert_well_made(page)
        assert page.xpath("//script") == []
        assert KINDS[code].title in page.text_content()
    assert_error_page(await shared.client.get(link), "prediction_not_found")
    assert_error_page(await shared.client.put("/"), "method_not_allowed")


def busy(app: FastAPI) -> None:
    @app.get("/busy")
    async def page() -> None:
        raise HTTPException(429, headers={"Retry-After": "7"})


@pytest.mark.parametrize("language", list(languages()))
async def test_error_pages_say_what_to_do(var: Path, png: bytes, language: str) -> None:
    """Each status has its own advice, and a way on that is no dead end."""
    settings = {"max_upload_bytes": len(png) + 1000}
    async with running() as runners, front(var, runners, change=busy, **settings) as opened:
        opened.client.headers["Accept-Language"] = language
        answers = [
            (404, await opened.client.get("/nowhere")),
            (413, await opened.analyse(png * 3)),
            (415, await opened.analyse(b"%PDF-1.7 a letter")),
            (422, await opened.analyse(png[:300])),
            (429, await opened.client.get("/busy")),
        ]
        for status, response in answers:
            assert response.status_code == status
            page = html.fromstring(response.text)
            assert_well_made(page)
            assert response.headers["content-language"] == language
            assert page.xpath("//p[@class='actions']/a/@href")
            code = page.xpath("string(//dl//code)")
            advice = [" ".join(p.text_content().split()) for p in page.xpath("//article/p")]
            assert KINDS[code].status == status
            # What every error says is title, detail and help; the rest is this status' own.
            assert len(advice) >= 5
    assert answers[-1][1].headers["retry-after"] == "7"


async def test_no_model_left_is_a_page_that_says_when_to_return(var: Path, png: bytes) -> None:
    downs = [Down("cnn"), Down("vgg16"), Down("resnet"), Down("vertebrae")]
    async with running(*downs) as runners, front(var, runners) as opened:
        response = await opened.analyse(png)
    page = assert_error_page(response, "runners_unavailable")
    assert_well_made(page)
    assert "says nothing about the patient" in page.text_content()
    assert f"Try again in {response.headers['retry-after']} seconds" in page.text_content()


async def test_every_code_is_explained_where_its_type_points(shared: Front) -> None:
    page = parsed(await shared.client.get("/problems"))
    assert page.xpath("//tbody/tr/@id") == list(KINDS)


async def test_the_faq_has_its_sources_and_its_dates(shared: Front) -> None:
    page = parsed(await shared.client.get("/faq"))
    assert page.xpath("//nav//a[@href='/faq' and @aria-current='page']")
    assert page.xpath("//h2")[-1].text == "Sources"
    assert "review due" in page.xpath("//p[@class='note']")[0].text_content()


async def test_pages_are_small_and_their_parts_are_there(shared: Front, png: bytes) -> None:
    total = 0
    page = await shared.analyse(png)
    for address in html.fromstring(page.text).xpath("//link/@href | //script/@src"):
        response = await shared.client.get(address)
        assert response.status_code == 200, address
        total += response.num_bytes_downloaded
    assert total + page.num_bytes_downloaded < 60_000


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


TEXT = [
    *(("ink", on) for on in ("paper", "card", "warn-wash", "refused-wash")),
    *(("soft", on) for on in ("paper", "card", "refused-wash")),
    *(("link", on) for on in ("paper", "card")),
    *((f"{tone}", "card") for tone in ("osteoporosis", "normal", "indeterminate", "refused")),
    ("refused", "refused-wash"),
    *(("warn", on) for on in ("card", "warn-wash")),
    ("on-brand", "brand"),
]
GRAPHICS = [
    *(("edge", on) for on in ("paper", "card")),
    *(("focus", on) for on in ("paper", "card")),
    *((tone, "sunk") for tone in ("osteoporosis", "normal")),
    ("indeterminate", "band"),
    ("ink", "band"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(theme: str) -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for what carries meaning."""
    sheet = (STATIC / "tokens.css").read_text()
    roots = [part.split("}")[0] for part in sheet.split(":root {")[1:3]]
    tokens: dict[str, str] = {}
    for root in roots[: 1 if theme == "light" else 2]:
        for line in root.split(";"):
            name, _, value = line.strip().partition(":")
            if value.strip().startswith("#"):
                tokens[name.removeprefix("--")] = value.strip()
    for pairs, least in ((TEXT, 4.5), (GRAPHICS, 3.0)):
        for front_colour, back in pairs:
            found = contrast(tokens[front_colour], tokens[back])
            assert found >= least, f"{front_colour} on {back}: {found:.2f}"
