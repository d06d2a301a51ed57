"""Whom an image shows, and whose it is: sent with it, read out of it, and shown with its result."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from lxml import html
from pydicom import dcmread, dcmwrite
from sqlalchemy import text

from models.phantom import draw
from models.phantom.dicom import encode
from service.exams import dicom
from service.exams.schemas import (
    NOTHING,
    StudyDiffersError,
    believed,
    entered,
    from_json,
)
from service.http.upload import plain_name
from service.predictions.schemas import Prediction
from service.storage.database import Database
from tests.service.kit.accounts import person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.records import ANYONE, made, verbs
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_problem, assert_well_made

pytestmark = pytest.mark.anyio

FACTS = {
    "patient_reference": "ward-7/0042",
    "patient_issuer": "North Clinic",
    "acquired_on": "2021-04-01",
    "scanner_vendor": "Hologic",
    "scanner_serial": "DX-0417",
    "bmd_g_cm2": "0,9",
    "t_score": "−1,3",
    "vertebra_L1": "yes",
    "vertebra_L2": "yes",
    "sex": "female",
    "age_years": "66",
}
"""As the page's form sends them."""


async def sent(
    opened: Front, data: bytes, facts: dict[str, str] | None = None, name: str = "Müller 7.png"
) -> dict[str, Any]:
    files = {"file": (name, data, "application/octet-stream")}
    answer = await opened.client.post(API, files=files, data=facts or {})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def head(page: html.HtmlElement) -> str:
    return " ".join(page.xpath("string(//section[@aria-labelledby='whom'])").split())


async def test_facts_that_come_with_an_image_are_its_studys(shared: Front, png: bytes) -> None:
    id = (await sent(shared, png + uuid4().bytes, FACTS))["id"]
    kept = (await shared.client.get(f"{API}/{id}/study")).json()
    assert kept["patient_reference"] == "ward-7/0042"
    assert kept["patient_issuer"] == "North Clinic"
    assert kept["scanner"] == {"vendor": "Hologic", "serial": "DX-0417"}
    assert (kept["bmd_g_cm2"], kept["t_score"], kept["vertebrae"]) == (0.9, -1.3, ["L1", "L2"])
    page = html.fromstring((await shared.client.get(f"/results/{id}")).text)
    assert_well_made(page)
    for told in (
        "ward-7/0042 (North Clinic)", "1 April 2021", "Hologic DX-0417", "66 years",
        "BMD 0.900 g/cm²", "T-score −1.3", "L1 and L2", "Müller 7.png",
    ):  # fmt: skip
        assert told in head(page)
    # The same reference without its issuer is somebody else.
    other = (await sent(shared, png + uuid4().bytes, {"patient_reference": "ward-7/0042"}))["id"]
    assert (await shared.client.get(f"{API}/{other}/study")).json()["patient_key"] != kept[
        "patient_key"
    ]


async def test_the_pages_form_sends_them_without_a_script(shared: Front, png: bytes) -> None:
    form = html.fromstring((await shared.client.get("/")).text)
    assert_well_made(form)
    names = {one.get("name") for one in form.xpath("//form[@id='upload']//*[@name]")}
    assert FACTS.keys() <= names
    files = {"file": ("a.png", png + uuid4().bytes, "image/png")}
    answer = await shared.client.post("/", files=files, data={**FACTS, "sex": ""})
    assert answer.status_code == 303
    page = html.fromstring((await shared.client.get(answer.headers["location"])).text)
    assert "ward-7/0042" in head(page)
    assert "ward-7" not in answer.headers["location"]


async def test_facts_that_cannot_be_taken_are_marked_and_nothing_is_judged(
    shared: Front, png: bytes
) -> None:
    files = {"file": ("a.png", png + uuid4().bytes, "image/png")}
    wrong = {**FACTS, "bmd_g_cm2": "9,0", "patient_reference": "SECRET\u202e"}
    answer = await shared.client.post(API, files=files, data=wrong)
    body = assert_problem(answer, "invalid_study")
    assert body["faults"].keys() == {"bmd_g_cm2", "patient_reference"}
    calls = shared.calls
    page = await shared.client.post("/", files=files, data={**wrong, "patient_reference": "p"})
    assert page.status_code == 422
    shown = html.fromstring(page.text)
    assert_well_made(shown)
    assert shown.xpath("//*[@aria-invalid='true']/@name") == ["bmd_g_cm2"]
    assert shown.xpath("//input[@name='patient_reference']/@value") == ["p"]
    assert "the image was not judged" in shown.text_content()
    assert shared.calls == calls


