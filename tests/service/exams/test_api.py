"""Study facts by API and by form, and one patient over time. No reference in any address or log."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from lxml import html

from service.exams.schemas import from_json
from service.storage.database import Database
from telemetry import journal
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem, assert_well_made

pytestmark = pytest.mark.anyio

FACTS: dict[str, Any] = {
    "patient_reference": "ward-7/0042",
    "acquired_on": "2021-04-01",
    "scanner": {"vendor": "Hologic", "serial": "DX-0417"},
    "bmd_g_cm2": 0.9,
    "vertebrae": ["L1", "L2", "L3", "L4"],
    "t_score": -1.3,
    "sex": "female",
    "age_years": 66,
}


async def posted(opened: Front, png: bytes, **facts: Any) -> str:
    """Return the id of a new result with ``facts``, on an image that nobody knows anything of."""
    id: str = (await opened.post(png + uuid4().bytes)).json()["id"]
    if facts:
        response = await opened.client.put(f"{API}/{id}/study", json=facts)
        assert response.status_code == 200, response.text
    return id


async def test_a_study_hands_its_facts_to_treatment(shared: Front, png: bytes) -> None:
    id = await posted(shared, png, **FACTS)
    page = html.fromstring((await shared.client.get(f"/results/{id}")).text)
    (there,) = page.xpath(
        "//section[contains(@class, 'next')]//a[contains(@href, 'treatment')]/@href"
    )
    assert there == f"/results/{id}/treatment"
    response = await shared.client.get(there)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    page = html.fromstring(response.text)
    (form,) = page.xpath("//form[@id='facts']")
    assert (form.get("action"), form.get("method")) == ("/treatment", "post")
    typed = {
        **{one.get("name"): one.get("value") for one in form.xpath(".//input[@value!='']")},
        **{
            one.get("name"): one.xpath("option[@selected]/@value")[0]
            for one in form.xpath(".//select[option[@selected][@value!='']]")
        },
    }
    typed = {name: value for name, value in typed.items() if not name.startswith("symptoms")}
    assert typed == {
        "age": "66", "sex": "female", "t_scores.lumbar_spine": "-1.3", "evaluable_vertebrae": "4",
    }  # fmt: skip
    assert "ward-7" not in response.text
    assert "range of low bone mass" in page.xpath("string(//section[@class='short'])")
    again = await shared.client.post("/treatment", data=typed)
    assert "range of low bone mass" in html.fromstring(again.text).xpath(
        "string(//section[@class='short'])"
    )


async def test_without_facts_treatment_asks_for_all(shared: Front, png: bytes) -> None:
    id = await posted(shared, png)
    response = await shared.client.get(f"/results/{id}/treatment")
    page = html.fromstring(response.text)
    assert response.status_code == 200
    assert page.xpath("//*[@id='considered']") == []
    assert page.xpath(f"//a[@href='/results/{id}']")
    assert_error_page(
        await shared.client.get(f"/results/{uuid4()}/treatment"), "prediction_not_found"
    )


async def test_facts_are_kept_and_replaced_as_a_whole(database: Database) -> None:
    prediction = made(0)
    await keep(database, prediction)
    exams = verbs(database).exams
    empty = await exams.get(ANYONE, prediction.id)
    assert empty is not None
    assert empty.empty
    first = await exams.change(ANYONE, prediction.id, from_json(FACTS))
    assert first is not None
    assert first == await exams.get(ANYONE, prediction.id)
    assert first.patient_key == await verbs(database).patients.find(ANYONE, "ward-7/0042")
    second = await exams.change(ANYONE, prediction.id, from_json({"bmd_g_cm2": 0.8}))
    assert second == await exams.get(ANYONE, prediction.id)
    assert second is not None
    assert (second.t_score, second.patient_key) == (None, None)
    # Nobody needs the reference any more, so it is not kept.
    assert await verbs(database).patients.find(ANYONE, "ward-7/0042") is None
    assert await verbs(database).predictions.timeline(ANYONE, first.patient_key or uuid4()) is None


async def test_facts_need_a_prediction(database: Database) -> None:
    exams = verbs(database).exams
    assert await exams.get(ANYONE, uuid4()) is None
    assert await exams.change(ANYONE, uuid4(), from_json(FACTS)) is None
    assert await verbs(database).patients.find(ANYONE, "ward-7/0042") is None


async def test_one_reference_is_one_patient(database: Database) -> None:
    predictions = [made(number) for number in range(3)]
    await keep(database, *predictions)
    exams = verbs(database).exams
    facts = from_json(FACTS)
    keys = set()
    for one in predictions:
        exam = await exams.change(ANYONE, one.id, facts)
        assert exam is not None
        keys.add(exam.patient_key)
    (key,) = keys
    assert isinstance(key, UUID)
    patient = await verbs(database).predictions.timeline(ANYONE, key)
    assert patient is not None
    assert patient.reference == "ward-7/0042"
    assert [prediction for _, prediction in patient.exams] == predictions


async def test_what_is_put_is_got(shared: Front, png: bytes) -> None:
    id = await posted(shared, png)
    address = f"{API}/{id}/study"
    nothing = (await shared.client.get(address)).json()
    assert {name: nothing[name] for name in FACTS} == dict.fromkeys(FACTS)
    put = await shared.client.put(address, json=FACTS)
    body = put.json()
    assert {name: body[name] for name in FACTS} == FACTS
    assert body["prediction_id"] == id
    assert UUID(body["patient_key"]).version == 4
    got = await shared.client.get(address)
    assert got.json() == body
    assert got.headers["cache-control"] == "no-store"


async def test_wrong_facts_are_told_by_field(shared: Front, png: bytes) -> None:
    id = await posted(shared, png, **FACTS)
    wrong = {"bmd_g_cm2": 9.87654, "patient_reference": "SECRET\n", "t_score": "SECRET"}
    response = await shared.client.put(f"{API}/{id}/study", json=wrong)
    body = assert_problem(response, "invalid_study")
    assert set(body["faults"]) == {error["field"] for error in body["errors"]}
    assert {error["field"]: error["came"] for error in body["errors"]} == {
        "bmd_g_cm2": "a number",
        "patient_reference": "text",
        "t_score": "text",
    }
    assert "0.422 to 1.901" in body["detail"]
    assert "9.87654" not in response.text
    # Nothing was changed by halves.
    assert (await shared.client.get(f"{API}/{id}/study")).json()["bmd_g_cm2"] == 0.9


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"bmd_g_cm2": NaN}'])
async def test_what_is_no_object_is_told(shared: Front, png: bytes, body: bytes) -> None:
    id = await posted(shared, png)
    response = await shared.client.put(f"{API}/{id}/study", content=body)
    assert_problem(response, "malformed_body")


async def test_facts_of_nothing(shared: Front) -> None:
    for path in (f"{API}/{uuid4()}/study", f"{API}/SECRET/study"):
        assert (await shared.client.get(path)).status_code == 404
        assert (await shared.client.put(path, json=FACTS)).status_code == 404
    assert_error_page(await shared.client.get(f"/results/{uuid4()}/study"), "prediction_not_found")


async def test_the_form_keeps_and_shows_facts(shared: Front, png: bytes) -> None:
    id = await posted(shared, png)
    result = html.fromstring((await shared.client.get(f"/results/{id}")).text)
    assert f"/results/{id}/study" in result.xpath("//a/@href")
    page = html.fromstring((await shared.client.get(f"/results/{id}/study")).text)
    assert_well_made(page)
    form = page.xpath("//main//form")[0]
    fields = {
        **dict(form.form_values()),
        "patient_reference": "ward-7/0100",
        "bmd_g_cm2": "0,812",
        "t_score": "-2,1",
        "vertebra_L2": "on",
        "vertebra_L3": "on",
    }
    done = await shared.client.post(form.action, data=fields)
    assert (done.status_code, done.headers["location"]) == (303, f"/results/{id}#study")
    exam = (await shared.client.get(f"{API}/{id}/study")).json()
    assert (exam["bmd_g_cm2"], exam["t_score"]) == (0.812, -2.1)
    assert exam["vertebrae"] == ["L2", "L3"]
    card = html.fromstring((await shared.client.get(f"/results/{id}")).text).xpath(
        "//section[contains(@class, 'study')]"
    )[0]
    words = " ".join(card.text_content().split())
    for fact in ("ward-7/0100", "0.812", "−2.1", "L2 and L3"):
        assert fact in words
    assert card.xpath(".//a/@href") == [
        f"/results/{id}/study",
        f"/patients/{exam['patient_key']}",
    ]
    # What is kept stands in the form again, and sent unchanged is kept unchanged.
    again = html.fromstring((await shared.client.get(f"/results/{id}/study")).text)
    form = again.xpath("//main//form")[0]
    await shared.client.post(form.action, data=dict(form.form_values()))
    assert (await shared.client.get(f"{API}/{id}/study")).json() == exam


async def test_the_form_comes_back_with_what_is_wrong(shared: Front, png: bytes) -> None:
    id = await posted(shared, png)
    fields = {"bmd_g_cm2": "8.73", "t_score": "-2", "vertebra_L1": "on"}
    response = await shared.client.post(f"/results/{id}/study", data=fields)
    assert response.status_code == 422
    page = html.fromstring(response.text)
    assert_well_made(page)
    wrong = page.xpath("//input[@aria-invalid='true']")
    assert [field.get("name") for field in wrong] == ["bmd_g_cm2"]
    described = wrong[0].get("aria-describedby").split()
    assert "0.422 to 1.901" in page.get_element_by_id(described[0]).text_content()
    values = dict(page.xpath("//main//form")[0].form_values())
    assert (values["bmd_g_cm2"], values["t_score"], values["vertebra_L1"]) == ("8.73", "-2", "yes")


async def test_a_patient_over_time(shared: Front, png: bytes, lines: io.StringIO) -> None:
    journal.configure("plain", "debug", lines)
    reference = "ward-9/SECRET"
    first = await posted(shared, png, **{**FACTS, "patient_reference": reference})
    later = {**FACTS, "patient_reference": reference, "acquired_on": "2024-04-01"}
    second = await posted(shared, png, **{**later, "bmd_g_cm2": 0.85})
    other = {"acquired_on": "2025-04-01", "scanner": {"vendor": "GE", "serial": "1"}}
    third = await posted(shared, png, **{**later, **other, "bmd_g_cm2": 0.95})
    found = await shared.client.post("/patients", data={"patient_reference": f" {reference} "})
    assert found.status_code == 303
    address = found.headers["location"]
    assert address.startswith("/patients/")
    response = await shared.client.get(address)
    assert response.headers["cache-control"] == "no-store"
    page = html.fromstring(response.text)
    assert_well_made(page)
    rows = page.xpath("//*[@aria-labelledby='studies']//tbody/tr")
    assert [row.xpath("./th/a/@href")[0] for row in rows] == [
        f"/results/{id}" for id in (first, second, third)
    ]
    changes = [" ".join(row.xpath("string(.//ul[@class='changes'])").split()) for row in rows]
    # 0.85 − 0.9 = −0.050, and the least significant change is 2.77 × 0.011 = 0.03047.
    assert changes[0] == ""
    assert changes[1].startswith("▼ Loss since 1 April 2021: −0.050 g/cm² (−5.6 %)")
    assert changes[1].endswith("0.0305.")
    assert changes[2] == (
        "– Not comparable with the study of 1 April 2024: they are of different machines."
    )
    marks = page.xpath("//figure//svg[@role='img']/svg")
    assert len(marks) == 3
    assert len(page.xpath("//figure//svg[@role='img']/line[contains(@class, 'link')]")) == 1
    # The reference is shown, and stands nowhere else.
    assert page.xpath("string(//main//strong)") == reference
    assert "route=/patients " in lines.getvalue()
    assert "SECRET" not in lines.getvalue()
    assert "SECRET" not in (await shared.client.get("/metrics")).text
    for link in page.xpath("//@href | //@action | //@src | //input/@value"):
        assert "SECRET" not in link


async def test_the_precision_is_the_facilitys(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners, bmd_precision="0.020") as opened:
        await posted(opened, png, **FACTS)
        await posted(opened, png, **{**FACTS, "acquired_on": "2024-04-01", "bmd_g_cm2": 0.85})
        found = await opened.client.post("/patients", data={"patient_reference": "ward-7/0042"})
        page = html.fromstring((await opened.client.get(found.headers["location"])).text)
    # 2.77 × 0.020 = 0.0554 > 0.050.
    assert "No significant change since 1 April 2021" in page.text_content()
    assert "0.0554" in page.text_content()


@pytest.mark.parametrize("key", ["b0e7a4f4-6f0d-4a3b-9d54-0c8f3b1f6a11", "SECRET", "1"])
async def test_no_such_patient(shared: Front, key: str) -> None:
    response = await shared.client.get(f"/patients/{key}")
    assert response.status_code == 404
    assert "patient_not_found" in response.text


async def test_a_search_that_finds_nobody(shared: Front) -> None:
    nobody = await shared.client.post("/patients", data={"patient_reference": "SECRET"})
    assert_error_page(nobody, "patient_not_found")
    for fields in ({"patient_reference": "x" * 65}, {"patient_reference": " "}):
        assert_error_page(await shared.client.post("/patients", data=fields), "invalid_request")
    assert (await shared.client.get("/patients")).status_code == 405


async def test_facts_that_somebody_else_has_changed_are_not_written_over(
    shared: Front, png: bytes
) -> None:
    address = f"{API}/{await posted(shared, png)}/study"
    seen = (await shared.client.get(address)).headers["etag"]
    first = await shared.client.put(address, json=FACTS, headers={"If-Match": seen})
    assert first.status_code == 200
    assert first.headers["etag"] == (await shared.client.get(address)).headers["etag"] != seen
    late = {"bmd_g_cm2": 0.7}
    refused = await shared.client.put(address, json=late, headers={"If-Match": seen})
    body = assert_problem(refused, "changed_meanwhile")
    assert body["kept"] == first.json()
    assert refused.headers["etag"] == first.headers["etag"]
    for tags in ('"other", W/' + refused.headers["etag"], "*"):
        again = await shared.client.put(address, json=late, headers={"If-Match": tags})
        assert again.status_code == 200
        # The same once more is no difference to anybody.
        assert (
            await shared.client.put(address, json=late, headers={"If-Match": seen})
        ).status_code == 200
        await shared.client.put(address, json=FACTS)
    for tags in ("nonsense", '"unended', ","):
        response = await shared.client.put(address, json=late, headers={"If-Match": tags})
        assert_problem(response, "changed_meanwhile")


async def test_the_form_shows_both_versions_when_somebody_else_was_faster(
    shared: Front, png: bytes
) -> None:
    id = await posted(shared, png, t_score=-1.0, sex="female")
    address = f"/results/{id}/study"
    mine = dict(form_of(await shared.client.get(address)).form_values())
    theirs = {**mine, "t_score": "-2,0", "bmd_g_cm2": "0.8", "vertebra_L1": "on"}
    assert (await shared.client.post(address, data=theirs)).status_code == 303
    mine |= {"t_score": "-1.5", "bmd_g_cm2": "0,80", "patient_reference": "<b>ward</b>"}
    refused = await shared.client.post(address, data=mine)
    assert refused.status_code == 412
    page = html.fromstring(refused.text)
    assert_well_made(page)
    rows = [
        [cell.text_content().strip() for cell in row.xpath("./th|./td")]
        for row in page.xpath("//section[@role='alert']//tbody/tr")
    ]
    # What both say, in whatever form, is no difference.
    assert rows == [
        ["Patient reference", "nothing", "<b>ward</b>"],
        ["Spine T-score, as the scanner reports it", "−2.0", "−1.5"],
        ["Vertebrae in BMD and T-score", "L1", "nothing"],
    ]
    assert (await shared.client.get(f"{API}/{id}/study")).json()["t_score"] == -2.0
    # Nothing that was typed is lost, and sent again it counts.
    again = dict(form_of(refused).form_values())
    assert {**again, "version": ""} == {**mine, "version": ""}
    assert (await shared.client.post(address, data=again)).status_code == 303
    assert (await shared.client.get(f"{API}/{id}/study")).json()["t_score"] == -1.5


async def test_a_form_with_faults_still_knows_what_it_was_filled_in_over(
    shared: Front, png: bytes
) -> None:
    id = await posted(shared, png)
    address = f"/results/{id}/study"
    mine = dict(form_of(await shared.client.get(address)).form_values())
    wrong = await shared.client.post(address, data={**mine, "t_score": "seven"})
    assert wrong.status_code == 422
    await shared.client.put(f"{API}/{id}/study", json=FACTS)
    mended = {**dict(form_of(wrong).form_values()), "t_score": "-1"}
    assert (await shared.client.post(address, data=mended)).status_code == 412


async def test_what_was_typed_is_not_lost_while_storage_does_not_answer(
    var: Path, png: bytes
) -> None:
    async with running() as runners, front(var, runners, storage_seconds=0.3) as opened:
        id = await posted(opened, png)
        with closing(sqlite3.connect(var / "osteoserve.db", isolation_level=None)) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            fields = {"t_score": "-1,5", "vertebra_L1": "on"}
            exam = await opened.client.post(f"/results/{id}/study", data=fields)
            signed = {"action": "sign", "reviewer": "A. Reader", "reason": "Seen with the hip."}
            review = await opened.client.post(f"/results/{id}/reviews", data=signed)
            blocker.execute("ROLLBACK")
        for response in (exam, review):
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) >= 1
            page = html.fromstring(response.text)
            assert_well_made(page)
            assert "The database does not answer." in page.text_content()
        values = dict(form_of(exam).form_values())
        assert (values["t_score"], values["vertebra_L1"]) == ("-1,5", "yes")
        assert "Seen with the hip." in review.text
        assert (await opened.client.post(f"/results/{id}/study", data=values)).status_code == 303


def form_of(response: httpx.Response) -> html.FormElement:
    return html.fromstring(response.text).xpath("//main//form[contains(@action, '/study')]")[0]
