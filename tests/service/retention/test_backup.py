"""Saving the database and putting it back: erased patients stay away, the trail verifies."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import insert, text

from service.__main__ import main
from service.clock import now
from service.settings import Settings
from service.storage.backup import manifest_of
from service.storage.database import Database
from service.storage.tables.identity import PersonRow, SessionRow
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.retention.kept import COMMENT, counts, listed, result, say, told

pytestmark = pytest.mark.usefixtures("own_logging")

KEY = "k" * 32


@pytest.fixture
def opened(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A database that commands find, with a patient, a signed result and somebody signed in."""
    monkeypatch.setenv("OSTEOSERVE_VAR", str(tmp_path))
    monkeypatch.setenv("OSTEOSERVE_AUDIT_KEY", KEY)
    if settings.database_url is not None:
        monkeypatch.setenv("OSTEOSERVE_DATABASE_URL", settings.database_url.get_secret_value())
    assert main(["migrate"]) == 0

    async def fill(database: Database) -> None:
        for one in (
            await result(database, 0, "MRN-4711"),
            await result(database, 1, "MRN-4712", signed=True),
        ):  # fmt: skip
            await listed(database, one)
            await say(database, one, COMMENT)
        async with database.begin() as connection:
            person = uuid4()
            await connection.execute(
                insert(PersonRow).values(id=person, login="ann", name="Ann", created_at=now())
            )
            moment = {name: now() for name in ("created_at", "seen_at", "ends_at", "signed_in_at")}
            await connection.execute(
                insert(SessionRow).values(hash="0" * 64, person_id=person, **moment)
            )

    on(settings, fill)
    return settings