async def test_a_field_of_another_name_is_let_go(shared: Front, png: bytes) -> None:
    """As version 1 always did."""
    assert await sent(shared, png + uuid4().bytes, {"ward": "x" * 5000})


async def test_a_field_of_ours_has_its_bounds(shared: Front, png: bytes) -> None:
    files = {"file": ("a.png", png, "image/png")}
    answer = await shared.client.post(API, files=files, data={"patient_reference": "x" * 2000})
    assert_problem(answer, "malformed_upload")


async def test_an_image_of_another_study_is_not_filed_under_this_one(
    shared: Front, png: bytes
) -> None:
    data = png + uuid4().bytes
    id = (await sent(shared, data, {"patient_reference": "p-1", "t_score": "-1.0"}))["id"]
    files = {"file": ("a.png", data, "image/png")}
    for other in ({"patient_reference": "p-2"}, {"t_score": "-2.0"}):
        answer = await shared.client.post(API, files=files, data=other)
        body = assert_problem(answer, "study_differs")
        assert list(body["faults"]) == list(other)
        assert "p-1" not in answer.text
    # What agrees, and what is new, is taken.
    again = await sent(shared, data, {"patient_reference": "p-1", "sex": "male"})
    kept = (await shared.client.get(f"{API}/{again['id']}/study")).json()
    assert (kept["patient_reference"], kept["t_score"], kept["sex"]) == ("p-1", -1.0, "male")
    assert (await shared.client.get(f"{API}/{id}/study")).json()["sex"] == "male"


async def test_the_same_image_sent_again_says_so(shared: Front, png: bytes) -> None:
    data = png + uuid4().bytes
    first = (await sent(shared, data))["id"]
    page = html.fromstring((await shared.client.get(f"/results/{first}")).text)
    assert "You sent this image" not in head(page)
    second = (await sent(shared, data))["id"]
    page = html.fromstring((await shared.client.get(f"/results/{second}")).text)
    assert "You sent this image on" in head(page)
    (note,) = page.xpath("//section[@aria-labelledby='whom']//p[@class='note-box']")
    assert note.xpath("./a/@href") == [f"/results/{first}"]


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as opened,
    ):
        yield opened


async def test_the_name_of_a_file_is_its_senders_alone(guarded: Front, png: bytes) -> None:
    async with (
        person(guarded, "ann", "clinician") as ann,
        person(guarded, "bob", "clinician") as bob,
    ):
        data = png + uuid4().bytes
        ids = []
        for somebody, name in ((ann, "SECRET of Ann.png"), (bob, "SECRET of Bob.png")):
            files = {"file": (name, data, "image/png")}
            answer = await somebody.client.post(API, files=files)
            ids.append(answer.json()["id"])
            assert "SECRET" not in answer.text
        for somebody, own, other in ((ann, "Ann", "Bob"), (bob, "Bob", "Ann")):
            pages = [(await somebody.client.get(f"/results/{id}")).text for id in ids]
            assert sum(f"SECRET of {own}.png" in page for page in pages) == 1
            assert not any(f"SECRET of {other}.png" in page for page in pages)
            # Whoever sent it second is not told that somebody else had, and the first is only told
            # of themselves.
            told = ["You sent this image" in page for page in pages]
            assert told == [False, somebody is ann]


async def test_names_are_not_kept_where_they_are_not_to_be(
    tmp_path_factory: pytest.TempPathFactory, png: bytes
) -> None:
    var = tmp_path_factory.mktemp("var")
    async with running() as runners, front(var, runners, keep_file_names=False) as opened:
        id = (await sent(opened, png))["id"]
        assert "Müller" not in (await opened.client.get(f"/results/{id}")).text
        assert "file’s name is not kept" in (await opened.client.get("/")).text
        database = opened.app.state.health.database
        async with database.connect() as connection:
            query = text("SELECT count(*) FROM prediction WHERE file_name IS NOT NULL")
            assert await connection.scalar(query) == 0


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("scan.dcm", "scan.dcm"),
        ("C:\\scans\\Mu\u0308ller.dcm", "Müller.dcm"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("\u202efdp.exe", "fdp.exe"),
        ("x" * 300, "x" * 255),
        ("folder/", None),
        ("", None),
    ],
)
def test_a_name_is_one_line_without_its_folders(name: str, kept: str | None) -> None:
    assert plain_name(name) == kept


