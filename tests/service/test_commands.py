"""``people``, ``keys`` and ``audit`` from the command line, beside a front and before one."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from service.__main__ import main
from tests.service.kit.accounts import bearer, browser
from tests.service.kit.fronts import front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"

Ask = Callable[..., "Done"]
Told = Callable[..., str]


@dataclass
class Done:
    """A command that has ended, run in this process: starting one costs seconds."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(var: Path, *arguments: str, **settings: str) -> Done:
        with monkeypatch.context() as patched:
            for name, value in {"OSTEOSERVE_VAR": str(var), **settings}.items():
                patched.setenv(name, value)
            capsys.readouterr()
            code = main(arguments)
        return Done(code, *capsys.readouterr())

    return asked


@pytest.fixture
def told(ask: Ask) -> Callable[..., str]:
    def found(var: Path, *arguments: str) -> str:
        done = ask(var, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return found


async def test_beside_a_running_front_a_key_is_the_last_line(tmp_path: Path) -> None:
    """As an operator types it, a process of its own."""
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local") as opened,
        browser(opened) as client,
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", "keys", "add"),
            *("--name", "RIS", "--role", "integrator"),
            env={**os.environ, "OSTEOSERVE_VAR": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        key = out.decode().splitlines()[-1]
        assert (await client.get(API, headers=bearer(key))).status_code == 200


async def test_keys_are_made_renewed_and_revoked(tmp_path: Path, told: Told) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local") as opened,
        browser(opened) as client,
    ):
        made = await asyncio.to_thread(
            told, tmp_path, "keys", "add", "--name", "RIS", "--role", "integrator"
        )
        key = made.splitlines()[-1]
        assert key.startswith("osk_")
        assert (await client.get(API, headers=bearer(key))).status_code == 200
        listed = await asyncio.to_thread(told, tmp_path, "keys", "list")
        assert key not in listed
        number = listed.partition("\t")[0]
        assert listed.rstrip().endswith("RIS")
        renewed = (await asyncio.to_thread(told, tmp_path, "keys", "rotate", number)).splitlines()[
            -1
        ]
        for one in (key, renewed):
            assert (await client.get(API, headers=bearer(one))).status_code == 200
        await asyncio.to_thread(told, tmp_path, "keys", "revoke", number)
        assert (await client.get(API, headers=bearer(key))).status_code == 401
        assert (await client.get(API, headers=bearer(renewed))).status_code == 200


def test_people_are_added_listed_and_disabled(tmp_path: Path, ask: Ask, told: Told) -> None:
    link = told(tmp_path, "people", "claim")
    assert link.startswith("http://127.0.0.1:8000/setup#")
    added = told(
        tmp_path, "people", "add", "--login", "ann", "--name", "Ann", "--role", "viewer",
        "--role", "auditor",
    )  # fmt: skip
    assert "/welcome#" in added
    assert told(tmp_path, "people", "list") == "ann\tinvited\tviewer,auditor\tAnn\n"
    assert told(tmp_path, "people", "disable", "ann").split("\t")[1] == "disabled"
    assert told(tmp_path, "people", "enable", "ANN").split("\t")[1] == "invited"
    assert told(tmp_path, "people", "roles", "ann", "--role", "clinician").split("\t")[2] == (
        "clinician"
    )
    for wrong, said in (
        (("people", "claim"), "There is an account already"),
        (("people", "disable", "bob"), "Nobody signs in by this name"),
        (("people", "add", "--login", "ann", "--name", "Ann"), "somebody has this already"),
        (("people", "add", "--login", "A B", "--name", "Ann"), "a to z"),
        (("keys", "revoke", "x"), "keys list"),
        (("keys", "add", "--name", "x", "--role", "viewer", "--days", "0"), "1 to 366"),
    ):
        done = ask(tmp_path, *wrong)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_sites_are_added_and_have_people_and_keys_of_their_own(
    tmp_path: Path, ask: Ask, told: Told
) -> None:
    assert told(tmp_path, "sites", "list") == "default\n"
    told(tmp_path, "people", "add", "--login", "ann", "--name", "Ann", "--role", "administrator")
    added = told(tmp_path, "sites", "add", "north-clinic", "--administrator", "ANN")
    assert added == "default\nnorth-clinic\n"
    at = ("--site", "north-clinic")
    assert told(tmp_path, "people", "list", *at) == "ann\tinvited\tadministrator\tAnn\n"
    told(tmp_path, "people", "add", "--login", "bob", "--name", "Bob", "--role", "viewer", *at)
    assert "bob" not in told(tmp_path, "people", "list")
    # Somebody of one site gets a role at another.
    assert told(tmp_path, "people", "roles", "bob", "--role", "auditor").split("\t")[2] == "auditor"
    assert "bob\tinvited\tviewer\tBob" in told(tmp_path, "people", "list", *at)
    key = told(tmp_path, "keys", "add", "--name", "RIS", "--role", "integrator", *at)
    assert key.splitlines()[-1].startswith("osk_")
    assert "RIS" in told(tmp_path, "keys", "list", *at)
    assert told(tmp_path, "keys", "list") == ""
    for wrong, said in (
        (("sites", "add", "north-clinic", "--administrator", "ann"), "somebody has this already"),
        (("sites", "add", "default", "--administrator", "ann"), "somebody has this already"),
        (("sites", "add", "South Clinic", "--administrator", "ann"), "a to z, digits"),
        (("sites", "add", "x" * 64, "--administrator", "ann"), "1 to 63"),
        (("sites", "add", "south", "--administrator", "eve"), "Nobody signs in by this name"),
        (("keys", "add", "--name", "x", "--role", "viewer", "--site", "nroth"), "no such site"),
        (("people", "list", "--site", "nroth"), "no such site"),
        (("people", "roles", "ann", *at), "Nobody else could manage"),
        (("people", "disable", "ann"), "Nobody else could manage"),
    ):
        done = ask(tmp_path, *wrong)
        assert done.returncode == 1, wrong
        assert said in done.stderr
    assert told(tmp_path, "sites", "list") == "default\nnorth-clinic\n"


async def test_verify_tells_whole_from_broken_from_nothing_to_look_at(
    tmp_path: Path, ask: Ask, told: Told
) -> None:
    var = tmp_path / "var"
    nothing = await asyncio.to_thread(ask, var, "audit", "verify")
    assert nothing.returncode == 2
    assert "cannot be looked at" in nothing.stderr
    assert not var.exists()
    async with running() as runners, front(var, runners, auth="local", audit_key=None):
        for name in ("ann", "bob"):
            await asyncio.to_thread(told, var, "people", "add", "--login", name, "--name", name)
    whole = await asyncio.to_thread(ask, var, "audit", "verify")
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout.startswith("whole: 4 links, the last one 4:")
    last = whole.stdout.split()[-1]
    assert (await asyncio.to_thread(ask, var, "audit", "verify", "--anchor", last)).returncode == 0
    assert (await asyncio.to_thread(ask, var, "audit", "verify", "--anchor", "x")).returncode == 2
    other = await asyncio.to_thread(
        partial(ask, var, "audit", "verify", OSTEOSERVE_AUDIT_KEY="x" * 32)
    )
    assert other.returncode == 1
    key = var / "audit.key"
    assert key.stat().st_mode & 0o777 == 0o600
    kept = key.read_text()
    key.unlink()
    assert (await asyncio.to_thread(ask, var, "audit", "verify")).returncode == 2
    key.write_text(kept)
    file = var / "osteoserve.db"
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TRIGGER audit_link_delete")
        connection.execute("DROP TRIGGER audit_event_delete")
        for table in ("audit_event", "audit_link", "audit_head"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
    cut = await asyncio.to_thread(ask, var, "audit", "verify")
    assert cut.returncode == 1
    assert "the tail is cut: link 4 was there, the last one is 0" in cut.stderr
    file.write_bytes(b"no database" * 1000)
    assert (await asyncio.to_thread(ask, var, "audit", "verify")).returncode == 2
