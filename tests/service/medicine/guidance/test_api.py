"""Considerations over HTTP: the form and the API answer from one engine, and keep nothing."""

from __future__ import annotations

import datetime
import logging
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from service.http.body import MAX_FIELDS
from service.medicine.guidance.considerations import EXAMPLE_FACTS, example
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.form import groups, parse
from service.medicine.guidance.words import LABELS, LAST_DOSE
from service.predictions.answers import ANSWER_EXAMPLE
from tests.service.kit.fronts import Front
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio

TODAY = datetime.date(2026, 12, 1)
API = "/api/v1/considerations"
PAGE = "/treatment"
FORM = {
    "age": "68", "sex": "female", "menopause": "postmenopausal", "t_scores.lumbar_spine": "-2.1",
    "t_scores.femoral_neck": "−2,6", "fractures.1.site": "forearm", "fractures.1.months_ago": "30",
    "egfr": "33", "drug": "none",
}  # fmt: skip
"""EXAMPLE_FACTS as somebody may type them: another minus, a comma, the second row."""


def test_the_form_gives_the_facts_that_the_api_takes() -> None:
    assert parse(FORM, TODAY) == Facts.model_validate(EXAMPLE_FACTS)


def test_the_form_has_a_field_for_every_fact() -> None:
    fields = {field.name.partition(".")[0] for group in groups({}, {}) for field in group.fields}
    assert fields - {LAST_DOSE} == set(Facts.model_fields) - {"last_dose_weeks_ago"}
    assert LAST_DOSE in fields
    names = [field.name for group in groups({}, {}) for field in group.fields]
    assert len(names) == len(set(names))
    assert len(names) <= MAX_FIELDS


async def test_every_documented_example_keeps_its_nulls(shared: Front) -> None:
    document = (await shared.client.get("/api/openapi.json")).json()
    created = document["paths"]["/api/v1/predictions"]["post"]["responses"]["201"]
    assert created["content"]["application/json"]["example"] == ANSWER_EXAMPLE


async def test_the_documented_answer_is_the_real_one(shared: Front) -> None:
    response = await shared.client.post(API, json=EXAMPLE_FACTS)
    body, shown = response.json(), example()
    assert response.headers["cache-control"] == "no-store"
    for one in (body, shown):
        del one["content"]["expired"]  # as of today, and as of the day it was written
    assert body == shown
    document = (await shared.client.get("/api/openapi.json")).json()
    operation = document["paths"][API]["post"]
    documented = operation["responses"]["200"]["content"]["application/json"]["example"]
    del documented["content"]["expired"]
    assert documented == body
    assert operation["requestBody"]["content"]["application/json"]["example"] == EXAMPLE_FACTS
    assert (
        document["components"]["schemas"]["Facts"]["properties"].keys() == Facts.model_fields.keys()
    )


def said(line: Any) -> str:
    """Return a consideration's text as the page has it, without its mark and what is said of it."""
    (text,) = deepcopy(line).xpath("p[1]")
    for more in text.xpath("span | strong"):
        more.drop_tree()
    return " ".join(text.text_content().split())


async def test_page_and_api_say_the_same(shared: Front) -> None:
    body = (await shared.client.post(API, json=EXAMPLE_FACTS)).json()
    response = await shared.client.post(PAGE, data=FORM)
    page = html.fromstring(response.text)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    lines = [said(line) for line in page.xpath("//ul[@class='lines']/li")]
    assert sorted(lines) == sorted(one["text"] for one in body["considerations"])
    unsure = [one for one in body["considerations"] if not one["verified"]]
    assert len(page.xpath("//ul[@class='lines']//span[@class='badge']")) == len(unsure) > 0
    for drug in body["drugs"]:
        (row,) = page.xpath(f"//*[@id='drug-{drug['drug']}']")
        assert bool(row.xpath("p/del")) == drug["forbidden"]
        told = len(drug["contraindications"]) + len(drug["cautions"])
        assert len(row.xpath(".//ul[@class='against' or @class='cautions']/li")) == told
        assert row.xpath("details/ul[@class='cautions']/li")
    for one in body["considerations"]:
        assert one["guideline"]["source"] in page.text_content()
        assert one["guideline"]["organisation"] in page.text_content()
    gaps = page.xpath("//dl[@class='gaps']//dt/text()")
    assert gaps == [LABELS[gap["fact"]] for gap in body["missing"]]
    assert page.xpath("//select[@name='drug']/option[@selected]/@value") == ["none"]
    assert page.xpath("//input[@name='fractures.1.months_ago']/@value") == ["30"]
    for label in ("Research use only", "not a treatment plan"):
        assert label in page.text_content()


