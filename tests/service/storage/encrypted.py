"""A database with encrypted columns: its keys, what is kept in it, and what lies there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import select, text

from service.identity.actor import DEFAULT_SITE
from service.integration.ledger import repository as ledger
from service.patients import repository as patients
from service.predictions.schemas import Prediction
from service.settings import Settings
from service.storage.database import Database, database_url
from service.storage.reencryption import Progress, reencrypt
from service.storage.tables.ledger import ArrivalRow
from tests.service.kit.records import ANYONE, verbs
from tests.service.retention import kept

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
            rows = await connection.scalars(text(f"SELECT {column} FROM {table}"))  # noqa: S608 - ours
            found += [str(one) for one in rows if one and ("Huber" in one or "SECRET" in one)]
        messages = await connection.scalars(text("SELECT message FROM ledger_delivery"))
        found += ["message" for one in messages if one and b"PID" in bytes(one)]
    return found
