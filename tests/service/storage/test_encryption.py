"""Encrypted columns on either database: what lies there, who reads it, and the ways on and off."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text, update

from service.events import Listeners
from service.exams.schemas import from_json
from service.identity.actor import DEFAULT_SITE
from service.integration.cds import repository as cds
from service.integration.ledger import repository as ledger
from service.integration.ledger.schemas import Arrival
from service.integration.pulls import repository as pulls
from service.integration.pulls.schemas import Question
from service.patients import repository as patients
from service.predictions.schemas import Prediction
from service.predictions.worklist.query import WorklistQuery
from service.retention import repository as erased
from service.retention.erasure import Erasure
from service.retention.events import ErasureReason
from service.settings import Settings, SettingsError, check
from service.storage.database import Database, database_url
from service.storage.encryption import UNOPENED
from service.storage.errors import KeysError, UnreadableError
from service.storage.migrations import DowngradeError
from service.storage.reencryption import KEPT, Progress, reencrypt
from service.storage.tables.columns import Base, Cell, Encrypted
from service.storage.tables.ledger import ArrivalRow, CaseRow, PullRow
from service.storage.tables.patients import MergeRow, PatientRow
from service.storage.tables.predictions import PredictionRow
from service.storage.transaction import Transactions
from tests.service.kit.records import ANYONE, verbs
from tests.service.retention import kept

pytestmark = pytest.mark.anyio

REASON: Final[ErasureReason] = "request"
FIRST, SECOND = "first key of columns, long enough", "second key of columns, long enough"
WHO = "Huber-4711"
SAID = (WHO.encode(), b"SECRET^NAME", b"PID|1||4711")
"""What of a patient is kept by :func:`filled`, and lies nowhere in the clear where it is on."""


class Keys:
    """The file of keys beside one database, and the database opened with it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.file = folder / "column-keys"

    def put(self, *keys: str) -> None:
        self.file.write_text("\n".join(keys) + "\n")

    def given(self, *, on: bool = True) -> Settings:
        return self.settings.model_copy(
            # A machine that is busy is not what is looked at here.
            update={"column_keys": self.file, "column_encryption": on, "storage_seconds": 60.0}
        )

    @asynccontextmanager
    async def opened(self, *, on: bool = True, keys: bool = True) -> AsyncIterator[Database]:
        database = Database(self.given(on=on) if keys else self.settings)
        try:
            await database.migrate()
            yield database
        finally:
            await database.close()


@pytest.fixture
def keys(settings: Settings, tmp_path: Path) -> Keys:
    made = Keys(settings, tmp_path)
    made.put(FIRST)
    return made


async def filled(database: Database) -> Prediction:
    """Keep a result, its file's name, what came of it by the gateway, and a merged identifier."""
    one = await kept.result(database, 0, WHO)
    await kept.listed(database, one)
    await kept.received(database, f"{WHO}\\Clinic", one.id)
    async with database.begin() as connection:
        await patients.merge(connection, DEFAULT_SITE, (f"{WHO}-old", ""), (WHO, ""))
    return one


async def all_of(database: Database, at_once: int = 50) -> dict[str, Progress]:
    """Have everything encrypted or decrypted; return how each column ended."""
    return {one.what: one async for one in reencrypt(database, at_once)}


async def whole(database: Database, one: Prediction) -> None:
    """What was filled in is read, found and told apart as if nothing were encrypted."""
    on = verbs(database)
    exam = await on.exams.get(ANYONE, one.id)
    assert exam is not None
    assert exam.patient_reference == WHO
    key = exam.patient_key
    assert key is not None
    assert await on.patients.find(ANYONE, WHO) == key
    assert await on.patients.search(ANYONE, WHO, 5) == (key,)
    assert await on.patients.references(ANYONE, [key]) == (WHO,)
    assert await on.predictions.file_name(ANYONE, one.id) == "SECRET^NAME.dcm"
    async with database.connect() as connection:
        assert await patients.surviving(connection, DEFAULT_SITE, f"{WHO}-old", "") == (WHO, "")
        study = await connection.scalar(select(ArrivalRow.study_uid))
        (held,) = await ledger.held(connection, DEFAULT_SITE, str(study))
    assert (held.patient, held.data) == (f"{WHO}\\Clinic", b"abc")


def bytes_of(settings: Settings) -> bytes:
    """Return every byte of SQLite's file and of the files beside it."""
    file = Path(str(database_url(settings).database))
    return b"".join(one.read_bytes() for one in file.parent.glob(f"{file.name}*"))


async def in_clear(database: Database) -> list[str]:
    """Return what can be read of a patient without any key."""
    found = []
    async with database.connect() as connection:
        for table, column in (
            ("patient", "identifier"), ("patient_merge", "identifier"), ("prediction", "file_name"),
            ("patient_merge", "into_identifier"), ("ledger_arrival", "patient"),
        ):  # fmt: skip
            rows = await connection.scalars(text(f"SELECT {column} FROM {table}"))  # noqa: S608
            found += [str(one) for one in rows if one and ("Huber" in one or "SECRET" in one)]
        messages = await connection.scalars(text("SELECT message FROM ledger_delivery"))
        found += ["message" for one in messages if one and b"PID" in bytes(one)]
    return found


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
            await connection.execute(text(f"UPDATE ledger_arrival SET data = {cut}"))  # noqa: S608
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


@pytest.mark.parametrize("wrong", ["", "short\n", "ä" * 40], ids=["empty", "short", "no ASCII"])
def test_a_file_of_keys_that_cannot_be_used_is_said(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "keys"
    file.write_text(wrong)
    settings = Settings(var=tmp_path, column_keys=file)
    with pytest.raises(SettingsError, match="OSTEOSERVE_COLUMN_KEYS"):
        check(settings)
    with pytest.raises(SettingsError, match="cannot be read"):
        check(settings.model_copy(update={"column_keys": tmp_path / "none"}))
    with pytest.raises(SettingsError, match="OSTEOSERVE_COLUMN_ENCRYPTION needs"):
        check(Settings(var=tmp_path, column_encryption=True))


async def test_without_the_key_nothing_starts_and_nothing_is_lost(keys: Keys) -> None:
    async with keys.opened() as database:
        one = await filled(database)
    keys.put(SECOND)
    with pytest.raises(KeysError, match="is missing"):
        async with keys.opened():
            pass
    # One that was open before sees neither text nor ciphertext.
    open_before = Database(keys.settings)
    try:
        with pytest.raises(UnreadableError):
            await verbs(open_before).exams.get(ANYONE, one.id)
    finally:
        await open_before.close()
    keys.put(SECOND, FIRST)
    async with keys.opened() as database:
        await whole(database, one)


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
            found = await cds.judged(connection, DEFAULT_SITE, [WHO])
            assert found == (frozenset({arrived.patient}), (one.id,))
            assert await cds.judged(connection, DEFAULT_SITE, [WHO[:-1]]) == (frozenset(), ())
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