async def test_the_page_asks_and_tells_nothing_yet(shared: Front) -> None:
    response = await shared.client.get(PAGE)
    page = html.fromstring(response.text)
    (form,) = page.xpath("//form[@id='facts']")
    assert (form.get("method"), form.get("action")) == ("post", PAGE)
    assert page.xpath("//*[@id='considered']") == []
    assert page.xpath("//main//script") == []
    for field in form.xpath(".//input | .//select"):
        assert form.xpath(f".//label[@for='{field.get('id')}']")
    assert "past its review" not in page.text_content()
    assert page.xpath("//h2[text()='Sources']")


async def test_the_page_asks_nothing_of_an_image(shared: Front) -> None:
    page = html.fromstring((await shared.client.get(PAGE)).text)
    for name in page.xpath("//form[@id='facts']//@name"):
        assert not any(word in name for word in ("prob", "image", "predict", "outcome"))
    assert page.xpath("//main//a[contains(@href, 'results')]") == []
    response = await shared.client.post(PAGE, data={**FORM, "probability": "0.97"})
    assert response.status_code == 422


FAULTY: list[tuple[dict[str, str], str, str]] = [
    ({"age": "SMITH"}, "age", "whole number"),
    ({"age": "1e999"}, "age", "whole number"),
    ({"egfr": "nan"}, "egfr", "number"),
    ({"t_scores.total_hip": "-2.55"}, "t_scores.total_hip", "one decimal"),
    ({"fractures.2.months_ago": "3"}, "fractures.2.site", "needed"),
    ({"fractures": "none", "fractures.0.site": "hip"}, "fractures", "says none"),
    ({"fractures": "some"}, "fractures", "none are"),
    ({"symptoms.none": "yes", "symptoms.chest_pain": "yes"}, "symptoms.none", "none of these"),
    ({"dialysis": "SMITH"}, "dialysis", "yes or no"),
    ({"age": "3"}, "age", "18 or more"),
    ({"age": "140"}, "age", "120 or less"),
    ({"height_cm": "40"}, "height_cm", "100 or more"),
    ({"sex": "male", "menopause": "postmenopausal"}, "menopause", "no menopause"),
    ({"earlier_drugs.1.months": "3"}, "earlier_drugs.1.drug", "needed"),
    ({"earlier_drugs": "none", "earlier_drugs.0.drug": "denosumab"}, "earlier_drugs", "says none"),
    ({"last_dose_on": "SMITH"}, "last_dose_on", "year-month-day"),
    ({"last_dose_on": "2999-01-01"}, "last_dose_on", "to today"),
    ({"drug": "none", "last_dose_on": "2026-01-01"}, "last_dose_on", "no drug is taken"),
]


@pytest.mark.parametrize(("sent", "where", "said"), FAULTY, ids=lambda value: str(value)[:40])
async def test_a_fault_stands_beside_its_field(
    shared: Front, sent: dict[str, str], where: str, said: str
) -> None:
    response = await shared.client.post(PAGE, data=sent)
    page = html.fromstring(response.text)
    assert response.status_code == 422
    (field,) = page.xpath(f"//*[@name='{where}']")
    assert field.get("aria-invalid") == "true"
    (error,) = page.xpath(f"//*[@id='{field.get('aria-describedby').split()[0]}']")
    assert said in error.text_content()
    (summary,) = page.xpath("//*[@role='alert']")
    assert summary.xpath(f".//a[@href='#{field.get('id')}']")
    assert "SMITH" not in summary.text_content()
    assert page.xpath("//*[@id='considered']") == []


async def test_what_the_api_cannot_take_is_a_problem(shared: Front) -> None:
    body = assert_problem(
        await shared.client.post(API, json={"age": "SECRET", "SECRET": 1}), "invalid_facts"
    )
    assert set(body["faults"]) == {"age", "body"}
    for content in (b"", b"[]", b"{", b'{"age": NaN}', b"\xff"):
        assert_problem(await shared.client.post(API, content=content), "malformed_body")
    assert_problem(await shared.client.get(API + "?age=70"), "method_not_allowed")


async def test_facts_are_neither_stored_nor_logged(
    shared: Front, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def state() -> dict[Path, bytes]:
        files = shared.settings.var.rglob("*")
        return {path: path.read_bytes() for path in files if path.is_file()}

    before = state()
    await shared.client.post(API, json={**EXAMPLE_FACTS, "vitamin_d": 271.82818})
    await shared.client.post(PAGE, data={**FORM, "vitamin_d": "271.82818"})
    assert state() == before

    facts = (vars(record).items() for record in caplog.records)
    ours = [pair for pairs in facts for pair in pairs if pair[0].startswith("osteoserve_")]
    logged = f"{caplog.messages} {ours}"
    assert "/treatment" in logged, "the requests themselves are logged"
    assert "271.82" not in logged


async def test_the_page_speaks_german(shared: Front) -> None:
    headers = {"Accept-Language": "de"}
    response = await shared.client.post(PAGE, data=FORM, headers=headers)
    page: Any = html.fromstring(response.text)
    assert response.headers["content-language"] == "de"
    assert page.xpath("//h2[text()='Quellen']")
    assert "−2,6" in page.text_content()
