"""A result's page, a patient's page and the API say the same of the curve."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from lxml import html

from service.predictions.contexts import ResultPage
from service.predictions.schemas import EXAMPLE, Prediction
from service.web.templates import Templates
from tests.service.kit.fronts import API, Front
from tests.service.kit.shapes import assert_well_made

pytestmark = pytest.mark.anyio


def section(page: html.HtmlElement, name: str) -> str:
    (found,) = page.xpath(f"//section[@aria-labelledby='{name}']")
    return " ".join(found.text_content().split())


def drawn(**changes: Any) -> html.HtmlElement:
    told = {**EXAMPLE, "vertebrae": {**EXAMPLE["vertebrae"], **changes}}
    page = html.fromstring(Templates().render(ResultPage.of(Prediction.model_validate(told))))
    assert_well_made(page)
    return page


def test_a_result_tells_the_angle_and_what_to_look_at_next() -> None:
    said = section(drawn(curve=16.4, curve_interval=[13.7, 19.1]), "curve")
    assert "DXA screening angle, supine" in said
    assert "16.4° (13.7° to 19.1°)" in said
    assert "Compare the spine’s T-score with the hip’s" in said
    assert "PubMed 16778698" in said
    assert "not a Cobb angle" in said
    below = section(drawn(curve=1.0, curve_interval=[0.0, 3.7]), "curve")
    assert "Compare" not in below
    older = section(drawn(curve_interval=None), "curve")
    assert "Send the image again" in older


async def test_a_patient_s_page_and_the_api_have_the_trend(shared: Front, png: bytes) -> None:
    reference, key = f"ward/{uuid4().hex[:8]}", ""
    for on in ("2021-04-01", "2023-04-01"):
        id = (await shared.post(png + uuid4().bytes)).json()["id"]
        told = {"patient_reference": reference, "acquired_on": on}
        key = (await shared.client.put(f"{API}/{id}/study", json=told)).json()["patient_key"]
    answer = (await shared.client.get(f"/api/v1/patients/{key}/progression")).json()["curve"]
    assert (answer["name"], answer["nominal"]) == ("DXA screening angle L1-L4, supine", 0.9)
    first, second = answer["studies"]
    assert first["angle"]["standing"] == "below"
    assert (second["change"], second["difference"], second["earlier"]) == (
        "no_change", 0.0, "2021-04-01"
    )  # fmt: skip
    page = html.fromstring((await shared.client.get(f"/patients/{key}")).text)
    said = section(page, "curves")
    assert "No change since 1 April 2021" in said
    assert "not a Cobb angle" in said
