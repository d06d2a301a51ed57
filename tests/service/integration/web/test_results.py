"""QIDO-RS and WADO-RS: results that we hold, to those who may see them, and noted."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from email.parser import BytesParser
from typing import Any
from uuid import UUID

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset
from sqlalchemy import select

from service.storage.tables.audit import AuditEventRow
from service.storage.tables.ledger import CaseRow
from tests.service.integration.kit import image
from tests.service.integration.web.hospitals import STUDIES, Hospital, hospital
from tests.service.kit.accounts import key, person

pytestmark = pytest.mark.anyio

SC = "1.2.840.10008.5.1.4.1.1.7"
SR = "1.2.840.10008.5.1.4.1.1.88.34"


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hospital]:
    async with hospital(tmp_path_factory.mktemp("hospital")) as one:
        yield one


@pytest.fixture(scope="module")
async def study(opened: Hospital) -> Dataset:
    one = image(PatientName="Müller^Jürgen", PatientID="4711", SpecificCharacterSet="ISO_IR 100")
    await opened.judged(one)
    return one


def parts(answer: httpx.Response) -> list[Dataset]:
    """Return the files of a multipart answer, by another parser than ours."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    whole = BytesParser().parsebytes(head + answer.content)
    found = [one.get_payload(decode=True) for one in whole.walk() if not one.is_multipart()]
    assert all(isinstance(one, bytes) for one in found)
    return [pydicom.dcmread(io.BytesIO(one)) for one in found]  # type: ignore[arg-type]


def value(item: dict[str, Any], tag: str) -> Any:
    return item[tag]["Value"][0]


async def test_a_study_is_found_and_described(opened: Hospital, study: Dataset) -> None:
    answer = await opened.get(f"{STUDIES}?StudyInstanceUID={study.StudyInstanceUID}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    assert answer.headers["cache-control"] == "no-store"
    (found,) = answer.json()
    assert value(found, "0020000D") == study.StudyInstanceUID
    assert value(found, "00100010") == {"Alphabetic": "Müller^Jürgen"}
    assert value(found, "00100020") == "4711"
    assert found["00080061"]["Value"] == ["OT", "SR"]
    assert (value(found, "00201206"), value(found, "00201208")) == (2, 2)
    # And as JSON alone it is a data set of DICOM.
    assert Dataset.from_json(found).StudyID == "7"


async def test_series_and_objects_lead_to_the_files(opened: Hospital, study: Dataset) -> None:
    at = f"{STUDIES}/{study.StudyInstanceUID}"
    series = (await opened.get(f"{at}/series")).json()
    assert {value(one, "00080060") for one in series} == {"SR", "OT"}
    every = (await opened.get(f"{at}/instances")).json()
    assert {value(one, "00080016") for one in every} == {SR, SC}
    for one in series:
        below = f"{at}/series/{value(one, '0020000E')}"
        (instance,) = (await opened.get(f"{below}/instances")).json()
        uid = value(instance, "00080018")
        whole = await opened.get(f"{below}/instances/{uid}")
        assert whole.headers["content-type"].startswith(
            'multipart/related; type="application/dicom"'
        )
        (file,) = parts(whole)
        assert uid == file.SOPInstanceUID
        assert file.StudyInstanceUID == study.StudyInstanceUID
        alone = await opened.get(f"{below}/instances/{uid}", Accept="application/dicom")
        assert alone.headers["content-type"] == "application/dicom"
        assert pydicom.dcmread(io.BytesIO(alone.content)).SOPInstanceUID == uid
        assert [one.SOPInstanceUID for one in parts(await opened.get(below))] == [uid]
        (told,) = (await opened.get(f"{below}/instances/{uid}/metadata")).json()
        assert value(told, "00080018") == uid
        assert "7FE00010" not in told
        assert len((await opened.get(f"{below}/metadata")).json()) == 1
    files = parts(await opened.get(at))
    assert {one.SOPClassUID for one in files} == {SR, SC}
    assert len((await opened.get(f"{at}/metadata")).json()) == 2


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("limit=1", 1),
        ("limit=0", 1),
        ("limit=999999", 2),
        ("offset=1", 1),
        ("offset=10", 0),
        ("includefield=all&fuzzymatching=false", 2),
        (f"SOPClassUID={SR}", 2),
        (f"00080016={SC}", 2),
        ("SOPClassUID=1.2.840.10008.5.1.4.1.1.2", 0),
        ("StudyInstanceUID=1.2.3", 0),
    ],
)
async def test_a_search_is_bounded_and_matches(
    opened: Hospital, study: Dataset, query: str, count: int
) -> None:
    if len((await opened.get(STUDIES)).json()) < 2:
        await opened.judged(image())
    answer = await opened.get(f"{STUDIES}?{query}")
    assert answer.status_code == 200
    assert len(answer.json()) == count


