"""STOW-RS: the same ledger by another door, and nothing acknowledged before it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian
from sqlalchemy import select

from service.integration.ledger.schemas import Balance
from service.integration.web.metrics import OBJECTS
from service.storage.tables.ledger import ArrivalRow
from service.storage.tables.predictions import PredictionRow
from tests.service.integration.kit import file, image
from tests.service.integration.test_round_trip import push
from tests.service.integration.web.hospitals import RELATED, STUDIES, Hospital, hospital, related
from tests.service.kit.accounts import bearer, key

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hospital]:
    async with hospital(tmp_path_factory.mktemp("hospital")) as one:
        yield one


def referenced(answer: httpx.Response, sequence: str = "00081199") -> list[str]:
    items = answer.json().get(sequence, {}).get("Value", [])
    return [one["00081155"]["Value"][0] for one in items]


def reasons(answer: httpx.Response, sequence: str = "00081198") -> list[int]:
    items = answer.json().get(sequence, {}).get("Value", [])
    return [one["00081197"]["Value"][0] for one in items]


async def test_what_is_posted_is_judged_and_delivered_as_what_is_pushed(opened: Hospital) -> None:
    one, two = image(), image()
    two.StudyInstanceUID = one.StudyInstanceUID
    answer = await opened.store(file(one), file(two))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    assert referenced(answer) == [one.SOPInstanceUID, two.SOPInstanceUID]
    assert "00081198" not in answer.json()
    await opened.gateway.finished()
    # A report of both, and a capture of each.
    assert len(opened.sent) == 3
    balance = await opened.gateway.ledger.balance()
    assert (balance.in_progress, balance.unaccounted) == (0, 0)
    async with opened.gateway.database.connect() as connection:
        rows = (await connection.execute(select(ArrivalRow.peer, ArrivalRow.site))).all()
        made = list(await connection.scalars(select(PredictionRow.created_by)))
    assert {(row.peer[:4], row.site) for row in rows} == {("key/", "default")}
    # The results are the program's, as those that it uploads.
    assert {f"key/{one}" for one in made} == {rows[0].peer}


async def test_the_same_object_by_both_doors_is_one_object(
    opened: Hospital, tmp_path: Path
) -> None:
    one = image()
    await push(opened.gateway, tmp_path, one)
    before = await opened.gateway.ledger.balance()
    assert (await opened.store(file(one))).status_code == 200
    after = await opened.gateway.ledger.balance()
    assert after.accepted == before.accepted
    assert await opened.front.sample(OBJECTS, result="duplicate") >= 1
    await opened.gateway.finished()


async def test_case_14_other_bytes_under_the_same_uid_are_acknowledged_and_kept_apart(
    opened: Hospital,
) -> None:
    one = image()
    assert (await opened.store(file(one))).status_code == 200
    one.PatientName = "Other^Bytes"
    assert (await opened.store(file(one))).status_code == 200
    await opened.gateway.finished()
    (line,) = await opened.gateway.ledger.waiting()
    assert (line.state, line.reason) == ("quarantined", "other_bytes")


async def test_a_study_in_the_address_must_be_the_objects_own(opened: Hospital) -> None:
    one, other = image(), image()
    answer = await opened.store(file(one), file(other), study=one.StudyInstanceUID)
    assert answer.status_code == 202
    assert referenced(answer) == [one.SOPInstanceUID]
    assert referenced(answer, "00081198") == [other.SOPInstanceUID]
    assert reasons(answer) == [0xA900]
    await opened.gateway.finished()


def deflated() -> bytes:
    data = image()
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return file(data)


def no_storage() -> bytes:
    return file(image(SOPClassUID="1.2.840.10008.1.1"))


def headless() -> bytes:
    return file(image())[132:]


def without(name: str) -> bytes:
    return file(image(**{name: None}))


@pytest.mark.parametrize(
    ("made", "sequence", "reason"),
    [
        (lambda: b"", "0008119A", 0xC000),
        (lambda: b"junk" * 500, "0008119A", 0xC000),
        (headless, "0008119A", 0xC000),
        (lambda: file(image())[:600], "0008119A", 0xC000),
        (lambda: without("StudyInstanceUID"), "0008119A", 0xC000),
        (deflated, "0008119A", 0xC122),
        (no_storage, "00081198", 0x0122),
        (lambda: file(image()) + b"x" * 70_000_000, "0008119A", 0xC001),
    ],
    ids=["empty", "junk", "no meta", "cut", "no study", "deflated", "no storage", "large"],
)
async def test_what_cannot_be_kept_is_409_with_its_reason(
    opened: Hospital, made: Any, sequence: str, reason: int
) -> None:
    before = await opened.gateway.ledger.balance()
    answer = await opened.store(made())
    assert answer.status_code == 409, answer.text
    assert reasons(answer, sequence) == [reason]
    assert "00081199" not in answer.json()
    assert (await opened.gateway.ledger.balance()).accepted == before.accepted


async def test_one_file_alone_is_taken_without_multipart(opened: Hospital) -> None:
    one = image()
    headers = {**bearer(opened.key), "Content-Type": "application/dicom"}
    answer = await opened.front.client.post(STUDIES, content=file(one), headers=headers)
    assert answer.status_code == 200
    assert referenced(answer) == [one.SOPInstanceUID]
    await opened.gateway.finished()


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({}, b"", 400, "malformed_upload"),
        ({}, related()[:-5], 400, "malformed_upload"),
        ({"Content-Type": "application/json"}, b"{}", 415, "unsupported_media_type"),
        ({}, related(b"{}", kind="application/dicom+json"), 415, "unsupported_media_type"),
        ({"Accept": "application/dicom+xml"}, related(b"x"), 406, "not_acceptable"),
    ],
    ids=["nothing", "cut", "json", "metadata", "xml"],
)
async def test_a_request_that_is_none_is_refused_by_name(
    opened: Hospital, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    asked = {
        **bearer(opened.key),
        "Content-Type": 'multipart/related; boundary="a-boundary"',
        **headers,
    }
    answer = await opened.front.client.post(STUDIES, content=body, headers=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_what_came_before_a_body_was_cut_is_kept_and_told(opened: Hospital) -> None:
    one, two = image(), image()
    body = related(file(one), file(two))[:-300]
    headers = {**bearer(opened.key), "Content-Type": "multipart/related; boundary=a-boundary"}
    answer = await opened.front.client.post(STUDIES, content=body, headers=headers)
    assert answer.status_code == 202
    assert referenced(answer) == [one.SOPInstanceUID]
    # And the whole again is no mistake.
    assert (await opened.store(file(one), file(two))).status_code == 200
    await opened.gateway.finished()


async def test_without_a_database_nothing_is_acknowledged(tmp_path: Path) -> None:
    async with hospital(tmp_path, storage_seconds=1) as opened:
        async with opened.gateway.database.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE ledger_arrival RENAME TO away")
        answer = await opened.store(file(image()))
        assert answer.status_code == 503
        assert reasons(answer) == [0xA700]
        assert answer.headers["retry-after"]
        async with opened.gateway.database.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE away RENAME TO ledger_arrival")
        assert (await opened.gateway.ledger.balance()) == Balance(accepted=0)
        assert (await opened.store(file(image()))).status_code == 200
        await opened.gateway.finished()


async def test_only_a_program_that_sends_may(opened: Hospital) -> None:
    one = file(image())
    for role in ("viewer", "clinician", "administrator"):
        other = await key(opened.front, role)  # type: ignore[arg-type]  # a role
        assert (await opened.store(one, key=other)).status_code == 403
    headers = {"Content-Type": "application/dicom"}
    answer = await opened.front.client.post(STUDIES, content=one, headers=headers)
    assert answer.status_code == 401


async def test_a_request_has_an_end(tmp_path: Path) -> None:
    limits = {"dicomweb_bytes": 200_000, "dicomweb_parts": 2, "dicomweb_seconds": 2}
    async with hospital(tmp_path, **limits) as opened:
        whole = file(image())
        answer = await opened.store(*[whole] * 3)
        assert answer.status_code in (202, 400, 413)
        answer = await opened.store(b"x" * 300_000)
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")

        async def slowly() -> AsyncIterator[bytes]:
            yield related(whole)[:1000]
            await asyncio.sleep(4)

        headers = {**bearer(opened.key), "Content-Type": RELATED}
        answer = await opened.front.client.post(STUDIES, content=slowly(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (408, "upload_timeout")


async def test_it_is_off_by_itself(tmp_path: Path) -> None:
    async with hospital(tmp_path, dicomweb=False) as opened:
        answer = await opened.store(file(image()))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert (await opened.get(STUDIES)).status_code == 404


async def test_many_at_once_are_all_kept(opened: Hospital) -> None:
    studies = [image() for _ in range(8)]
    answers = await asyncio.gather(*(opened.store(file(one)) for one in studies))
    assert {one.status_code for one in answers} == {200}
    await opened.gateway.finished(120)
    assert (await opened.gateway.ledger.balance()).unaccounted == 0
