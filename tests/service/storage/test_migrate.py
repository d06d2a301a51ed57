"""``python -m service migrate``, as the chart's Job runs it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.__main__ import main
from service.settings import load
from service.storage.database import Database

pytestmark = pytest.mark.usefixtures("own_logging")


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OSTEOSERVE_VAR", str(tmp_path))
    return tmp_path


def test_the_schema_is_current_afterwards_and_a_second_run_changes_nothing(var: Path) -> None:
    assert main(["migrate"]) == 0
    assert main(["migrate"]) == 0

    async def state() -> str:
        database = Database(load())
        try:
            return await database.schema_state()
        finally:
            await database.close()

    assert asyncio.run(state()) == "current"


def test_a_database_that_is_not_there_is_said_without_its_password(
    var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OSTEOSERVE_DATABASE_URL", "postgresql://someone:hunter2@127.0.0.1:9/none")
    assert main(["migrate"]) == 1
    said = "".join(capsys.readouterr())
    assert "storage unavailable" in said
    assert "hunter2" not in said


def test_the_way_back_and_forth(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    assert main(["migrate", "--back-to", "0004"]) == 0
    with closing(sqlite3.connect(var / "osteoserve.db")) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("0004",)]
    assert main(["migrate"]) == 0
    assert main(["migrate", "--back-to", "9999"]) == 1
    assert "9999" in capsys.readouterr().err
