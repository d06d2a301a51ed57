"""``python -m service ledger``: what waits, and what a person decides."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from service.__main__ import main
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.ledger import LedgerEventRow
from tests.service.integration.kit import arrival, opened


async def _filled(folder: Path) -> None:
    database = Database(Settings(var=folder))
    await database.migrate()
    ledger = opened(database).ledger
    one = arrival()
    await ledger.receive(one)
    await ledger.receive(arrival(study_uid=one.study_uid, patient="X\\"))
    await database.close()


async def _told(folder: Path) -> tuple[list[str], list[str]]:
    database = Database(Settings(var=folder))
    async with database.connect() as connection:
        kinds = list(await connection.scalars(select(AuditEventRow.kind)))
        reasons = list(await connection.scalars(select(LedgerEventRow.reason)))
    await database.close()
    return kinds, [one for one in reasons if one is not None]


def test_what_waits_is_listed_and_decided_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OSTEOSERVE_VAR", str(tmp_path))
    asyncio.run(_filled(tmp_path))

    def ask(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["ledger", *arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, listed = ask("list")
    lines = [line.split("\t") for line in listed.splitlines()]
    assert code == 0
    assert sorted(line[1:5] for line in lines) == [
        ["case", "receiving", "-", "dxa-1"],
        ["object", "quarantined", "other_patient", "dxa-1"],
    ]
    code, balance = ask("balance")
    assert "accepted\t2\n" in balance
    assert "unaccounted\t0\n" in balance
    number = next(line[0] for line in lines if line[1] == "object")
    assert ask("restart", number)[0] == 1, "an object is no case"
    assert ask("discard", number, "--reason", "sent in error")[0] == 0
    assert ask("discard", number, "--reason", "again")[0] == 1
    assert ask("restart", "no number")[0] == 1
    kinds, reasons = asyncio.run(_told(tmp_path))
    assert kinds == ["ledger_decided"]
    assert "sent in error" in reasons