HEAD = {
    "StudyDate": "20210401", "Manufacturer": "Hologic", "DeviceSerialNumber": "DX-0417",
    "PatientID": "4711", "IssuerOfPatientID": "North", "PatientBirthDate": "19550402",
    "PatientSex": "F",
}  # fmt: skip


def test_what_a_file_says_is_taken_fact_by_fact() -> None:
    facts = believed(dicom.told(HEAD, "patient"))
    assert facts.model_dump(mode="json", exclude_none=True) == {
        "patient_reference": "4711",
        "patient_issuer": "North",
        "acquired_on": "2021-04-01",
        "scanner": {"vendor": "Hologic", "serial": "DX-0417"},
        "sex": "female",
        "age_years": 65,
    }
    assert believed(dicom.told(HEAD, "exam")).patient_reference is None
    assert believed(dicom.told(HEAD, "none")).empty
    # One that cannot be takes no other with it.
    for wrong in (
        {"StudyDate": "20213001"}, {"StudyDate": "19700101"}, {"PatientAge": "007Y"},
        {"PatientSex": "O"}, {"Manufacturer": "x" * 40}, {"PatientID": "a\nb"},
    ):  # fmt: skip
        assert not believed(dicom.told({**HEAD, **wrong}, "patient")).empty
    assert believed(dicom.told({**HEAD, "PatientAge": "070Y"}, "exam")).age_years == 70


@pytest.mark.parametrize("data", [b"", b"no dicom", b"\0" * 128 + b"DICM" + b"\xff" * 64])
def test_what_is_no_file_says_nothing(data: bytes) -> None:
    assert dicom.head(data) == {}


def test_what_is_typed_comes_before_what_is_read_and_what_is_kept_is_not_replaced() -> None:
    typed = from_json({"patient_reference": "p"})
    read = from_json({"patient_reference": "q", "patient_issuer": "North", "sex": "female"})
    assert entered(NOTHING, typed, read) == from_json({"patient_reference": "p", "sex": "female"})
    assert entered(NOTHING, NOTHING, read) == read
    kept = from_json({"patient_reference": "p", "sex": "male"})
    assert entered(kept, NOTHING, read) == kept
    with pytest.raises(StudyDiffersError):
        entered(kept, read, NOTHING)


@pytest.mark.parametrize(("scope", "reference"), [("exam", None), ("patient", "4711")])
async def test_a_dicom_file_fills_in_what_nobody_has_entered(
    tmp_path_factory: pytest.TempPathFactory, scope: str, reference: str | None
) -> None:
    made_of = dcmread(io.BytesIO(encode(draw(np.random.default_rng(7)))))
    for name, value in HEAD.items():
        setattr(made_of, name, value)
    made_of.PatientAge = ""
    buffer = io.BytesIO()
    dcmwrite(buffer, made_of, enforce_file_format=True)
    var = tmp_path_factory.mktemp("var")
    async with running() as runners, front(var, runners, dicom_facts=scope) as opened:
        id = (await sent(opened, buffer.getvalue(), {"sex": "male"}))["id"]
        kept = (await opened.client.get(f"{API}/{id}/study")).json()
        assert kept["patient_reference"] == reference
        assert (kept["acquired_on"], kept["sex"], kept["age_years"]) == ("2021-04-01", "male", 65)
        assert kept["scanner"] == {"vendor": "Hologic", "serial": "DX-0417"}


async def test_a_prediction_and_its_facts_are_kept_together(database: Database) -> None:
    one, other = made(0), made(1)
    on = verbs(database).predictions
    await on.keep(ANYONE, one, b"x", facts=from_json({"patient_reference": "p"}))
    same = Prediction.model_validate({**dict(other), "image": one.image})
    with pytest.raises(StudyDiffersError):
        await on.keep(ANYONE, same, b"x", facts=from_json({"patient_reference": "q"}))
    assert await on.get(ANYONE, same.id) is None
    await on.keep(ANYONE, same, b"x", name="a.png")
    assert await on.file_name(ANYONE, same.id) == "a.png"
    before = await on.sent_before(ANYONE, same.id)
    assert before is not None
    assert before.prediction_id == one.id
    found = await verbs(database).exams.get(ANYONE, same.id)
    assert found is not None
    assert found.patient_reference == "p"
