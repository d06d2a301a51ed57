"""A patient's studies on paper say what their page says, and no more."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from tests.service.kit.fronts import Front
from tests.service.kit.shapes import assert_problem
from tests.service.medicine.progression.test_pages import BMD, page, patient
from tests.service.predictions.report.test_report import words

pytestmark = pytest.mark.anyio


async def test_changes_rate_and_forecast_are_on_paper_as_on_the_page(
    shared: Front, png: bytes, tmp_path: Path
) -> None:
    key = await patient(shared, png, *BMD)
    told = (await shared.client.get(f"/api/v1/patients/{key}/progression")).json()
    for address in (f"/patients/{key}/report.pdf", f"/api/v1/patients/{key}/report.pdf"):
        response = await shared.client.get(address)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/pdf"
        assert response.headers["cache-control"] == "no-store"
        assert "ward" not in response.headers["content-disposition"]
        paper = words(response.content, tmp_path)
        assert paper.startswith("Research use only.")
        assert "Patient: ward/" in paper
        assert "Loss since 1 April 2019: −0.040 g/cm²" in paper
        assert f"Rate: −{abs(told['rate']['value']):.3f} g/cm² a year" in paper
        (last,) = [one for one in told["forecast"]["ahead"] if one["years"] == 5.0]
        assert f"{last['low']:.3f}–{last['high']:.3f}" in paper
        assert "simulated patients, not of people’s visits" in paper
        assert "%(" not in paper
    shown = await page(shared, key)
    assert shown.xpath(f"//a[@href='/patients/{key}/report.pdf']")
    german = await shared.client.get(
        f"/patients/{key}/report.pdf", headers={"accept-language": "de"}
    )
    assert german.headers["content-language"] == "de"
    paper = words(german.content, tmp_path)
    assert "simulierten" in paper
    assert "How BMD goes on" not in paper


async def test_many_studies_take_several_pages_each_with_what_it_is_for(
    shared: Front, png: bytes, tmp_path: Path
) -> None:
    key = await patient(shared, png, *list(BMD) * 8)
    response = await shared.client.get(f"/patients/{key}/report.pdf")
    assert words(response.content, tmp_path).count("Patient: ward/") > 1


async def test_nobody_has_no_paper(shared: Front) -> None:
    response = await shared.client.get(f"/api/v1/patients/{uuid4()}/report.pdf")
    assert_problem(response, "patient_not_found")
