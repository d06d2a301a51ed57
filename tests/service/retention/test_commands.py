"""``python -m service retention``: what it says, and what it refuses to be told."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from service.__main__ import main
from service.retention.install import applying
from service.retention.service import Retention
from service.retention.settings import RetentionSettings
from service.settings import load
from service.storage.database import Database
from service.storage.transaction import Transactions
from tests.service.kit import databases
from tests.service.retention.kept import counts, result

pytestmark = pytest.mark.usefixtures("own_logging")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("OSTEOSERVE_VAR", str(tmp_path))
    monkeypatch.setenv("OSTEOSERVE_AUDIT_KEY", "k" * 32)
    databases.lay(load())

    async def fill() -> None:
        database = Database(load())
        await result(database, 0, "MRN-4711")
        await database.close()

    asyncio.run(fill())

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["retention", *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return command


def test_a_dry_run_says_what_the_real_one_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("apply") == (0, "OSTEOSERVE_RETENTION names nothing: all is kept.\n", "")
    monkeypatch.setenv("OSTEOSERVE_RETENTION", '{"*": {"results": 30, "audit": 30}}')
    assert run("apply", "--dry-run")[1] == "default\tresults\t1 due\n"
    assert run("apply", "--dry-run")[1] == "default\tresults\t1 due\n"
    assert run("apply")[1] == "default\tresults\t1 removed\n*\taudit\t0 removed\n"
    assert run("apply")[1] == "*\taudit\t0 removed\n"
    assert main(["audit", "verify"]) == 0


def test_holds_are_placed_shown_and_released(run: Run) -> None:
    status, out, _ = run("hold", "--reference", "MRN-4711", "--reason", "A claim, 12/2026")
    number = out.strip()
    assert status == 0
    assert run("holds")[1].split("\t")[0] == number
    status, _, err = run("erase", "--reference", "MRN-4711", "--reason", "request")
    assert status == 1
    assert "legal hold" in err
    assert run("release", number)[0] == 0
    assert run("holds")[1] == ""
    assert "released" in run("holds", "--all")[1]
    assert run("erase", "--reference", "MRN-4711", "--reason", "request")[0] == 0


def test_a_reference_can_be_kept_out_of_the_history(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("MRN-4711\n"))
    status, out, err = run("erase", "--reference", "-", "--reason", "request")
    assert status == 0
    assert "1 results deleted" in err
    assert "MRN-4711" not in out + err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["hold", "--reference", "nobody", "--reason", "x"], "Nobody of this site"),
        (["hold", "--result", "x", "--reason", "x"], "no number"),
        (["hold", "--reference", "MRN-4711", "--reason", "a\nb\x07"], "one line"),
        (["holds", "--site", "north"], "no such site"),
        (["release", "5b3b4f4e-0000-0000-0000-000000000000"], "No open hold"),
        (["export", "--out", "/nowhere/at/all"], "cannot be written"),
        (["export", "--out", "x", "--from", "yesterday"], "take days"),
        (["copy", "--patient", "5b3b4f4e-0000-0000-0000-000000000000", "--out", "x"], "Nobody"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(run: Run, arguments: list[str], says: str) -> None:
    status, out, err = run(*arguments)
    assert status == 1
    assert out == ""
    assert says in err


@pytest.mark.anyio
async def test_the_front_s_own_run_ends_when_it_is_told_to(tmp_path: Path) -> None:
    database = Database(load(var=tmp_path))
    await database.migrate()
    for number in range(3):
        await result(database, number)
    policy = RetentionSettings(retention='{"*": {"images": 1}}')
    retention, stopping = Retention(policy, Transactions(database)), asyncio.Event()
    task = asyncio.create_task(applying(retention, stopping, first=0.01))
    async with asyncio.timeout(20):
        while (await counts(database, "canonical_image"))["canonical_image"]:  # noqa: ASYNC110 - a row has no event
            await asyncio.sleep(0.02)
    stopping.set()
    await task
    assert (await counts(database, "prediction"))["prediction"] == 3
    await database.close()
