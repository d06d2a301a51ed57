"""Encryption of what is there, with the first key and with another, and the way back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text

from service.exams.schemas import from_json
from service.predictions.schemas import Prediction
from service.storage.errors import KeysError
from service.storage.migrations import DowngradeError
from service.storage.reencryption import KEPT
from service.storage.tables.columns import Base, Encrypted
from service.storage.tables.patients import PatientRow
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
    whole,
)

pytestmark = pytest.mark.anyio


async def test_switched_on_for_what_is_there_and_off_again(keys: Keys) -> None:
    async with keys.opened(keys=False) as database:
        one = await filled(database)
        assert len(await in_clear(database)) == 6
    async with keys.opened() as database:
        await whole(database, one)
        done = await all_of(database, 1)
        assert {progress.left for progress in done.values()} == {0}
        assert done["patient.identifier"].done == 1
        assert await in_clear(database) == []
        await whole(database, one)
        # Who does it once more has nothing to do.
        assert not any(again.done for again in (await all_of(database)).values())
        is_sqlite = database.is_sqlite
    if is_sqlite:
        raw = bytes_of(keys.settings)
        assert [word for word in SAID if word in raw] == []
    with pytest.raises(KeysError, match="names no file"):
        async with keys.opened(keys=False):
            pass
    async with keys.opened(on=False) as database:
        await whole(database, one)
        await all_of(database)
        assert len(await in_clear(database)) == 6
    async with keys.opened(keys=False) as database:
        await whole(database, one)


async def test_new_keys_while_others_write(keys: Keys) -> None:
    async with keys.opened() as database:
        one = await filled(database)
        results = [await kept.result(database, 1 + number, f"P-{number}") for number in range(4)]
    keys.put(SECOND, FIRST)
    async with keys.opened() as front, keys.opened() as command:
        written: list[Prediction] = []

        async def write() -> None:
            for number in range(4):
                written.append(await kept.result(front, 10 + number, f"P-{number % 6}"))
                facts = {"patient_reference": f"Q-{number}"}
                await verbs(front).exams.change(ANYONE, results[number].id, from_json(facts))

        _, done = await asyncio.gather(write(), all_of(command, 1))
        assert sum(progress.lost for progress in done.values()) == 0
        if any(progress.left for progress in done.values()):
            done = await all_of(command)
        assert {progress.left for progress in done.values()} == {0}
    keys.put(SECOND)
    async with keys.opened() as database:
        await whole(database, one)
        on = verbs(database)
        for number in range(4):
            moved = await on.exams.get(ANYONE, results[number].id)
            added = await on.exams.get(ANYONE, written[number].id)
            assert moved is not None
            assert added is not None
            assert moved.patient_reference == f"Q-{number}"
            assert added.patient_reference == f"P-{number}"
        async with database.connect() as connection:
            rows = (await connection.execute(select(PatientRow.identifier_sealed))).scalars()
            references = [str(each) for each in rows]
        assert sorted(references) == sorted({*references}), "nobody is kept twice"
        assert len(references) == 9


async def test_the_way_back_is_refused_while_anything_is_encrypted(keys: Keys) -> None:
    async with keys.opened() as database:
        await filled(database)
        with pytest.raises(DowngradeError, match="storage reencrypt"):
            await database.migrate("0019")
    async with keys.opened(on=False) as database:
        await all_of(database)
        await database.migrate("0019")
        async with database.connect() as connection:
            assert await connection.scalar(text("SELECT identifier FROM patient")) == WHO


def test_every_encrypted_column_is_reencrypted() -> None:
    declared = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Encrypted)
    }
    assert {(one.table.name, name) for one in KEPT for name in one.sealed} == declared


def test_the_command_counts_and_ends_with_its_status(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(FIRST)
    set_here = {
        "OSTEOSERVE_VAR": str(tmp_path), "OSTEOSERVE_COLUMN_KEYS": str(file),
        "OSTEOSERVE_COLUMN_ENCRYPTION": "true",
    }  # fmt: skip
    command = [sys.executable, "-m", "service", "storage", "reencrypt"]
    done = subprocess.run(command, check=False, env=set_here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "patient.identifier: 0 done, 0 left" in done.stdout
    file.write_text(SECOND)
    done = subprocess.run(command, check=False, env=set_here, capture_output=True, text=True)
    assert done.returncode == 1
    assert "is missing" in done.stderr
