"""A patient's page and ``/api/v1/patients/{key}/progression`` say the same."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from lxml import html

from tests.service.kit.fronts import API, Front
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio

FACTS: dict[str, Any] = {
    "scanner": {"vendor": "Hologic", "serial": "DX-1"},
    "vertebrae": ["L1", "L2", "L3", "L4"],
    "sex": "female",
    "age_years": 66,
}
BMD = {"2019-04-01": (0.90, -1.3), "2021-04-01": (0.885, -1.5), "2023-04-01": (0.86, -1.7)}


async def patient(opened: Front, png: bytes, *days: str, **facts: Any) -> str:
    """Return the key of a new patient with a study on each of ``days``."""
    reference = f"ward/{uuid4().hex[:8]}"
    for on in days:
        id = (await opened.post(png + uuid4().bytes)).json()["id"]
        bmd, score = BMD[on]
        told = {
            **FACTS, "patient_reference": reference, "acquired_on": on, "bmd_g_cm2": bmd,
            "t_score": score, **facts,
        }  # fmt: skip
        response = await opened.client.put(f"{API}/{id}/study", json=told)
        assert response.status_code == 200, response.text
    key: str = response.json()["patient_key"]
    return key


async def page(opened: Front, key: str, language: str = "en") -> html.HtmlElement:
    response = await opened.client.get(f"/patients/{key}", headers={"accept-language": language})
    assert response.status_code == 200, response.text
    return html.fromstring(response.text)


def words(page: html.HtmlElement) -> str:
    (section,) = page.xpath("//section[@aria-labelledby='outlook']")
    return " ".join(section.text_content().split())


async def test_three_studies_have_a_forecast_in_page_and_api(shared: Front, png: bytes) -> None:
    key = await patient(shared, png, *BMD)
    response = await shared.client.get(f"/api/v1/patients/{key}/progression")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    told = response.json()
    assert [one["acquired_on"] for one in told["studies"]] == list(BMD)
    assert told["studies"][2]["baseline"]["verdict"] == "loss"
    assert told["rate"]["value"] == pytest.approx(-0.01, abs=0.001)
    assert [one["years"] for one in told["forecast"]["ahead"]][-1] == 5.0
    assert told["forecast"]["nominal"] == 0.9
    assert told["forecast"]["no_drug_was_entered"]
    assert [one["years"] for one in told["reaching"]["within"]] == [1, 2, 5]
    assert told["missing"] == []
    assert told["model"]["simulated"]
    assert "Research use only" in told["label"]

    found = await page(shared, key)
    said = words(found)
    (last,) = [one for one in told["forecast"]["ahead"] if one["years"] == 5.0]
    assert f"{last['low']:.3f}–{last['high']:.3f}" in said
    assert "simulated patients" in said
    assert "Research use only" in said
    chance = told["reaching"]["within"][2]["probability"]
    assert f"within 5 years: {100 * chance:.0f} %" in said
    (band,) = found.xpath("//svg[@class='band']")
    points = band.xpath("./polygon/@points")[0].split()
    assert len(points) == 2 * 21
    assert re.fullmatch(r"\d+,\d+\.\d", points[0])


async def test_the_page_says_it_in_german_too(shared: Front, png: bytes) -> None:
    key = await patient(shared, png, *BMD, drug="denosumab", drug_since="2019-03-01")
    said = words(await page(shared, key, "de"))
    assert "simulierten" in said
    assert "Denosumab" in said
    assert "How BMD goes on" not in said


async def test_two_studies_have_a_rate_alone(shared: Front, png: bytes) -> None:
    key = await patient(shared, png, *list(BMD)[:2])
    told = (await shared.client.get(f"/api/v1/patients/{key}/progression")).json()
    assert told["rate"]["studies"] == 2
    assert (told["forecast"], told["reaching"], told["model"]) == (None, None, None)
    assert told["missing"] == ["third_study"]
    found = await page(shared, key)
    assert "two give a rate" in words(found)
    assert not found.xpath("//svg[@class='band']")


async def test_another_machine_breaks_the_drawing(shared: Front, png: bytes) -> None:
    reference = f"ward/{uuid4().hex[:8]}"
    key = ""
    for number, on in enumerate(BMD):
        id = (await shared.post(png + uuid4().bytes)).json()["id"]
        told = {
            **FACTS, "patient_reference": reference, "acquired_on": on, "bmd_g_cm2": BMD[on][0],
            "scanner": {"vendor": "Hologic", "serial": f"DX-{number // 2}"},
        }  # fmt: skip
        key = (await shared.client.put(f"{API}/{id}/study", json=told)).json()["patient_key"]
    found = await page(shared, key)
    (chart,) = found.xpath("//svg[@class='chart']")
    assert len(chart.xpath("./line[@class='break']")) == 1
    assert "another scanner or other vertebrae" in found.text_content()
    assert "No rate and no forecast" in words(found)


async def test_nobody_s_studies(shared: Front) -> None:
    response = await shared.client.get(f"/api/v1/patients/{uuid4()}/progression")
    assert_problem(response, "patient_not_found")
