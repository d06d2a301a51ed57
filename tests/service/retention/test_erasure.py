"""Erasing a patient: what goes, what stays, and that no backup brings them back."""

from __future__ import annotations

import base64
import json
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from service.clock import now
from service.holds.schemas import HeldError
from service.holds.service import Holds
from service.identity.actor import Actor
from service.retention import copy
from service.retention.erasure import Erasure
from service.reviews.schemas import AnyDraft
from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.batches import BatchLineRow
from service.storage.tables.ledger import ArrivalRow, CaseResultRow, CaseRow, DeliveryRow
from service.storage.tables.patients import MergeRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.retention import ErasureRow
from service.storage.transaction import Transactions
from tests.service.kit.records import ANYONE, verbs
from tests.service.retention.kept import (
    COMMENT,
    SIGNATURE,
    WITHDRAWAL,
    counts,
    lateral,
    listed,
    received,
    result,
    say,
    told,
)

pytestmark = pytest.mark.anyio

KEY = b"k" * 32
NORTH = Actor(site="north", roles=ANYONE.roles)


async def key_of(database: Database, id: UUID) -> UUID:
    exam = await verbs(database).exams.get(ANYONE, id)
    assert exam is not None
    assert exam.patient_key is not None
    return exam.patient_key


async def test_all_that_shows_or_names_them_goes_and_what_was_signed_stays_as_it_was(
    database: Database, transactions: Transactions
) -> None:
    plain = await result(database, 0, "4711")
    signed = await result(database, 1, "4711", signed=True)
    other = await result(database, 2, "4712")
    batch = (await verbs(database).batches.start(ANYONE, 1)).id
    await verbs(database).batches.record(ANYONE, batch, 0, plain.id)
    key = await key_of(database, signed.id)
    done = await Erasure(transactions, KEY).erase(ANYONE, "4711", "", "request")
    assert (done.deleted, done.unlinked, done.received) == (1, 1, 0)
    on = verbs(database)
    assert await on.predictions.get(ANYONE, plain.id) is None
    left = await on.predictions.get(ANYONE, signed.id)
    assert left is not None
    assert left.review is not None
    assert left.review.intact
    assert await on.predictions.image(ANYONE, signed.id) is None
    assert await on.predictions.timeline(ANYONE, key) is None
    assert await on.patients.find(ANYONE, "4711") is None
    assert await counts(
        database, "patient", "exam", "image", "canonical_image", "heat_map", "sent_image"
    ) == {
        "sent_image": 1, "patient": 1, "exam": 1, "image": 1, "canonical_image": 1, "heat_map": 1,
    }  # fmt: skip
    assert await on.predictions.image(ANYONE, other.id) == other.id.bytes
    async with database.connect() as connection:
        assert await connection.scalar(select(BatchLineRow.prediction_id)) is None
    ((told_of),) = await told(database, "patient_erased")
    assert told_of == {
        "erasure": str(done.tombstone.id), "reason": "request", "deleted": 1, "unlinked": 1,
        "received": 0,
    }  # fmt: skip


