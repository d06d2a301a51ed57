"""What stands in the trail, what does not, and how auditors read it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from service.audit import export, fhir, vocabulary
from service.audit.contexts import KIND_NAMES
from service.audit.schemas import KINDS, Entry
from service.events import Event
from service.identity.events import AccountEnded, FactorChanged
from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from tests.service.kit.accounts import bearer, browser, key, person
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"


def kinds_of(kind: type[Event]) -> set[type[Event]]:
    return {kind, *(each for below in kind.__subclasses__() for each in kinds_of(below))}


def test_every_event_that_there_is_has_its_row() -> None:
    abstract = {Event, AccountEnded, FactorChanged}
    ours = {one for one in kinds_of(Event) if one.__module__.startswith("service.")}
    assert vocabulary.TOLD.keys() == ours - abstract
    assert set(KIND_NAMES) == set(fhir._TYPES) == set(KINDS)


async def entries(opened: Front, **where: Any) -> list[Any]:
    database = Database(opened.settings)
    statement = select(AuditEventRow.__table__).order_by(AuditEventRow.at)
    async with database.connect() as connection:
        rows = (await connection.execute(statement)).all()
    await database.close()
    return [row for row in rows if all(getattr(row, name) == it for name, it in where.items())]


async def test_what_a_clinician_does_is_told_with_ids_and_no_names(
    guarded: Front, png: bytes
) -> None:
    async with person(guarded, "doer", "clinician") as doer:
        id = (await doer.client.post(API, content=png)).json()["id"]
        facts = {"patient_reference": "SECRET-4711"}
        patient = (await doer.client.put(f"{API}/{id}/study", json=facts)).json()["patient_key"]
        await doer.client.post(f"{API}/{id}/reviews", json={"action": "sign"})
        await doer.client.get(f"/results/{id}")
        await doer.client.get("/history")
        await doer.client.get(f"/patients/{patient}")
        await doer.client.get(f"{API}/SECRET-4711")
        await doer.client.get("/people")
        await doer.client.post("/signin", data={"login": "doer", "password": "wrong"})
        await doer.client.post("/signout")
    mine = await entries(guarded, account_id=doer.id)
    told = [(row.kind, row.object_kind, row.object_id) for row in mine]
    assert told == [
        ("signed_in", "account", str(doer.id)),
        ("prediction_made", "result", id),
        ("exam_changed", "result", id),
        ("review_added", "result", id),
        ("read", "result", id),
        ("read", "list", None),
        ("read", "patient", patient),
        ("read", "result", "?"),
        ("denied", "route", None),
        ("sign_in_failed", "account", str(doer.id)),
        ("signed_out", "account", str(doer.id)),
    ]
    assert {row.address for row in mine} == {"127.0.0.1"}
    assert json.loads(mine[2].detail) == {"patient": patient}
    everything = repr(await entries(guarded))
    for secret in ("SECRET", "Doer", "doer"):
        assert secret not in everything


async def test_a_program_is_named_by_its_key(guarded: Front, png: bytes) -> None:
    made = await key(guarded, "integrator")
    async with browser(guarded) as client:
        await client.post(API, content=png, headers=bearer(made))
    (row,) = [one for one in await entries(guarded, kind="prediction_made") if one.key_id]
    assert row.account_id is not None
    assert made not in repr(await entries(guarded))


async def test_attack_36_no_answer_without_its_entry(
    guarded: Front, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 36."""
    async with person(guarded, "unlucky", "clinician") as somebody:
        place = (await somebody.client.post(API, content=png)).headers["location"]

        def fails(*_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr("service.audit.repository.add", fails)
        for answer in (
            await somebody.client.get(place),
            await somebody.client.post(API, content=png),
            await somebody.client.put(f"{place}/study", json={"t_score": -1.0}),
        ):
            assert answer.status_code == 500
        monkeypatch.undo()
        assert (await somebody.client.get(f"{place}/study")).json()["t_score"] is None
        assert len((await somebody.client.get(API)).json()["items"]) >= 1


async def test_attack_25_auditors_read_and_export_and_that_is_told_too(guarded: Front) -> None:
    async with person(guarded, "auditor", "auditor") as auditor:
        page = await auditor.client.get("/audit")
        assert page.status_code == 200
        assert str(auditor.id) in page.text
        only = await auditor.client.get("/audit?kind=signed_in")
        assert only.status_code == 200
        for wrong in ("kind=burned", "before=x", "before=1.x", f"before={'9' * 40}.{auditor.id}"):
            assert (await auditor.client.get(f"/audit?{wrong}")).status_code == 422, wrong
        table = await auditor.client.get("/audit/export.csv")
        rows = list(csv.DictReader(io.StringIO(table.text)))
        assert rows[0]["kind"] == "exported"
        assert rows[0]["account"] == str(auditor.id)
        lines = (await auditor.client.get("/audit/export.ndjson")).text.splitlines()
        found = [json.loads(line) for line in lines]
        assert {one["resourceType"] for one in found} == {"AuditEvent"}
        assert found[0]["subtype"][0]["code"] == "exported"
        assert len(found) == len(rows) + 1
        # Neither changes nor sees anything else.
        for method, path in (("GET", API), ("GET", "/history"), ("DELETE", f"{API}/{auditor.id}")):
            assert (await auditor.client.request(method, path)).status_code == 403
    assert len(await entries(guarded, kind="exported")) == 2


async def test_pages_of_the_trail_leave_nothing_out(guarded: Front) -> None:
    async with person(guarded, "pager", "auditor", "viewer", site="paged") as pager:
        for _ in range(70):
            await pager.client.get("/history")
        seen, address = 0, "/audit?kind=read"
        while address:
            page = (await pager.client.get(address)).text
            seen += page.count("list</code>")
            _, found, rest = page.partition('href="/audit?kind=read&amp;before=')
            address = f"/audit?kind=read&before={rest.partition(chr(34))[0]}" if found else ""
        assert seen == 70


def test_a37_a_cell_is_no_formula() -> None:
    """Case A37."""
    entry = Entry(
        id=(id := uuid4()), at=1, kind="read", site="=1+1", account_id=None,
        key_id=None, address="@x", object_kind="-1", object_id="\tx", detail='{"a":"b\\r\\nc"}',
    )  # fmt: skip
    (row,) = csv.reader(io.StringIO(export.line(entry)))
    assert row[2:8] == ["'=1+1", "", "", "'@x", "'-1", "'\tx"]
    assert row[-1] == str(id)
    assert len(fhir.line(entry).splitlines()) == 1
