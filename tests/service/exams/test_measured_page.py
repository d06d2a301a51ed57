"""An uploaded image with Hologic's table: its numbers in JSON and beside the model's."""

from __future__ import annotations

import pytest
from lxml import html

from tests.service.integration.kit import image
from tests.service.kit import reports
from tests.service.kit.fronts import API, Front
from tests.service.kit.reports import SPINE_TABLE, table, with_table

pytestmark = pytest.mark.anyio


async def sent(shared: Front, rows: object = SPINE_TABLE) -> str:
    data = with_table(image(), table(rows))  # type: ignore[arg-type]  # also wrong ones
    response = await shared.post(reports.file(data), "application/dicom")
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def test_an_upload_shows_what_the_scanner_measured_and_conflicts(shared: Front) -> None:
    id = await sent(shared)
    study = (await shared.client.get(f"{API}/{id}/study")).json()
    assert (study["bmd_g_cm2"], study["t_score"], study["vertebrae"]) == (
        0.8, -2.3, ["L1", "L2", "L4"],
    )  # fmt: skip
    assert study["from_scanner"] == ["bmd_g_cm2", "t_score", "vertebrae"]
    assert [one["region"] for one in study["measured"][0]["values"]] == [
        "L1", "L2", "L4", "lumbar_spine",
    ]  # fmt: skip
    assert "SECRET" not in str(study)

    page = html.fromstring((await shared.client.get(f"/results/{id}")).text)
    (section,) = page.xpath("//section[h2[@id='study']]")
    told = [
        [" ".join(cell.text_content().split()) for cell in row.xpath("th | td")]
        for row in section.xpath(".//tbody/tr")
    ]
    assert told[0] == ["L1", "0.800", "−2.0", "−0.5"]
    assert told[-1] == ["Lumbar spine, L1, L2 and L4", "0.800", "−2.3", "−0.6"]
    assert not section.xpath(".//*[contains(@class, 'warn')]")

    facts = {"bmd_g_cm2": 0.8, "vertebrae": ["L1", "L2", "L4"], "t_score": -1.1}
    kept = (await shared.client.put(f"{API}/{id}/study", json=facts)).json()
    assert (kept["t_score"], kept["from_scanner"]) == (-1.1, ["bmd_g_cm2", "vertebrae"])
    assert kept["conflicts"] == [{"field": "t_score", "kept": -1.1, "measured": -2.3}]
    page = html.fromstring((await shared.client.get(f"/results/{id}")).text)
    warnings = " ".join(page.xpath("//*[contains(@class, 'warn')]//text()"))
    assert "The scanner’s own report says −2.3." in warnings
    assert "kept is −1.1, the scanner says −2.3." in warnings
    german = await shared.client.get(f"/results/{id}", headers={"Accept-Language": "de"})
    assert "Vom Scanner gemessen" in german.text


async def test_numbers_that_were_not_taken_are_said(shared: Front) -> None:
    off = [*SPINE_TABLE[:-1], ("Total", "41.00", "32.80", "873", "-2.3", "-0.6")]
    id = await sent(shared, off)
    page = html.fromstring((await shared.client.get(f"/results/{id}")).text)
    (section,) = page.xpath("//section[h2[@id='study']]")
    assert "Lumbar spine, BMD: outside of what is plausible" in section.text_content()
