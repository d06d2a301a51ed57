"""Sessions over several fronts: what ends one, what does not, and what is seen after its end."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.storage.database import Database
from service.storage.tables.identity import SessionRow
from tests.service.identity.trails import entries
from tests.service.kit.accounts import Somebody, browser, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import Held, running
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio


async def _execute(statement: Any, connection: AsyncConnection) -> None:
    await connection.execute(statement)


def also(somebody: Somebody, opened: Front) -> httpx.AsyncClient:
    """A client of another front with the same cookies."""
    return browser(opened, cookies={"osteoserve": somebody.client.cookies["osteoserve"]})


async def test_a19_twenty_requests_at_once_over_two_fronts_sign_nobody_out(
    twins: tuple[Front, Front],
) -> None:
    one, two = twins
    async with person(one, "hasty", "viewer") as somebody, also(somebody, two) as other:
        for _ in range(3):
            database = Database(one.settings)
            seen = now() - timedelta(minutes=5)
            mine = update(SessionRow).where(SessionRow.person_id == somebody.id)
            await database.write(partial(_execute, mine.values(seen_at=seen)))
            await database.close()
            asked = [via.get(API) for via in (somebody.client, other) for _ in range(10)]
            answers = await asyncio.gather(*asked)
            assert [answer.status_code for answer in answers] == [200] * 20
            assert not any("set-cookie" in answer.headers for answer in answers)


async def test_a23_a_cookie_kept_from_before_is_none_on_either_front(
    twins: tuple[Front, Front],
) -> None:
    """And attack 16: after signing out, disabling, or a role that was taken away."""
    one, two = twins
    async with person(one, "leaver", "viewer") as somebody, also(somebody, two) as other:
        kept = {"Cookie": f"osteoserve={somebody.client.cookies['osteoserve']}"}
        assert (await other.get(API)).status_code == 200
        assert (await somebody.client.post("/signout")).status_code == 303
        for opened in twins:
            async with browser(opened) as client:
                assert (await client.get(API, headers=kept)).status_code == 401
    async with (
        person(one, "boss16", "administrator") as boss,
        person(one, "fellow", "viewer") as fellow,
        also(fellow, two) as other,
    ):
        assert (await other.get(API)).status_code == 200
        roles = await boss.client.post(f"/people/{fellow.id}/roles", data={"role_auditor": "yes"})
        assert roles.status_code == 303
        for via in (fellow.client, other):
            assert (await via.get(API)).status_code == 403
        await boss.client.post(f"/people/{fellow.id}/disable")
        for via in (fellow.client, other):
            assert (await via.get(API)).status_code == 401


async def test_a20_a_database_that_is_locked_is_503_and_the_cookie_stays(tmp_path: Path) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local", storage_seconds=0.5) as opened,
        person(opened, "patient", "viewer") as somebody,
    ):
        with closing(sqlite3.connect(tmp_path / "osteoserve.db")) as other:
            other.execute("BEGIN EXCLUSIVE")
            answer = await somebody.client.get(API)
            body = assert_problem(answer, "storage_unavailable")
            assert body["status"] == 503
            assert int(answer.headers["retry-after"]) >= 1
            page = await somebody.client.get("/history")
            assert page.status_code == 503
            tried = await somebody.sign_in()
            assert tried.status_code == 503
            assert 'role="alert"' in tried.text
            for one in (answer, page, tried):
                assert "set-cookie" not in one.headers
            other.rollback()
        assert (await somebody.client.get(API)).status_code == 200


async def test_a22_a_link_from_a_mail_or_the_archive_finds_them_signed_in(guarded: Front) -> None:
    async with person(guarded, "linked", "viewer") as somebody:
        for site in ("cross-site", "same-site", "none"):
            arriving = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
            arriving |= {"Referer": "https://mail.example/"}
            assert (await somebody.client.get("/history", headers=arriving)).status_code == 200
            signed_out = await somebody.client.post("/signout", headers={"Sec-Fetch-Site": site})
            assert signed_out.status_code == (303 if site == "none" else 403)


async def test_a27_the_screen_goes_blank_when_the_time_is_up(tmp_path: Path) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local", session_idle_minutes=2) as opened,
        person(opened, "away", "viewer") as somebody,
    ):
        page = html.fromstring((await somebody.client.get("/history?sort=oldest")).text)
        (body,) = page.xpath("//body")
        assert 120 <= int(body.get("data-idle")) <= 122
        assert page.xpath("//script[contains(@src, '/static/idle.js')]")
        # Without scripts as well.
        assert "refresh" in (await somebody.client.get("/history")).text
        paused = body.get("data-paused")
        seen = now() - timedelta(seconds=90)
        database = Database(opened.settings)
        mine = update(SessionRow).where(SessionRow.person_id == somebody.id)
        await database.write(lambda on: on.execute(mine.values(seen_at=seen)))
        # While it is used elsewhere: nothing of the page, a way back, and no use that counts.
        shown = await somebody.client.get(paused)
        assert shown.status_code == 200
        assert html.fromstring(shown.text).xpath("//main//a/@href") == ["/history?sort=oldest"]
        # As long as it stays so, by an address that does not grow.
        assert html.fromstring(shown.text).xpath("//body/@data-paused") == [paused]
        async with database.connect() as connection:
            kept = await connection.scalar(
                select(SessionRow.seen_at).where(SessionRow.person_id == somebody.id)
            )
        assert kept == seen
        await database.write(
            lambda on: on.execute(mine.values(seen_at=now() - timedelta(minutes=3)))
        )
        await database.close()
        shown = await somebody.client.get(paused)
        fields = html.fromstring(shown.text).xpath("//form[@action='/signin']//input")
        assert {one.get("name"): one.get("value") for one in fields} == {
            "next": "/history?sort=oldest", "login": "", "password": None,
        }  # fmt: skip
        # Programs and strangers have no screen.
        assert "data-idle" not in shown.text


async def test_attack_39_who_is_disabled_while_a_batch_is_followed(
    tmp_path: Path, png: bytes
) -> None:
    """And A30: the stream ends, and the batch is cancelled."""
    held = Held("cnn")
    async with (
        running(held) as runners,
        front(tmp_path, runners, auth="local") as opened,
        person(opened, "boss39", "administrator") as boss,
        person(opened, "sender", "clinician") as sender,
    ):
        files = [("file", (str(number), png + bytes([number]))) for number in range(8)]
        place = ""

        async def follow() -> None:
            nonlocal place
            async with sender.client.stream("POST", "/api/v1/batches", files=files) as answer:
                place = answer.headers["location"]
                async for _ in answer.aiter_lines():
                    pass

        following = asyncio.create_task(follow())
        await held.asked.wait()
        assert (await boss.client.post(f"/people/{sender.id}/disable")).status_code == 303
        async with asyncio.timeout(10):
            await following
        held.go.set()
        assert (await sender.client.get(place)).status_code == 401
        async with person(opened, "other39", "viewer") as other:
            assert (await other.client.get(place)).json()["state"] == "cancelled"
        (started,) = await entries(opened, "batch_started")
        assert started.account_id == sender.id