async def test_what_the_gateway_has_of_them_goes_and_its_results_too(
    database: Database, transactions: Transactions
) -> None:
    theirs, other = await result(database, 0), await result(database, 1)
    await received(database, "4711\\CLINIC", theirs.id)
    await received(database, "4711\\ELSEWHERE", other.id)
    async with database.begin() as connection:
        for former, into in (("4710", "4711"), ("4711", "4712"), ("1", "2")):
            whose = {"site": "default", "issuer": "CLINIC", "into_issuer": "CLINIC"}
            merged = insert(MergeRow).values(identifier=former, into_identifier=into, at=now())
            await connection.execute(merged.values(**whose))
    done = await Erasure(transactions, KEY).erase(ANYONE, "4711", "CLINIC", "mistake")
    assert (done.deleted, done.received) == (1, 1)
    assert await verbs(database).predictions.get(ANYONE, other.id) is not None
    async with database.connect() as connection:
        rows = (await connection.execute(select(ArrivalRow.patient, ArrivalRow.data))).all()
        assert sorted(map(tuple, rows), key=repr) == [("4711\\ELSEWHERE", b"abc"), (None, None)]
        assert list(await connection.scalars(select(MergeRow.identifier))) == ["1"]
        made = await connection.scalars(select(CaseResultRow.data))
        assert {None, b"abc"} == set(made)
        ways = await connection.scalars(select(DeliveryRow.state).order_by(DeliveryRow.state))
        assert list(ways) == ["discarded", "discarded", "held", "waiting"]
        messages = await connection.execute(select(DeliveryRow.message, DeliveryRow.detail))
        assert {tuple(row) for row in messages} == {
            (None, None), (b"PID|1||4711", "no such patient"),
        }  # fmt: skip
        cases = await connection.scalars(select(CaseRow.state).order_by(CaseRow.state))
        assert list(cases) == ["delivering", "ignored"]


async def test_attack_41_a_hold_is_stronger_and_twice_is_as_once(
    database: Database, transactions: Transactions
) -> None:
    one = await result(database, 0, "4711")
    holds, erasure = Holds(transactions), Erasure(transactions, KEY)
    placed = await holds.place(ANYONE, "result", one.id, "A claim.")
    assert placed is not None
    with pytest.raises(HeldError):
        await erasure.erase(ANYONE, "4711", "", "request")
    assert await verbs(database).predictions.get(ANYONE, one.id) is not None
    assert await counts(database, "erasure") == {"erasure": 0}
    await holds.release(ANYONE, placed.id)
    assert (await erasure.erase(ANYONE, "4711", "", "request")).deleted == 1
    again = await erasure.erase(ANYONE, "4711", "", "request")
    assert (again.deleted, again.unlinked, again.received) == (0, 0, 0)


async def test_the_same_reference_at_another_site_is_another_patient(
    database: Database, transactions: Transactions
) -> None:
    one = await result(database, 0, "4711")
    assert (await Erasure(transactions, KEY).erase(NORTH, "4711", "", "request")).deleted == 0
    assert await verbs(database).predictions.get(ANYONE, one.id) is not None


async def test_neither_tombstone_nor_trail_tells_who_it_was(
    database: Database, transactions: Transactions
) -> None:
    await result(database, 0, "SECRET-4711")
    erasure = Erasure(transactions, KEY)
    await erasure.erase(ANYONE, "SECRET-4711", "", "request")
    async with database.connect() as connection:
        (hash,) = await connection.scalars(select(ErasureRow.hash))
        trail = list(await connection.scalars(select(AuditEventRow.detail)))
    assert "SECRET" not in str(trail)
    assert hash == erasure.hash("default", "", "SECRET-4711")
    assert hash != Erasure(transactions, b"x" * 32).hash("default", "", "SECRET-4711")


async def test_tombstones_are_applied_once_whatever_is_held_and_to_those_they_are_of(
    database: Database, transactions: Transactions
) -> None:
    one, other = await result(database, 0, "4711"), await result(database, 1, "4712")
    await received(database, "4711\\", one.id)
    erasure = Erasure(transactions, KEY)
    tombstone = (await erasure.erase(NORTH, "x", "", "request")).tombstone
    known = [
        tombstone,
        type(tombstone)(
            id=one.id, site="default", hash=erasure.hash("default", "", "4711"),
            erased_at=tombstone.erased_at,
        ),
    ]  # fmt: skip
    await Holds(transactions).place(ANYONE, "result", one.id, "Released before the erasure.")
    assert await erasure.again(ANYONE, known) == 1
    assert await verbs(database).predictions.get(ANYONE, one.id) is None
    assert await verbs(database).predictions.get(ANYONE, other.id) is not None
    # Somebody who came back since is not meant.
    await result(database, 3, "4711")
    assert await erasure.again(ANYONE, known) == 0
    assert await verbs(database).patients.find(ANYONE, "4711") is not None