@pytest.mark.parametrize(
    "query",
    ["PatientID=4711", "00100010=M*", "PatientName=M", "limit=-1", "limit=x", "offset=99999",
     "StudyInstanceUID=../..", "StudyInstanceUID=1.2\\1.3"],
)  # fmt: skip
async def test_what_is_not_matched_is_said_and_no_patient_in_an_address(
    opened: Hospital, query: str
) -> None:
    answer = await opened.get(f"{STUDIES}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "4711" not in answer.json()["detail"]


async def test_who_may_see_what(opened: Hospital, study: Dataset) -> None:
    """Another site's, another program's and nobody's are the same 404."""
    uid = study.StudyInstanceUID
    reader = await key(opened.front, "viewer")
    assert len((await opened.get(f"{STUDIES}?StudyInstanceUID={uid}", reader)).json()) == 1
    assert (await opened.get(f"{STUDIES}/{uid}", reader)).status_code == 200
    none = await opened.get(f"{STUDIES}/1.2.3", reader)
    assert none.status_code == 404
    stranger = await key(opened.front, "integrator")
    assert (await opened.get(STUDIES, stranger)).json() == []
    for path in ("", "/series/1.2", "/metadata"):
        answer = await opened.get(f"{STUDIES}/{uid}{path}", stranger)
        assert answer.status_code == 404
    answer = await opened.get(f"{STUDIES}/{uid}", stranger)
    told = {name: text for name, text in answer.json().items() if name != "instance"}
    assert told == {name: text for name, text in none.json().items() if name != "instance"}
    administrator = await key(opened.front, "administrator")
    assert (await opened.get(STUDIES, administrator)).status_code == 403
    async with person(opened.front, "reader", "clinician") as somebody:
        assert (await somebody.client.get(f"{STUDIES}/{uid}/metadata")).status_code == 200


async def test_what_is_another_site_s_is_not_there(opened: Hospital, study: Dataset) -> None:
    uid = study.StudyInstanceUID
    reader = await key(opened.front, "viewer")
    async with opened.gateway.database.begin() as connection:
        await connection.exec_driver_sql(
            f"UPDATE ledger_case SET site = 'north' WHERE study_uid = '{uid}'"  # noqa: S608 - ours
        )
    try:
        assert (await opened.get(f"{STUDIES}/{uid}", reader)).status_code == 404
        assert (await opened.get(f"{STUDIES}?StudyInstanceUID={uid}", reader)).json() == []
    finally:
        async with opened.gateway.database.begin() as connection:
            await connection.exec_driver_sql("UPDATE ledger_case SET site = 'default'")


async def test_every_reading_is_in_the_trail_by_the_case_s_number(
    opened: Hospital, study: Dataset
) -> None:
    uid = study.StudyInstanceUID
    reader = await key(opened.front, "viewer")
    async with opened.gateway.database.connect() as connection:
        case = await connection.scalar(select(CaseRow.id).where(CaseRow.study_uid == uid))
        seen = set(await connection.scalars(select(AuditEventRow.id)))
    await opened.get(f"{STUDIES}?StudyInstanceUID={uid}", reader)
    await opened.get(f"{STUDIES}/{uid}", reader)
    await opened.get(f"{STUDIES}/{uid}/metadata", reader)
    await opened.get(f"{STUDIES}/1.2.3", reader)
    async with opened.gateway.database.connect() as connection:
        rows = (await connection.execute(select(AuditEventRow))).all()
    noted = [row for row in rows if row.id not in seen and row.kind == "read"]
    assert [UUID(row.object_id) for row in noted] == [case] * 3
    assert not [row for row in rows if "4711" in row.detail or uid in row.detail]


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("", "application/dicom+xml", 406),
        ("/{uid}", "image/png", 406),
        ("/{uid}", 'multipart/related; type="application/dicom"', 200),
        ("/{uid}", "*/*", 200),
        ("/{uid}/metadata", "application/json", 200),
        ("/{uid}/metadata", "multipart/related", 406),
        ("/not-a-uid", "*/*", 404),
        ("/1.2.3/series/x/instances/y", "*/*", 404),
    ],
)
async def test_what_is_answered_how(
    opened: Hospital, study: Dataset, path: str, accept: str, status: int
) -> None:
    asked = path.replace("{uid}", study.StudyInstanceUID)
    answer = await opened.get(f"{STUDIES}{asked}", Accept=accept)
    assert answer.status_code == status
