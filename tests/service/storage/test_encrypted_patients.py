"""Patients whose identifiers are encrypted: kept once, found, shown, and erased."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import select, text, update

from service.events import Listeners
from service.identity.actor import DEFAULT_SITE
from service.integration import patient_match
from service.integration.ledger import repository as ledger
from service.integration.ledger.schemas import Arrival
from service.integration.pulls import repository as pulls
from service.integration.pulls.schemas import Question
from service.patients import repository as patients
from service.predictions.worklist.query import WorklistQuery
from service.retention import repository as erased
from service.retention.erasure import Erasure
from service.retention.events import ErasureReason
from service.storage.database import Database
from service.storage.tables.ledger import ArrivalRow, CaseRow, PullRow
from service.storage.tables.patients import MergeRow, PatientRow
from service.storage.tables.predictions import PredictionRow
from service.storage.transaction import Transactions
from tests.service.kit.records import ANYONE, verbs
from tests.service.retention import kept
from tests.service.storage.encrypted import WHO, Keys, all_of, filled, in_clear

pytestmark = pytest.mark.anyio

REASON: Final[ErasureReason] = "request"


async def test_a_patient_is_kept_once_while_some_fronts_do_not_encrypt_yet(keys: Keys) -> None:
    async with keys.opened(on=False) as plain, keys.opened() as encrypting:

        async def name(database: Database, reference: str) -> None:
            async with database.begin() as connection:
                await patients.key_of(connection, DEFAULT_SITE, reference)

        for number in range(5):
            names = (name(each, f"N-{number}") for each in (plain, encrypting))
            await asyncio.gather(*names)
        async with encrypting.connect() as connection:
            assert len((await connection.scalars(select(PatientRow.key))).all()) == 5


async def test_erasure_finds_who_is_encrypted(keys: Keys) -> None:
    async with keys.opened() as database:
        one = await filled(database)
        key = await verbs(database).patients.find(ANYONE, WHO)
        assert key is not None
        erasure = Erasure(Transactions(database, Listeners()), b"k" * 32)
        await all_of(database)
        await erasure.erase(ANYONE, WHO, "", REASON)
        await erasure.erase(ANYONE, WHO, "Clinic", REASON)
        assert await verbs(database).predictions.get(ANYONE, one.id) is None
        async with database.connect() as connection:
            for column in (
                PatientRow.key,
                MergeRow.identifier,
                ArrivalRow.patient,
                ArrivalRow.data,
            ):
                assert (
                    await connection.scalars(select(column).where(column.is_not(None)))
                ).all() == []


async def test_what_the_gateway_holds_is_found_by_who_it_is_of(keys: Keys) -> None:
    arrived = Arrival(
        site=DEFAULT_SITE, peer="dxa", sop_uid="1.1", sop_class_uid="1.2", series_uid="1.3",
        study_uid="1.4", patient=f"{WHO}\\Clinic", sha256="0" * 64, is_image=True, is_own=False,
        data=b"PatientName Huber",
    )  # fmt: skip
    question = Question(patient=WHO, issuer="Clinic")
    async with keys.opened() as database:
        one = await kept.result(database, 0)
        async with database.begin() as connection:
            case = await ledger.begin(connection, arrived, 0, "done", None)
            await ledger.add(connection, arrived, case, "held", None)
            judged = [["0" * 64, str(one.id)]]
            await connection.execute(update(CaseRow).values(judged=judged))
            await pulls.keep(connection, DEFAULT_SITE, "vna", question, scheduled=False)
        async with database.connect() as connection:
            assert not await ledger.other_patient(connection, arrived)
            other = replace(arrived, patient="Other\\Clinic")
            assert await ledger.other_patient(connection, other)
            found = await patient_match.judged(connection, DEFAULT_SITE, [WHO], None)
            assert found == (frozenset({arrived.patient}), (one.id,))
            assert await patient_match.judged(connection, DEFAULT_SITE, [WHO[:-1]], None) == (
                frozenset(),
                (),
            )
            assert await erased.received(connection, DEFAULT_SITE) == {arrived.patient}
            assert await in_clear(database) == []
            rows = await connection.scalars(text("SELECT question FROM ledger_pull"))
            assert WHO not in str(rows.all())
            raw = await connection.scalars(text("SELECT data FROM ledger_arrival"))
            assert b"Huber" not in bytes(raw.one())
        async with database.begin() as connection:
            pull = await pulls.next_of(connection, DEFAULT_SITE, "vna", timedelta(minutes=1))
            assert pull is not None
            assert pull.question == question
            await ledger.rename(connection, DEFAULT_SITE, (WHO, "Clinic"), ("New", "Clinic"))
        async with database.connect() as connection:
            (held,) = await ledger.held(connection, DEFAULT_SITE, "1.4")
            assert (held.patient, held.data) == ("New\\Clinic", arrived.data)
        erasure = Erasure(Transactions(database, Listeners()), b"k" * 32)
        await erasure.erase(ANYONE, WHO, "Clinic", REASON)
        async with database.connect() as connection:
            assert await connection.scalar(select(PullRow.state)) == "discarded"


async def test_the_worklist_shows_who_it_is_and_what_cannot_be_read(keys: Keys) -> None:
    async with keys.opened() as database:
        one = await kept.result(database, 0, WHO)
        named = update(PredictionRow).where(PredictionRow.id == one.id)
        async with database.begin() as connection:
            await connection.execute(named.values(file_name="SECRET^NAME.dcm"))
        await kept.result(database, 1, "Other")
        await all_of(database)
        for sort in ("patient", "file-down", "newest"):
            query = WorklistQuery.model_validate({"sort": sort, "limit": 1})
            shown, following = [], None
            while True:
                page = await verbs(database).listed.page(
                    ANYONE, query.model_copy(update={"after": following})
                )
                shown += [(each.patient, each.file_name) for each in page.rows]
                following = page.following
                if following is None:
                    break
            assert sorted(shown, key=str) == [("Huber-4711", "SECRET^NAME.dcm"), ("Other", None)]
        async with database.begin() as connection:
            await connection.execute(
                text("UPDATE patient SET identifier_sealed = '1.00000000.AAAA' WHERE key = :key"),
                {"key": await connection.scalar(
                    text("SELECT key FROM patient ORDER BY created_at LIMIT 1")
                )},
            )  # fmt: skip
        page = await verbs(database).listed.page(ANYONE, WorklistQuery.model_validate({}))
        assert sorted(each.patient for each in page.rows) == ["", "Other"]
        assert one.id in [each.result.id for each in page.rows]