async def test_a_copy_has_all_of_one_patient_and_nothing_of_another(
    database: Database, transactions: Transactions
) -> None:
    one = await result(database, 0, "4711", signed=True)
    other = await result(database, 1, "4712")
    found = await copy.of(transactions, ANYONE, await key_of(database, one.id))
    assert found is not None
    assert found["identifier"] == "4711"
    (kept,) = found["results"]
    assert kept["prediction"]["id"] == str(one.id)
    assert kept["exam"]["t_score"] == -1.0
    assert [it["reviewer"] for it in kept["reviews"]] == ["A. Reader"]
    assert kept["image_png"]
    assert kept["sent_png"]
    assert str(other.id) not in str(found)
    assert await copy.of(transactions, NORTH, await key_of(database, one.id)) is None


@pytest.mark.parametrize(
    ("drafts", "unlinked"),
    [
        ((COMMENT,), False), ((SIGNATURE, WITHDRAWAL), False),
        ((SIGNATURE, WITHDRAWAL, SIGNATURE, COMMENT), True),
    ],
    ids=["comment", "withdrawn", "signed_again"],
)  # fmt: skip
async def test_what_was_said_goes_with_a_result_on_which_no_signature_stands(
    database: Database, transactions: Transactions, drafts: tuple[AnyDraft, ...], unlinked: bool
) -> None:
    one = await result(database, 0, "4711")
    await listed(database, one)
    await say(database, one, *drafts)
    done = await Erasure(transactions, KEY).erase(ANYONE, "4711", "", "request")
    assert (done.deleted, done.unlinked) == (not unlinked, unlinked)
    left = len(drafts) if unlinked else 0
    assert await counts(database, "prediction", "review", "worklist", "sent_image", "patient") == {
        "prediction": unlinked, "review": left, "worklist": unlinked, "sent_image": 0, "patient": 0,
    }  # fmt: skip
    # Names of files are names of patients often enough.
    async with database.connect() as connection:
        assert set(await connection.scalars(select(PredictionRow.file_name))) <= {None}


async def test_a_copy_has_the_image_as_it_was_sent_and_what_the_worklist_has(
    database: Database, transactions: Transactions
) -> None:
    one = await result(database, 0, "4711")
    await listed(database, one)
    await say(database, one, COMMENT)
    found = await copy.of(transactions, ANYONE, await key_of(database, one.id))
    assert found is not None
    (kept,) = found["results"]
    assert base64.b64decode(kept["sent_png"]) == b"sent"
    assert (kept["file_name"], kept["retired_reason"]) == ("SECRET^NAME.dcm", "quality")
    assert kept["flagged_at"]
    assert [it["action"] for it in kept["reviews"]] == ["comment"]
    assert json.dumps(found)


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "not signed"])
async def test_points_of_a_lateral_image_are_copied_and_erased(
    database: Database, transactions: Transactions, signed: bool
) -> None:
    one, other = await lateral(database, 0, "4711"), await lateral(database, 1, "4712")
    if signed:
        await say(database, one, SIGNATURE)
    found = await copy.of(transactions, ANYONE, await key_of(database, one.id))
    assert found is not None
    points = found["results"][0]["points"]
    assert [(it["number"], len(it["vertebrae"])) for it in points] == [(1, 3), (2, 1)]
    assert json.dumps(found)
    await Erasure(transactions, KEY).erase(ANYONE, "4711", "", "request")
    assert await counts(database, "prediction", "lateral_points") == {
        "prediction": 1 + signed, "lateral_points": 2,
    }  # fmt: skip
    assert len(await verbs(database).morphometry.of(ANYONE, other.id)) == 2
    assert await verbs(database).predictions.delete(ANYONE, other.id, "test")
    assert await counts(database, "lateral_points") == {"lateral_points": 0}
