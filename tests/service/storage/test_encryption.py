"""Ciphertexts on either database: what lies there, what they are bound to, and what is refused."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text, update

from service.identity.actor import DEFAULT_SITE
from service.storage.encryption import UNOPENED
from service.storage.errors import UnreadableError
from service.storage.tables.columns import Cell
from service.storage.tables.ledger import ArrivalRow
from service.storage.tables.predictions import PredictionRow
from tests.service.kit.records import ANYONE, verbs
from tests.service.retention import kept
from tests.service.storage.encrypted import (
    FIRST,
    SAID,
    SECOND,
    WHO,
    Keys,
    all_of,
    bytes_of,
    filled,
    in_clear,
)

pytestmark = pytest.mark.anyio


async def test_what_is_new_is_never_there_in_the_clear(keys: Keys) -> None:
    async with keys.opened() as database:
        one = await kept.result(database, 0, WHO)
        other = await kept.result(database, 1, WHO)
        on = verbs(database)
        first, second = [await on.exams.get(ANYONE, each.id) for each in (one, other)]
        assert first is not None
        assert second is not None
        assert first.patient_key == second.patient_key, "one patient, kept once"
        # A part is not found, nor another case of letters, and a site has its own index.
        assert await on.patients.search(ANYONE, WHO[:5], 5) == ()
        assert await on.patients.search(ANYONE, WHO.lower(), 5) == ()
        used = database.encryption
        assert used.kept_as("a", WHO) != used.kept_as("b", WHO)
        assert used.kept_as("a", WHO) == used.kept_as("a", WHO)
        # The index of somebody else finds nobody.
        assert await on.patients.find(ANYONE, used.kept_as(DEFAULT_SITE, WHO)) is None
        assert await in_clear(database) == []
        if database.is_sqlite:
            raw = bytes_of(keys.settings)
            assert [word for word in SAID if word in raw] == []


async def test_ciphertexts_that_change_places_are_refused(keys: Keys) -> None:
    async with keys.opened() as database:
        one = await filled(database)
        two = await kept.result(database, 1, "Other")
        on = verbs(database)
        async with database.begin() as connection:
            first, second = (
                await connection.execute(
                    text("SELECT key, identifier_sealed AS sealed FROM patient ORDER BY created_at")
                )
            ).all()
            into = text("UPDATE patient SET identifier_sealed = :sealed WHERE key = :key")
            await connection.execute(into, {"sealed": first.sealed, "key": second.key})
            await connection.execute(into, {"sealed": second.sealed, "key": first.key})
            # Another column of the same table's neighbour, and bytes cut short by one.
            await connection.execute(
                text("UPDATE prediction SET file_name_sealed = :sealed WHERE id = :id"),
                {"sealed": first.sealed, "id": one.id.hex if database.is_sqlite else one.id},
            )
            cut = "substr(data, 1, length(data) - 1)"
            await connection.execute(text(f"UPDATE ledger_arrival SET data = {cut}"))  # noqa: S608 - ours
        for each in (one, two):
            with pytest.raises(UnreadableError):
                await on.exams.get(ANYONE, each.id)
        with pytest.raises(UnreadableError):
            await on.predictions.file_name(ANYONE, one.id)
        async with database.connect() as connection:
            assert await connection.scalar(select(ArrivalRow.data)) is UNOPENED
        # Nothing of it is lost by the command, which says how many there are.
        keys.put(SECOND, FIRST)
        async with keys.opened() as again:
            done = await all_of(again)
            assert {what: each.lost for what, each in done.items() if each.lost} == {
                "patient.identifier": 2, "prediction.file_name": 1, "ledger_arrival.data": 1,
            }  # fmt: skip


async def test_a_row_is_never_written_in_the_clear_by_mistake(keys: Keys) -> None:
    async with keys.opened() as database:
        row = insert(PredictionRow).values(id=uuid4(), file_name_sealed="Huber.dcm")
        with pytest.raises(Exception, match="takes a Cell"):
            async with database.begin() as connection:
                await connection.execute(row)
        looks = update(ArrivalRow).values(data=Cell.of(b"\x1eosteoserve\x1eabc", uuid4()))
    async with keys.opened(on=False) as database:
        with pytest.raises(Exception, match="looks encrypted"):
            async with database.begin() as connection:
                await connection.execute(looks)
