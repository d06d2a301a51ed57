"""The repository on SQLite always, on PostgreSQL where its server is installed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from service.predictions.heat_maps.schemas import EXAMPLE as MAP_EXAMPLE
from service.predictions.heat_maps.schemas import HeatMap
from service.reviews.schemas import Signature
from service.settings import Settings
from service.storage.database import Database, database_url
from service.storage.errors import ConflictError, GoneError, StorageUnavailableError
from service.storage.tables.columns import Base
from tests.service.kit.records import ANYONE, keep, keep_map, kept_map, kept_maps, made, verbs

pytestmark = pytest.mark.anyio


async def test_what_goes_in_comes_out_word_for_word(database: Database) -> None:
    predictions = verbs(database).predictions
    prediction = made(0)
    await keep(database, prediction, png=b"\x89PNG\0\xff")
    again = await predictions.get(ANYONE, prediction.id)
    assert again is not None
    assert again.model_dump_json() == prediction.model_dump_json()
    assert await predictions.image(ANYONE, prediction.id) == b"\x89PNG\0\xff"
    assert await predictions.get(ANYONE, uuid4()) is None
    assert await predictions.image(ANYONE, uuid4()) is None


async def test_all_or_nothing(database: Database) -> None:
    predictions = verbs(database).predictions
    prediction = made(0)
    await keep(database, prediction, png=b"first")
    with pytest.raises(ConflictError):
        await keep(database, prediction, png=b"second")
    other = made(0)
    async with database.begin() as connection:
        await connection.execute(text("ALTER TABLE prediction RENAME TO elsewhere"))
    with pytest.raises(StorageUnavailableError):
        await keep(database, other, png=b"image with nowhere to go")
    async with database.begin() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO prediction"))
        assert await connection.scalar(text("SELECT count(*) FROM image")) == 1
    assert await predictions.get(ANYONE, other.id) is None


async def test_many_at_once(database: Database) -> None:
    predictions = verbs(database).predictions
    there = [made(number) for number in range(40)]
    await asyncio.gather(*(keep(database, one) for one in there))
    found = await asyncio.gather(*(predictions.get(ANYONE, one.id) for one in there))
    assert found == there


async def test_migrations_make_what_the_models_say(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    async with database.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await database.schema_state() == "current"


async def test_migrating_again_changes_nothing(settings: Settings, database: Database) -> None:
    prediction = made(0)
    await keep(database, prediction)
    second = Database(settings)
    await second.migrate()
    assert await verbs(second).predictions.get(ANYONE, prediction.id) == prediction
    await second.close()


def test_fronts_that_start_at_once_wait_for_each_other(empty: Settings) -> None:
    """Processes of their own, as replicas are."""
    code = textwrap.dedent("""
        import asyncio
        from service.settings import load
        from service.storage.database import Database

        async def main():
            database = Database(load())
            await database.migrate()
            assert await database.schema_state() == "current"
            await database.close()

        asyncio.run(main())
    """)
    url = empty.database_url
    environment = {
        **os.environ,
        "OSTEOSERVE_VAR": str(empty.var),
        "OSTEOSERVE_DATABASE_URL": url.get_secret_value() if url else "",
    }
    command = [sys.executable, "-W", "error", "-c", code]
    starts = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ends = [(start.communicate(timeout=60)[1], start.returncode) for start in starts]
    assert ends == [("", 0)] * 4


async def test_no_database_is_unavailable_in_time(tmp_path: Path) -> None:
    url = f"postgresql://tester:hunter2@/x?host={tmp_path}"
    database = Database(Settings(database_url=url, storage_seconds=1))
    async with asyncio.timeout(20):
        with pytest.raises(StorageUnavailableError) as caught:
            await verbs(database).predictions.get(ANYONE, uuid4())
    assert "hunter2" not in str(caught.value)
    await database.close()


def test_plain_urls_mean_psycopg() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        url = database_url(Settings(database_url=f"{scheme}://u:p@h/d"))
        assert url.drivername == "postgresql+psycopg"


async def test_a_map_is_kept_once(database: Database) -> None:
    prediction = made(0)
    await keep(database, prediction)
    first = HeatMap.model_validate(MAP_EXAMPLE)
    assert await kept_map(database, prediction.id, "cnn") is None
    assert await kept_maps(database, prediction.id) == frozenset()
    other = first.model_copy(update={"rows": ((9.0,),)})
    await asyncio.gather(*(keep_map(database, prediction.id, one) for one in (first, first)))
    await keep_map(database, prediction.id, other)
    assert await kept_map(database, prediction.id, "cnn") == first
    assert await kept_map(database, prediction.id, "vgg16") is None
    assert await kept_maps(database, prediction.id) == {"cnn"}


async def test_reviews_written_at_once_are_numbered_one_after_the_other(
    database: Database,
) -> None:
    prediction = made(0)
    await keep(database, prediction)
    reviews = verbs(database).reviews
    sent = [Signature(action="sign", reviewer=f"Reader {n}") for n in range(4)]
    await asyncio.gather(
        *(reviews.sign(ANYONE, prediction.id, one, prediction.outcome) for one in sent)
    )
    kept = await reviews.of(ANYONE, prediction.id)
    assert [one.number for one in kept] == [1, 2, 3, 4]
    assert {one.reviewer for one in kept} == {one.reviewer for one in sent}
    again = await verbs(database).predictions.get(ANYONE, prediction.id)
    assert again is not None
    assert again.review == kept[-1]
    assert again.model_copy(update={"review": None}) == prediction


async def test_maps_go_with_their_prediction_and_reviews_keep_it(database: Database) -> None:
    prediction = made(0)
    await keep(database, prediction)
    await keep_map(database, prediction.id, HeatMap.model_validate(MAP_EXAMPLE))
    await verbs(database).reviews.sign(
        ANYONE, prediction.id, Signature(action="sign", reviewer="A. Reader"), prediction.outcome
    )
    with pytest.raises(IntegrityError):
        async with database.engine.begin() as connection:
            await connection.execute(text("DELETE FROM prediction"))
    async with database.begin() as connection:
        await connection.execute(text("DELETE FROM review"))
        await connection.execute(text("DELETE FROM prediction"))
    assert await kept_maps(database, prediction.id) == frozenset()
    assert await verbs(database).reviews.of(ANYONE, prediction.id) == ()
    with pytest.raises(GoneError):
        await verbs(database).reviews.sign(
            ANYONE,
            prediction.id,
            Signature(action="sign", reviewer="A. Reader"),
            prediction.outcome,
        )
