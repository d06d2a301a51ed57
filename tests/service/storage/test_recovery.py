"""A damaged SQLite file: one sentence at the start, and what can still be read."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine

from service.exams.schemas import from_json
from service.predictions.schemas import Prediction
from service.reviews.schemas import Signature
from service.settings import Settings
from service.storage.database import Database
from service.storage.migrations import Schema
from service.storage.recovery import RecoveryError, damage, recover
from tests.service.kit.records import ANYONE, keep, made, verbs

PAGE = 4096


def filled(var: Path, count: int = 40) -> list[Prediction]:
    """Keep ``count`` results with images, facts and reviews in a database that is closed again."""
    predictions = [made(number) for number in range(count)]

    async def fill() -> None:
        database = Database(Settings(var=var))
        await database.migrate()
        for number, one in enumerate(predictions):
            await keep(database, one, png=bytes([number]) * 6000)
            await verbs(database).exams.change(
                ANYONE, one.id, from_json({"patient_reference": f"p-{number}"})
            )
            signed = Signature(action="sign", reviewer="A. Reader")
            await verbs(database).reviews.sign(ANYONE, one.id, signed, one.outcome)
        await database.close()

    asyncio.run(fill())
    return predictions


def read(var: Path, predictions: list[Prediction]) -> list[UUID]:
    """Return which of ``predictions`` can be read whole, by the front's own way."""

    async def all_of_them() -> list[UUID]:
        database = Database(Settings(var=var))
        await database.migrate()
        found = []
        for number, one in enumerate(predictions):
            again = await verbs(database).predictions.get(ANYONE, one.id)
            if again is None:
                continue
            exam = await verbs(database).exams.get(ANYONE, one.id)
            assert again.model_copy(update={"review": None}) == one
            whole = (
                exam is not None
                and exam.patient_reference == f"p-{number}"
                and again.review is not None
                and await verbs(database).predictions.image(ANYONE, one.id)
                == bytes([number]) * 6000
            )
            if whole:
                found.append(one.id)
        await database.close()
        return found

    return asyncio.run(all_of_them())


def spoilt(file: Path, page: int, data: bytes = b"\xff" * PAGE) -> None:
    with file.open("r+b") as opened:
        opened.seek((page - 1) * PAGE)
        opened.write(data)


def pages_of(file: Path, table: str) -> list[int]:
    """Return the leaf pages of ``table``, found by what they hold."""
    with closing(sqlite3.connect(file)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
    data = file.read_bytes()
    head = data[(root - 1) * PAGE : root * PAGE]
    assert head[0] == 5, "an interior page: the table has several leaves"
    cells = int.from_bytes(head[3:5], "big")
    return [
        int.from_bytes(head[at : at + 4], "big")
        for cell in range(cells)
        for at in [int.from_bytes(head[12 + 2 * cell : 14 + 2 * cell], "big")]
    ]


def run(*arguments: str, var: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "service", *arguments],
        env={**os.environ, "OSTEOSERVE_VAR": str(var)},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_sound_file_has_no_damage(tmp_path: Path) -> None:
    file = tmp_path / "osteoserve.db"
    assert damage(file) is None
    filled(tmp_path, 3)
    assert damage(file) is None
    assert damage(file, None) is None
    done = run("storage", "check", var=tmp_path)
    assert (done.returncode, done.stdout) == (0, "3 results can be read\n")


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["migrate"], ["run"]])
def test_a_start_on_a_damaged_file_is_one_sentence_with_a_way_out(
    tmp_path: Path, command: list[str]
) -> None:
    file = tmp_path / "osteoserve.db"
    file.write_bytes(b"no database" * 1000)
    done = run(*command, var=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "file is not a database" in done.stderr
    assert "python -m service storage recover" in done.stderr
    assert file.read_bytes() == b"no database" * 1000


def test_results_on_sound_pages_are_recovered_and_the_old_file_is_kept(tmp_path: Path) -> None:
    predictions = filled(tmp_path)
    file = tmp_path / "osteoserve.db"
    leaves = pages_of(file, "prediction")
    spoilt(file, leaves[len(leaves) // 2])
    before = file.read_bytes()
    assert damage(file) is not None
    assert run("storage", "check", var=tmp_path).returncode == 1
    done = run("storage", "recover", var=tmp_path)
    assert done.returncode == 0, done.stderr
    (aside,) = tmp_path.glob("osteoserve.db.damaged-*Z")
    assert aside.read_bytes() == before
    assert str(aside) in done.stdout
    assert damage(file, None) is None
    kept = read(tmp_path, predictions)
    # One page holds a few results, and nothing else is lost.
    assert len(predictions) - 6 <= len(kept) < len(predictions)
    lost = len(predictions) - len(kept)
    assert f"prediction: {len(kept)} copied, {lost} lost" in done.stdout
    # What belonged to the lost ones went with them: nothing is left that nobody can reach.
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_file_whose_beginning_was_written_over_is_recovered_whole(tmp_path: Path) -> None:
    predictions = filled(tmp_path, 5)
    file = tmp_path / "osteoserve.db"
    with file.open("r+b") as opened:
        opened.write(b"\0" * 100)
    assert damage(file) == "file is not a database"
    recover(file)
    assert read(tmp_path, predictions) == [one.id for one in predictions]


def test_what_is_still_in_the_log_is_recovered_too(tmp_path: Path) -> None:
    predictions = filled(tmp_path, 5)
    file = tmp_path / "osteoserve.db"
    # As after a kill: the last review is in the log alone.
    with closing(sqlite3.connect(file)) as writer, closing(sqlite3.connect(file)) as reader:
        reader.execute("SELECT count(*) FROM review").fetchone()
        writer.execute("UPDATE review SET reviewer = 'B. Reader'")
        writer.commit()
        whole = {path.name: path.read_bytes() for path in tmp_path.glob("osteoserve.db*")}
    for name, data in whole.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "osteoserve.db-shm").unlink(missing_ok=True)
    recover(file)
    with closing(sqlite3.connect(file)) as connection:
        names = {name for (name,) in connection.execute("SELECT reviewer FROM review")}
    assert names == {"B. Reader"}
    assert read(tmp_path, predictions) == [one.id for one in predictions]


def test_a_file_of_an_older_version_is_recovered_and_then_migrated(tmp_path: Path) -> None:
    predictions = filled(tmp_path, 5)
    file = tmp_path / "osteoserve.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as older:
        Schema.downgrade(older, "0003")
    engine.dispose()
    recover(file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("0003",)]
    assert read(tmp_path, predictions) == [one.id for one in predictions]


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_where_nothing_can_be_read_everything_stays_as_it_is(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "osteoserve.db"
    file.write_bytes(content)
    with pytest.raises(RecoveryError):
        recover(file)
    assert [path.name for path in tmp_path.iterdir()] == ["osteoserve.db"]
    assert file.read_bytes() == content


def test_a_newer_versions_file_is_left_to_it(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    file = tmp_path / "osteoserve.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(RecoveryError, match="newer version"):
        recover(file)


def test_a_file_that_a_front_has_open_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    with closing(sqlite3.connect(tmp_path / "osteoserve.db")) as held:
        held.execute("SELECT count(*) FROM prediction").fetchone()
        done = run("storage", "recover", var=tmp_path)
    assert done.returncode == 1
    assert "stop it first" in done.stderr
    assert list(tmp_path.glob("*damaged*")) == []
