"""The page of a site's use, and who may see what is on it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from lxml import html

from service.settings import Settings
from tests.service.kit.accounts import person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_well_made

pytestmark = pytest.mark.anyio

PAGE = "/usage"
SECRET = "hidden-hidden-hidden-hidden-hidden-0"  # noqa: S105 - nobody's
REFERENCE = "ward-9/SEEN-BY-NOBODY"


async def test_the_page_tells_counts_versions_and_settings(shared: Front, png: bytes) -> None:
    id = (await shared.post(png)).json()["id"]
    facts = {"patient_reference": REFERENCE, "t_score": -3.0, "sex": "female", "age_years": 70}
    await shared.client.put(f"{API}/{id}/study", json=facts)
    answer = await shared.client.get(PAGE)
    assert answer.headers["cache-control"] == "no-store"
    page = html.fromstring(answer.text)
    assert_well_made(page)
    assert page.xpath("//script") == page.xpath("//head/script")
    for section in ("volume", "reading", "refusals", "agreement", "versions", "settings"):
        assert page.xpath("//h2[@id=$id]", id=section), section
    for hidden in (REFERENCE, id, id[:8]):
        assert hidden not in answer.text
    whole = page.xpath("//table[.//th='Agreement']//tr[th='All months']/td")
    assert [one.text_content() for one in whole] == ["1", "0", "0", "0", "0", "0", "100 %"]
    (version,) = {one["version"] for one in (await shared.client.get(API)).json()["items"]}
    (link,) = page.xpath("//section[h2/@id='versions']//tbody//th/a/@href")
    assert version in link
    listed = html.fromstring((await shared.client.get(link)).text)
    assert listed.xpath("//tr[@data-result=$at]", at=f"/results/{id}")


async def test_german_has_its_own_words(shared: Front) -> None:
    page = html.fromstring((await shared.client.get(PAGE, headers={"Accept-Language": "de"})).text)
    assert page.xpath("string(//h1)") == "Nutzung"
    assert "Überstimmt" in page.xpath("string(//section[h2/@id='reading']//thead)")


async def test_the_table_is_of_the_same_months(shared: Front, png: bytes) -> None:
    await shared.post(png)
    answer = await shared.client.get(f"{PAGE}/export.csv?months=3")
    assert answer.headers["content-type"] == "text/csv; header=present; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="osteoserve-usage.csv"'
    head, *found = csv.reader(io.StringIO(answer.text))
    assert head == ["month", "measure", "of", "count"]
    assert {row[1] for row in found} >= {"outcome", "review", "version"}


@pytest.mark.parametrize("months", ["2", "-3", "three", "٣", ""])
async def test_other_lengths_are_refused_in_words(shared: Front, months: str) -> None:
    answer = await shared.client.get(f"{PAGE}?months={months}", headers={"Accept": "text/html"})
    page = assert_error_page(answer, "invalid_request")
    assert "3, 12 or 36 months" in page.text_content()


async def test_a_site_s_administrators_see_their_site_and_no_secret(
    tmp_path: Path, png: bytes
) -> None:
    hidden = {"audit_key": SECRET, "secret_keys": SECRET}
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local", **hidden) as opened,
        person(opened, "near", "clinician", "administrator") as near,
        person(opened, "far", "administrator", site="far") as far,
        person(opened, "reads", "clinician") as reader,
    ):
        assert (await near.client.post(API, content=png)).status_code == 201
        seen = (await near.client.get(PAGE)).text
        assert "Nothing was judged" not in seen
        assert "/history?version=" in seen
        other = (await far.client.get(PAGE)).text
        assert "Nothing was judged" in other
        assert "sha256:" not in other
        for text in (seen, other):
            assert SECRET not in text
        shown = html.fromstring(seen)
        named = {one.text for one in shown.xpath("//section[h2/@id='settings']//th/code")}
        assert named == {"OSTEOSERVE_" + one.upper() for one in Settings.model_fields}
        assert (await reader.client.get(PAGE)).status_code == 403
        at_home = html.fromstring((await reader.client.get("/account")).text)
        assert not at_home.xpath("//nav//a[@href='/usage']")
        assert shown.xpath("//nav//a[@href='/usage'][@aria-current='page']")
