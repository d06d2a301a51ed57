from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from service.settings import Settings
from service.storage.database import Database
from service.types import RUNNERS
from tests.service.kit.fronts import front
from tests.service.kit.runners import Down, Honest, running
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio


async def test_all_well(var: Path) -> None:
    async with running() as runners, front(var, runners) as opened:
        await opened.settled(lambda: len(opened.app.state.health.ever_ready) == len(RUNNERS))
        live = await opened.client.get("/health/live")
        ready = await opened.client.get("/health/ready")
        startup = await opened.client.get("/health/startup")
    assert [live.status_code, ready.status_code, startup.status_code] == [200] * 3
    assert ready.json() == {
        "status": "ready",
        "checks": {"storage": "ok", "schema": "current", "draining": False},
        "runners": dict.fromkeys(RUNNERS, "ready"),
    }


async def test_a_dead_runner_is_told_of_but_does_not_decide(var: Path) -> None:
    async with running(Down("cnn")) as runners, front(var, runners) as opened:
        health = opened.app.state.health
        await opened.settled(lambda: health.states["cnn"] == "down")
        ready = await opened.client.get("/health/ready")
        gauge = await opened.sample("osteoserve_runner_ready", runner="cnn")
    assert ready.status_code == 200
    assert ready.json()["runners"]["cnn"] == "down"
    assert gauge == 0


async def test_startup_waits_for_every_runner_once(var: Path) -> None:
    stack = Honest("stack", ready=False)
    async with running(stack) as runners, front(var, runners) as opened:
        health = opened.app.state.health
        await opened.settled(lambda: len(health.ever_ready) == len(RUNNERS) - 1)
        body = assert_problem(await opened.client.get("/health/startup"), "not_ready")
        assert body["waiting_for"] == ["stack"]
        stack.ready = True
        await opened.settled(lambda: len(health.ever_ready) == len(RUNNERS))
        stack.ready = False
        await opened.settled(lambda: health.states["stack"] == "down")
        assert (await opened.client.get("/health/startup")).status_code == 200


async def test_startup_ends_with_the_grace(var: Path) -> None:
    async with (
        running(Down("stack")) as runners,
        front(var, runners, startup_grace_seconds=0) as opened,
    ):
        assert (await opened.client.get("/health/startup")).status_code == 200


async def test_draining_is_not_ready_but_serves(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners) as opened:
        opened.app.state.health.draining = True
        body = assert_problem(await opened.client.get("/health/ready"), "not_ready")
        assert body["checks"]["draining"] is True
        assert (await opened.post(png)).status_code == 201
        assert (await opened.client.get("/health/live")).status_code == 200


async def test_a_database_that_is_locked_makes_unready_and_never_unlive(
    var: Path, png: bytes
) -> None:
    async with (
        running() as runners,
        front(var, runners, storage_seconds=0.3) as opened,
    ):
        blocker = sqlite3.connect(var / "osteoserve.db", isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        response = assert_problem(await opened.post(png), "storage_unavailable")
        assert "Nothing was stored" not in response["detail"]
        assert (await opened.client.get("/health/live")).status_code == 200
        blocker.execute("ROLLBACK")
        blocker.close()
        assert (await opened.post(png)).status_code == 201


async def test_a_schema_that_falls_behind_or_goes_ahead(var: Path) -> None:
    async with running() as runners, front(var, runners) as opened:
        with sqlite3.connect(var / "osteoserve.db") as database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.close()
        ahead = await opened.client.get("/health/ready")
        assert (ahead.status_code, ahead.json()["checks"]["schema"]) == (200, "ahead")
        with sqlite3.connect(var / "osteoserve.db") as database:
            database.execute("DELETE FROM alembic_version")
        database.close()
        behind = await opened.client.get("/health/ready")
        assert assert_problem(behind, "not_ready")["checks"]["schema"] == "behind"


async def test_a_database_that_comes_late_is_migrated_late(tmp_path: Path, png: bytes) -> None:
    var = tmp_path / "var"
    var.write_text("in the way")
    # Keys that the front would make in that folder are set.
    async with running() as runners, front(var, runners, secret_keys="s" * 32) as opened:
        assert_problem(await opened.client.get("/health/ready"), "not_ready")
        body = assert_problem(await opened.client.get("/health/startup"), "not_ready")
        assert "migrations" in body["waiting_for"]
        assert_problem(await opened.post(png), "storage_unavailable")
        var.unlink()
        await opened.settled(lambda: opened.app.state.health.database.migrated)
        assert (await opened.post(png)).status_code == 201
        assert (await opened.client.get("/health/ready")).status_code == 200


async def test_the_watch_ends_with_the_front(var: Path) -> None:
    async with running() as runners, front(var, runners):
        pass
    assert "watch runners" not in [task.get_name() for task in asyncio.all_tasks()]


def spoil(var: Path) -> None:
    """Make what was a database none any more."""
    for path in var.glob("osteoserve.db*"):
        path.write_bytes(b"no database" * 100)


async def test_storage_is_told_of_with_the_room_that_is_left(var: Path) -> None:
    async with running() as runners, front(var, runners) as opened:
        registry = opened.app.state.metrics.registry

        def sample(name: str) -> float | None:
            value: float | None = registry.get_sample_value(f"osteoserve_storage_{name}")
            return value

        await opened.settled(lambda: sample("free_bytes") is not None)
        assert sample("up") == 1
        assert 0 < (sample("free_bytes") or 0) < (sample("size_bytes") or 0)
        spoil(var)
        await opened.settled(lambda: sample("up") == 0)


def test_room_is_told_of_where_the_database_is_a_file_of_ours(tmp_path: Path) -> None:
    places = {
        Settings(var=tmp_path): tmp_path,
        Settings(database_url=f"sqlite:///{tmp_path}/deep/a.db"): tmp_path / "deep",
        Settings(database_url="postgresql://somebody@elsewhere/osteoserve"): None,
    }
    for settings, folder in places.items():
        assert Database(settings).folder == folder