def on(settings: Settings, work: Callable[[Database], Awaitable[Any]]) -> Any:
    async def opened() -> Any:
        database = Database(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(opened())


def known(settings: Settings) -> list[bool]:
    async def ask(database: Database) -> list[bool]:
        patients = verbs(database).patients
        return [await patients.find(ANYONE, name) is not None for name in ("MRN-4711", "MRN-4712")]

    found: list[bool] = on(settings, ask)
    return found


def test_attack_42_erased_patients_are_gone_again_and_sign_ins_are_void(
    opened: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "saved"
    assert main(["backup", str(file)]) == 0
    for one in (file, manifest_of(file)):
        assert stat.S_IMODE(one.stat().st_mode) == 0o600
    reason = ["--reason", "request"]
    assert main(["retention", "erase", "--reference", "MRN-4711", *reason]) == 0
    on(opened, lambda database: keep(database, made(9)))
    assert known(opened) == [False, True]
    # There is data: nothing happens unless it is told to.
    assert main(["restore", str(file)]) == 1
    assert "--over" in capsys.readouterr().err
    assert main(["restore", "--over", str(file)]) == 0
    assert "1 erased again" in capsys.readouterr().out
    assert known(opened) == [False, True]
    tables = ("prediction", "session", "review", "person", "worklist", "sent_image")
    assert on(opened, lambda it: counts(it, *tables)) == {
        "prediction": 1, "session": 0, "review": 2, "person": 1, "worklist": 1, "sent_image": 1,
    }  # fmt: skip
    assert main(["audit", "verify"]) == 0
    (back,) = on(opened, lambda it: told(it, "restored"))
    assert back["erased"] == 1
    # Once more is the same once more: it knows by itself who was erased.
    assert main(["restore", "--over", str(file)]) == 0
    assert known(opened) == [False, True]


def test_what_is_encrypted_comes_back_with_its_keys_and_not_without(
    opened: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys, others = tmp_path / "column-keys", tmp_path / "other-keys"
    keys.write_text("a" * 32)
    others.write_text("b" * 32)
    monkeypatch.setenv("OSTEOSERVE_COLUMN_KEYS", str(keys))
    monkeypatch.setenv("OSTEOSERVE_COLUMN_ENCRYPTION", "true")
    assert main(["storage", "reencrypt"]) == 0
    assert "patient.identifier: 2 done, 0 left" in capsys.readouterr().out
    file = tmp_path / "saved"
    assert main(["backup", str(file)]) == 0
    assert main(["retention", "erase", "--reference", "MRN-4711", "--reason", "request"]) == 0
    monkeypatch.setenv("OSTEOSERVE_COLUMN_KEYS", str(others))
    assert main(["restore", "--over", str(file)]) == 1
    assert "is missing" in capsys.readouterr().err
    monkeypatch.setenv("OSTEOSERVE_COLUMN_KEYS", str(keys))
    assert main(["restore", "--over", str(file)]) == 0
    assert "1 erased again" in capsys.readouterr().out
    changes = {"column_keys": keys, "column_encryption": True}
    assert known(opened.model_copy(update=changes)) == [False, True]
    out = tmp_path / "research.ndjson"
    assert main(["retention", "export", "--out", str(out)]) == 0
    assert out.read_text().count("\n") == 1
    assert "MRN-4712" not in out.read_text()
    assert main(["audit", "verify"]) == 0


def test_where_all_is_lost_it_asks_who_was_erased(
    opened: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, lines = tmp_path / "saved", tmp_path / "erased.ndjson"
    assert main(["backup", str(file)]) == 0
    assert main(["retention", "erase", "--reference", "MRN-4711", "--reason", "request"]) == 0
    capsys.readouterr()
    assert main(["retention", "erasures"]) == 0
    lines.write_text(capsys.readouterr().out)
    assert "MRN-4711" not in lines.read_text()
    lose(opened)
    assert main(["restore", str(file)]) == 1
    assert "--erasures" in capsys.readouterr().err
    assert main(["restore", "--erasures", str(lines), str(file)]) == 0
    assert known(opened) == [False, True]
    lose(opened)
    assert main(["restore", "--no-erasures", str(file)]) == 0
    assert known(opened) == [True, True]


def lose(settings: Settings) -> None:
    if settings.database_url is None:
        for one in settings.var.glob("osteoserve.db*"):
            one.unlink()
        (settings.var / "audit.head").unlink(missing_ok=True)
        return
    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


@pytest.mark.parametrize("fault", ["trail", "bytes", "manifest", "other_key"])
def test_a_backup_that_is_not_right_changes_nothing(
    opened: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    file = tmp_path / "saved"
    if fault == "trail":
        # Changed before it was saved, as whoever owns the database can.
        assert main(["retention", "erase", "--reference", "x", "--reason", "request"]) == 0
        seal(opened)
        on(opened, tamper)
    assert main(["backup", str(file)]) == 0
    if fault == "bytes":
        data = bytearray(file.read_bytes())
        data[-200] ^= 1
        file.write_bytes(data)
    elif fault == "manifest":
        manifest = json.loads(manifest_of(file).read_bytes())
        manifest_of(file).write_text(json.dumps({**manifest, "revision": "9999"}))
    elif fault == "other_key":
        seal(opened)
        again = tmp_path / "again"
        assert main(["backup", str(again)]) == 0
        file = again
        monkeypatch.setenv("OSTEOSERVE_AUDIT_KEY", "x" * 32)
    on(opened, lambda database: keep(database, made(9)))
    before = on(opened, lambda it: counts(it, "prediction", "session", "person", "erasure"))
    capsys.readouterr()
    assert main(["restore", "--over", str(file)]) == 1
    said = capsys.readouterr().err
    assert {"trail": "broken", "bytes": "hash", "manifest": "newer", "other_key": "broken"}[
        fault
    ] in said
    assert on(opened, lambda it: counts(it, "prediction", "session", "person", "erasure")) == before
    assert not list(tmp_path.glob("*restor*"))


def seal(settings: Settings) -> None:
    from service.audit.trail import Trail  # noqa: PLC0415 - one helper
    from service.storage.transaction import Transactions  # noqa: PLC0415 - as above

    on(settings, lambda database: Trail(Transactions(database), KEY.encode(), None).seal())


async def tamper(database: Database) -> None:
    async with database.engine.begin() as connection:
        if database.is_sqlite:
            await connection.execute(text("DROP TRIGGER audit_event_update"))
        else:
            disable = "ALTER TABLE audit_event DISABLE TRIGGER audit_event_kept"
            await connection.execute(text(disable))
        await connection.execute(text("UPDATE audit_event SET site = 'other'"))


def test_a_file_that_is_there_is_not_written_over(
    opened: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "saved"
    file.write_text("mine")
    assert main(["backup", str(file)]) == 1
    assert "there already" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_what_was_replaced_is_kept_aside(opened: Settings, tmp_path: Path) -> None:
    file = tmp_path / "saved"
    assert main(["backup", str(file)]) == 0
    assert main(["restore", "--over", str(file)]) == 0
    if opened.database_url is None:
        assert len(list(tmp_path.glob("osteoserve.db.before-restore-*"))) >= 1
        return
    with psycopg.connect(opened.database_url.get_secret_value()) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_tables "
            "WHERE schemaname LIKE 'before_restore_%' AND tablename = 'prediction'"
        ).fetchone()
    assert found == (1,)


def test_a_running_front_keeps_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSTEOSERVE_VAR", str(tmp_path))
    monkeypatch.setenv("OSTEOSERVE_AUDIT_KEY", KEY)
    assert main(["migrate"]) == 0
    file = tmp_path / "saved"
    assert main(["backup", str(file)]) == 0
    holds = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN'); "
        "c.execute('SELECT * FROM prediction').fetchall(); print('open', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holds, str(tmp_path / "osteoserve.db")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as front:  # fmt: skip
        assert front.stdout is not None
        assert front.stdout.readline() == b"open\n"
        assert main(["restore", "--no-erasures", str(file)]) == 1
        front.communicate(b"")
    assert "A front has the database open" in capsys.readouterr().err
