"""Results without identifiers: nothing in them finds anybody again (PEOPLE, attack 43)."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import numpy as np
import pytest
from pydicom import Dataset, dcmread, dcmwrite

from models.phantom import draw
from models.phantom.dicom import encode
from service.__main__ import main
from service.exams.schemas import Exam, from_json
from service.medicine.morphometry.kept import KeptPoints
from service.predictions.query import Query
from service.retention import export
from service.reviews.schemas import Override
from service.storage.database import Database
from service.storage.transaction import Transactions
from tests.service.kit.fronts import API, front
from tests.service.kit.records import ANYONE, made, verbs
from tests.service.kit.runners import running
from tests.service.retention.kept import (
    COMMENT,
    SIGNATURE,
    WITHDRAWAL,
    listed,
    result,
    say,
    told,
)

pytestmark = pytest.mark.anyio

FACTS = {
    "patient_reference": "SECRET-PATIENT", "acquired_on": "2025-11-03", "t_score": -1.8,
    "scanner": {"vendor": "Hologic", "serial": "SERIAL-0417"}, "sex": "female", "age_years": 93,
    "bmd_g_cm2": 0.873, "vertebrae": ["L1", "L2"],
}  # fmt: skip
UID: Final = "1.2.826.0.1.4711.38"

OVERRIDE = Override(
    reviewer="Dr SECRET Reader", action="override", outcome="normal", reason="SECRET reason."
)


KEY: Final = b"k" * 32
DAYS: Final = {"judged_on", "acquired_on"}


async def lines(database: Database, key: bytes = KEY) -> list[dict[str, object]]:
    keyed = export.Keyed(key=key)
    found = export.lines(Transactions(database), ANYONE, keyed, Query.model_validate({}))
    return [one async for one in found]


async def test_attack_43_no_value_that_tells_who_it_is_is_in_it(database: Database) -> None:
    first, second = await result(database, 0), await result(database, 24 * 10)
    for one in (first, second):
        await verbs(database).exams.change(ANYONE, one.id, from_json(FACTS))
    await verbs(database).reviews.sign(ANYONE, first.id, OVERRIDE, first.outcome)
    kept = await verbs(database).exams.get(ANYONE, first.id)
    assert kept is not None
    found = await lines(database)
    # By chance a shifted day may be another's real one, so days are compared, not looked for.
    told = [line | dict.fromkeys(DAYS) for line in found]
    text = json.dumps(told) + "".join(map(export.as_csv, told))
    for secret in (
        "SECRET", "SERIAL", "2025-", "2026-", str(kept.patient_key),
        str(first.id), first.id.hex, first.image.sha256,
    ):  # fmt: skip
        assert secret not in text, secret
    assert kept.patient_key is not None
    shifted = partial(export.Keyed(key=KEY).shifted, whose=kept.patient_key)
    real = {date(2026, 1, 1), date(2026, 1, 11)}
    assert {one["judged_on"] for one in found} == {shifted(day).isoformat() for day in real}
    assert {one["acquired_on"] for one in found} == {shifted(date(2025, 11, 3)).isoformat()}
    assert [one["age_years"] for one in found] == ["90+", "90+"]
    assert [one["scanner_vendor"] for one in found] == ["hologic"] * 2
    assert found[0]["patient"] == found[1]["patient"]
    assert found[0]["result"] != found[1]["result"]
    assert (found[0]["reviewed"], found[0]["reviewed_outcome"]) == ("override", "normal")
    assert set(found[0]) == set(export.FIELDS)


async def test_nothing_of_the_worklist_but_a_retirement_s_reason(database: Database) -> None:
    one = await result(database, 0, "p")
    await listed(database, one)
    await say(database, one, SIGNATURE, WITHDRAWAL, COMMENT)
    other = await result(database, 1, "q")
    found = {it["retired"]: it for it in await lines(database)}
    assert set(found) == {"quality", None}
    assert found["quality"]["reviewed"] is None
    for secret in ("SECRET", "hip", "wrong one", "Reader", str(one.id), str(other.id)):
        assert secret not in str(found)


async def test_a_patient_s_dates_keep_their_distance(database: Database) -> None:
    for number in (0, 24 * 10):
        one = await result(database, number)
        await verbs(database).exams.change(ANYONE, one.id, from_json(FACTS))
    other = await result(database, 0)
    await verbs(database).exams.change(
        ANYONE, other.id, from_json({**FACTS, "patient_reference": "another"})
    )
    days: dict[object, list[date]] = {}
    for line in await lines(database):
        days.setdefault(line["patient"], []).append(date.fromisoformat(str(line["judged_on"])))
    assert sorted(len(one) for one in days.values()) == [1, 2]
    (two,) = [one for one in days.values() if len(one) == 2]
    assert (two[1] - two[0]).days == 10


def test_two_people_s_days_and_two_exports_are_shifted_differently() -> None:
    day, keyed = date(2026, 1, 1), export.Keyed(key=KEY)
    shifts = [(day - keyed.shifted(day, UUID(int=number))).days for number in range(4000)]
    assert (min(shifts), max(shifts)) == (1, export.SHIFT_DAYS)
    assert len(set(shifts)) == export.SHIFT_DAYS
    assert shifts[0] != (day - export.Keyed(key=b"o" * 32).shifted(day, UUID(int=0))).days


async def test_another_key_makes_other_numbers_and_the_same_the_same(database: Database) -> None:
    await result(database, 0, "p")
    (one,), (same,), (other,) = [await lines(database, it * 32) for it in (b"a", b"a", b"b")]
    assert one == same
    assert one["patient"] != other["patient"]
    assert one["result"] != other["result"]


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def named_everywhere(phantom: bytes) -> bytes:
    """Return a DICOM file with a name, a UID or a number wherever one may stand: in its head, in
    sequences within sequences, in private groups, and in its file meta information."""
    file = dcmread(io.BytesIO(phantom))
    file.PatientName, file.PatientID = "SECRET^NAME", "SECRET-PATIENT"
    file.ReferringPhysicianName = "SECRET^DOCTOR"
    inner = Dataset()
    inner.PatientID, inner.IssuerOfPatientID = "SECRET-INNER", "SECRET CLINIC"
    inner.OperatorsName = "SECRET^OPERATOR"
    inner.private_block(0x0009, "SECRET MAKER", create=True).add_new(0x01, "LO", "SECRET-PRIVATE")
    outer = Dataset()
    outer.OtherPatientIDsSequence = [inner]
    outer.StudyInstanceUID = f"{UID}.1"
    file.RequestAttributesSequence = [outer]
    private = file.private_block(0x0023, "SECRET MAKER", create=True)
    private.add_new(0x02, "SQ", [inner])
    private.add_new(0x03, "UI", f"{UID}.2")
    file.StudyInstanceUID, file.SeriesInstanceUID, file.SOPInstanceUID = (
        f"{UID}.{number}" for number in (3, 4, 5)
    )
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID
    file.file_meta.SourceApplicationEntityTitle = "SECRETAE"
    file.file_meta.PrivateInformationCreatorUID = f"{UID}.6"
    file.file_meta.PrivateInformation = b"SECRET-META "
    buffer = io.BytesIO()
    dcmwrite(buffer, file, enforce_file_format=True)
    return buffer.getvalue()


async def test_a38_a39_nothing_of_a_file_s_names_is_kept_or_exported(tmp_path: Path) -> None:
    """A front keeps no DICOM object, and none is in an export: facts and pixels are all it takes.

    So there is none in which *Patient Identity Removed* could be missing.
    """
    data = named_everywhere(encode(draw(np.random.default_rng(38))))
    async with running() as runners, front(tmp_path, runners) as opened:
        answer = await opened.client.post(API, files={"file": ("SECRET.dcm", data)})
        assert answer.status_code == 201
        assert answer.json()["image"]["format"] == "dicom"
        database = Database(opened.settings)
        found = await lines(database)
        await database.close()
    assert len(found) == 1
    exported = json.dumps(found) + "".join(map(export.as_csv, found)) + "".join(export.DONE)
    # The name it was sent under is kept for whoever sent it.
    kept = {path: file.replace(b"SECRET.dcm", b"") for path, file in files(tmp_path).items()}
    assert any(path.name == "osteoserve.db" for path in kept)
    for secret in ("SECRET", UID):
        assert secret not in exported
        assert not [path for path, file in kept.items() if secret.encode() in file]
    assert b"DICM" not in b"".join(kept.values())


def test_every_fact_is_passed_on_or_withheld_by_name() -> None:
    assert set(Exam.model_fields) == export.OF_EXAM | export.WITHHELD
    assert not export.OF_EXAM & export.WITHHELD
    assert set(export.FIELDS) >= export.OF_EXAM
    assert set(KeptPoints.model_fields) == export.WITHHELD_OF_POINTS


@pytest.mark.parametrize("vendor", ["=HYPERLINK(1)", "Dr SECRET's machine", "GE Healthcare"])
def test_a_vendor_that_is_none_is_not_passed_on(vendor: str) -> None:
    exam = Exam.model_validate(
        {"prediction_id": uuid4(), "scanner": {"vendor": vendor, "serial": "1"}}
    )
    line = export.line(export.Keyed(key=KEY), made(0), exam)
    assert line["scanner_vendor"] == ("ge" if vendor.startswith("GE") else "other")


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OSTEOSERVE_VAR", str(tmp_path))
    monkeypatch.setenv("OSTEOSERVE_AUDIT_KEY", KEY.decode())
    return tmp_path


@pytest.mark.parametrize("form", ["csv", "ndjson"])
async def test_a_file_has_a_manifest_and_its_row_in_the_trail(
    var: Path, own_logging: None, form: str
) -> None:
    import anyio.to_thread  # noqa: PLC0415 - commands bring a loop of their own

    from service.settings import load  # noqa: PLC0415 - by the environment of this test

    assert await anyio.to_thread.run_sync(main, ["migrate"]) == 0
    database = Database(load())
    for number in range(3):
        await result(database, number * 24, f"p{number}")
    file = var / "out"
    command = ["retention", "export", "--out", str(file), "--format", form, "--to", "2026-01-02"]
    assert await anyio.to_thread.run_sync(main, command) == 0
    text = file.read_text()
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert tuple(rows[0]) == export.FIELDS
    else:
        rows = [json.loads(one) for one in text.splitlines()]
    assert len(rows) == 2
    manifest = json.loads((var / "out.manifest.json").read_text())
    assert manifest["rows"] == 2
    assert manifest["key"] == "forgotten"
    assert await told(database, "data_exported") == [{"form": form, "rows": 2}]
    # What is there is not written over.
    assert await anyio.to_thread.run_sync(main, command) == 1
    assert file.read_text() == text
    await database.close()
