"""The repository on SQLite always, on PostgreSQL where its server is installed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import Connection

from service.prediction import EXAMPLE, Prediction, now
from service.settings import Settings
from service.storage import Database, Predictions, StorageUnavailableError
from service.storage.database import database_url
from service.storage.models import Base

pytestmark = pytest.mark.anyio


def postgres_folder() -> Path | None:
    """Return where initdb and pg_ctl are, newest version first."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of our own on a socket in a folder of its own. It refuses to run as root."""
    folder = postgres_folder()
    if folder is None:
        pytest.skip("PostgreSQL server (initdb) is not installed")
    become: list[str] = []
    # Not below pytest's own folder, which only its owner may enter.
    place = Path(tempfile.mkdtemp(prefix="osteoserve-pg-"))
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL will not run as root, and there is no setpriv to become nobody")
        become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chown(place, 65534, 65534)
    data = place / "data"

    def run(*command: str) -> None:
        subprocess.run([*become, *command], check=True, capture_output=True, cwd=place)

    try:
        options = ["--auth=trust", "--username=tester", "--no-sync", "--encoding=UTF8"]
        run(str(folder / "initdb"), f"--pgdata={data}", *options)
        listen = f"-c listen_addresses= -c unix_socket_directories={place} -c fsync=off"
        control = [str(folder / "pg_ctl"), f"--pgdata={data}", "--wait"]
        run(*control, f"--options={listen}", f"--log={place}/log", "start")
        try:
            yield f"postgresql://tester@/postgres?host={place}"
        finally:
            run(*control, "--mode=immediate", "stop")
    finally:
        shutil.rmtree(place)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return Settings(var=tmp_path)
    url: str = request.getfixturevalue("postgres")
    name = f"t{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return Settings(database_url=url.replace("/postgres?", f"/{name}?"))


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = Database(settings)
    await opened.migrate()
    yield opened
    await opened.close()


def example() -> Prediction:
    return Prediction.model_validate({**EXAMPLE, "id": uuid4(), "created_at": now()})


async def test_what_goes_in_comes_out_word_for_word(database: Database) -> None:
    predictions = Predictions(database)
    prediction = example()
    await predictions.add(prediction, b"\x89PNG\0\xff")
    again = await predictions.get(prediction.id)
    assert again is not None
    assert again.model_dump_json() == prediction.model_dump_json()
    assert await predictions.image(prediction.id) == b"\x89PNG\0\xff"
    assert await predictions.get(uuid4()) is None
    assert await predictions.image(uuid4()) is None


async def test_all_or_nothing(database: Database) -> None:
    predictions = Predictions(database)
    prediction = example()
    await predictions.add(prediction, b"first")
    with pytest.raises(StorageUnavailableError):
        await predictions.add(prediction, b"second")
    other = example()
    async with database.begin() as connection:
        await connection.execute(text("ALTER TABLE canonical RENAME TO elsewhere"))
    with pytest.raises(StorageUnavailableError):
        await predictions.add(other, b"image with nowhere to go")
    assert await predictions.get(other.id) is None


async def test_many_at_once(database: Database) -> None:
    predictions = Predictions(database)
    made = [example() for _ in range(40)]
    await asyncio.gather(*(predictions.add(one, b"x") for one in made))
    found = await asyncio.gather(*(predictions.get(one.id) for one in made))
    assert found == made


async def test_an_image_needs_its_prediction_and_goes_with_it(database: Database) -> None:
    prediction = example()
    await Predictions(database).add(prediction, b"x")
    with pytest.raises(StorageUnavailableError):
        async with database.begin() as connection:
            await connection.execute(
                text("INSERT INTO canonical VALUES (:id, :png)"),
                {"id": uuid4().hex, "png": b"orphan"},
            )
    async with database.begin() as connection:
        await connection.execute(text("DELETE FROM prediction"))
    assert await Predictions(database).image(prediction.id) is None


async def test_migrations_make_what_the_models_say(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    async with database.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await database.schema_state() == "current"


async def test_migrating_again_changes_nothing(settings: Settings, database: Database) -> None:
    prediction = example()
    await Predictions(database).add(prediction, b"x")
    second = Database(settings)
    await second.migrate()
    assert await Predictions(second).get(prediction.id) == prediction
    await second.close()


def test_fronts_that_start_at_once_wait_for_each_other(settings: Settings) -> None:
    """Processes of their own, as replicas are."""
    code = textwrap.dedent("""
        import asyncio
        from service.settings import load
        from service.storage import Database

        async def main():
            database = Database(load())
            await database.migrate()
            assert await database.schema_state() == "current"
            await database.close()

        asyncio.run(main())
    """)
    url = settings.database_url
    environment = {
        **os.environ,
        "OSTEOSERVE_VAR": str(settings.var),
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
    async with asyncio.timeout(5):
        with pytest.raises(StorageUnavailableError) as caught:
            await Predictions(database).get(uuid4())
    assert "hunter2" not in str(caught.value)
    await database.close()


def test_plain_urls_mean_psycopg() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        url = database_url(Settings(database_url=f"{scheme}://u:p@h/d"))
        assert url.drivername == "postgresql+psycopg"
