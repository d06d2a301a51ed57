"""A disk that is full: told, read from, and freed. On a small file system of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from lxml import html

from service.predictions.schemas import Prediction
from service.settings import Settings
from service.storage.database import Database
from service.storage.errors import StorageFullError
from service.storage.space import LEAST, Room
from tests.service.kit.accounts import PASSWORD, browser, person
from tests.service.kit.fronts import API, front, rows
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem, assert_well_made

pytestmark = pytest.mark.anyio


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if done.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave not a byte."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert os.statvfs(disk).f_bavail == 0
    return filler


async def test_a_full_disk_is_told_read_from_and_freed(disk: Path, png: bytes) -> None:
    var = disk / "var"
    async with running() as runners, front(var, runners) as opened:
        health = opened.app.state.health
        ids = [(await opened.post(png)).json()["id"] for _ in range(8)]
        assert (await opened.client.get("/health/ready")).status_code == 200
        filler = fill(disk)
        answers = [await opened.post(png) for _ in range(3)]
        body = assert_problem(answers[-1], "storage_full")
        assert "Retry-After" not in answers[-1].headers
        assert body["status"] == 507
        ready = assert_problem(await opened.client.get("/health/ready"), "not_ready")
        assert ready["checks"]["storage"] == "full"
        registry = opened.app.state.metrics.registry
        await opened.settled(lambda: registry.get_sample_value("osteoserve_storage_full") == 1)
        assert await opened.sample("osteoserve_storage_up") == 1

        # What is there can be read, also by order, and whoever types loses nothing.
        for sort in ("newest", "highest"):
            listed = await opened.client.get(API, params={"sort": sort})
            assert {one["id"] for one in listed.json()["items"]} >= set(ids)
        page = await opened.client.post(f"/results/{ids[0]}/study", data={"t_score": "-1,5"})
        assert page.status_code in (303, 507)
        if page.status_code == 507:
            assert 'value="-1,5"' in page.text

        # What is no longer needed can go, by program and by hand.
        for id in ids[:3]:
            assert (await opened.client.delete(f"{API}/{id}")).status_code == 204
        gone = await opened.client.post(f"/results/{ids[3]}/delete")
        assert gone.status_code == 303
        assert (await opened.client.get(f"{API}/{ids[3]}")).status_code == 404
        assert (await opened.client.get(f"{API}/{ids[4]}")).status_code == 200

        filler.unlink()
        await opened.settled(lambda: not health.database.full)
        assert (await opened.client.get("/health/ready")).status_code == 200
        assert (await opened.post(png)).status_code == 201


async def test_attack_36_who_signs_in_makes_room_and_nothing_is_done_without_its_row(
    disk: Path, png: bytes
) -> None:
    """PEOPLE, attack 36, where people sign in."""
    async with (
        running() as runners,
        front(disk / "var", runners, auth="local") as opened,
        person(opened, "both", "clinician", "administrator", "auditor") as both,
    ):
        for _ in range(6):
            place = (await both.client.post(API, content=png)).headers["location"]
        await opened.settled((disk / "var" / "osteoserve.db-reserve").exists)
        filler = fill(disk)
        async with asyncio.timeout(60):
            while (last := await both.client.post(API, content=png)).status_code == 201:
                pass
        assert_problem(last, "storage_full")
        kept = await rows(opened)
        signed = await both.client.post(f"{place}/reviews", json={"action": "sign"})
        if signed.status_code != 201:
            assert_problem(signed, "storage_full")
            assert (await both.client.get(f"{place}/reviews")).json() == []
        # Reading, signing in, and what makes room go on, each with its row.
        assert (await both.client.get(place)).status_code == 200
        assert (await both.sign_in()).status_code == 303
        first = (await both.client.get(API, params={"sort": "oldest"})).json()["items"][0]["id"]
        gone = await both.client.delete(f"{API}/{first}", params={"reason": "test"})
        assert gone.status_code == 204
        assert await rows(opened) == kept - 1
        told = (await both.client.get("/audit")).text
        assert told.count("Result deleted") >= 1
        filler.unlink()
        health = opened.app.state.health
        await opened.settled(lambda: not health.database.full)
        assert (await both.client.post(API, content=png)).status_code == 201


async def test_where_not_even_a_row_of_the_trail_finds_room_nothing_is_done(
    disk: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        running() as runners,
        front(disk / "var", runners, auth="local") as opened,
        person(opened, "none", "clinician", "administrator") as somebody,
        browser(opened) as client,
    ):
        place = (await somebody.client.post(API, content=png)).headers["location"]
        kept = await rows(opened)

        async def full(*_: object, **__: object) -> None:
            raise StorageFullError("There is no room left to store anything.")

        for way in ("write", "write_sync"):
            monkeypatch.setattr(f"service.storage.database.Database.{way}", full)
        for asked in (
            somebody.client.get(place),
            somebody.client.get(f"{place}/image"),
            somebody.client.post(API, content=png),
            somebody.client.post(f"{place}/reviews", json={"action": "sign"}),
            somebody.client.put(f"{place}/study", json={"t_score": -1.0}),
            somebody.client.delete(place, params={"reason": "test"}),
            somebody.client.get("/people", headers={"Accept": "application/json"}),
        ):
            answer = await asked
            if answer.request.url.path == "/people":
                # It shows nothing of a patient's, and leaves no row.
                assert answer.status_code == 200
            else:
                assert_problem(answer, "storage_full")
                assert "set-cookie" not in answer.headers
        page = await client.post("/signin", data={"login": "none", "password": PASSWORD})
        assert page.status_code == 507
        assert "set-cookie" not in page.headers
        found = html.fromstring(page.text)
        assert_well_made(found)
        (said,) = found.xpath("//*[@role='alert']")
        assert "make room" in said.text_content()
        assert found.xpath("//input[@name='login']/@value") == ["none"]
        assert PASSWORD not in page.text
        monkeypatch.undo()
        assert await rows(opened) == kept
        assert (await somebody.client.get(f"{place}/reviews")).json() == []
        assert (await somebody.client.get(API)).status_code == 200


async def test_a_disk_that_fills_up_without_a_request_is_told(disk: Path) -> None:
    async with running() as runners, front(disk / "var", runners) as opened:
        health = opened.app.state.health
        await opened.settled(lambda: health.database.migrated)
        fill(disk)
        health.room_at = 0.0
        await opened.settled(lambda: health.database.full)
        assert_problem(await opened.client.get("/health/ready"), "not_ready")


async def test_a_front_starts_on_a_full_disk(disk: Path, png: bytes) -> None:
    var = disk / "var"
    async with running() as runners:
        async with front(var, runners) as opened:
            id = (await opened.post(png)).json()["id"]
            await opened.settled((var / "osteoserve.db-reserve").exists)
        fill(disk)
        async with front(var, runners) as opened:
            assert (await opened.client.get(f"{API}/{id}")).status_code == 200
            assert (await opened.client.delete(f"{API}/{id}")).status_code == 204


async def filled(database: Database, turn: int) -> list[Prediction]:
    """Keep results until there is no room; return those that are kept."""
    added: list[Prediction] = []
    for number in range(1000):
        one = made(1000 * turn + number)
        try:
            await keep(database, one, png=os.urandom(100_000))
        except StorageFullError:
            return added
        added.append(one)
    raise AssertionError("the disk is not full")


async def test_deleting_makes_room_for_new_results(disk: Path) -> None:
    """Over and over: what is freed inside the file is used again, though the disk stays full."""
    database = Database(Settings(var=disk / "var"))
    await database.migrate()
    predictions = verbs(database).predictions
    there = [made(number) for number in range(40)]
    for one in there:
        await keep(database, one, png=os.urandom(100_000))
    fill(disk)
    for turn in range(5):
        there += await filled(database, turn)
        for _ in range(10):
            assert await predictions.delete(ANYONE, there.pop(0).id)
    for one in there:
        assert await predictions.get(ANYONE, one.id) == one
    await database.close()


async def test_uploads_that_find_no_room_are_told(
    disk: Path, var: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Larger ones wait in a file, in the folder for temporary ones."""
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    fill(disk)
    many = [("file", ("a.bin", os.urandom(500_000), "application/octet-stream"))] * 12
    archive = b"PK\x03\x04" + os.urandom(6_000_000)
    async with running() as runners, front(var, runners) as opened:
        for _ in range(3):
            form = await opened.client.post("/api/v1/batches", files=many)
            assert assert_problem(form, "upload_room")["status"] == 507
            zipped = await opened.client.post(
                "/api/v1/batches", content=archive, headers={"Content-Type": "application/zip"}
            )
            assert_problem(zipped, "upload_room")
        assert_error_page(await opened.client.post("/bulk", files=many), "upload_room")
        # No place is held for them, and what stays in memory is taken.
        small = await opened.client.post("/api/v1/batches", files=[("file", ("a.png", png))])
        assert small.status_code == 201
        assert (await opened.post(png)).status_code == 201


async def test_a_reserve_is_only_kept_where_room_is_scarce(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(disk / "a.db")
    reserve = disk / "a.db-reserve"
    room.lay_aside()
    size = reserve.stat().st_size
    assert LEAST <= size <= 20 * 2**20
    room.lay_aside()
    assert reserve.stat().st_size == size
    room.make_way()
    assert not reserve.exists()
    fill(disk)
    room.lay_aside()
    assert not reserve.exists()
    monkeypatch.setattr("service.storage.space.LOW", 1)
    reserve.touch()
    (disk / "filler").unlink()
    room.lay_aside()
    assert not reserve.exists()


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_rows_kept_on_a_roomy_disk_leave_nothing_beside(tmp_path: Path) -> None:
    database = Database(Settings(var=tmp_path))
    await database.migrate()
    await keep(database, made(0))
    await database.look_for_room()
    assert not database.full
    await database.close()
    assert left_in(tmp_path) <= {"osteoserve.db", "osteoserve.db-reserve"}
