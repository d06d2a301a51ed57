"""Cases (A) and attacks of PEOPLE on sessions, keys and the trail that no other file has."""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from lxml import html
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.trail import Trail
from service.audit.verify import verify
from service.clock import now
from service.identity import attempts, secrets
from service.identity.attempts import Attempts
from service.identity.schemas import TooOftenError
from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.identity import SessionRow
from service.storage.transaction import Transactions
from tests.service.kit.accounts import (
    PASSWORD,
    Somebody,
    bearer,
    browser,
    key,
    person,
    transactions,
)
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import Held, running
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio


async def entries(opened: Front, kind: str) -> list[Any]:
    database = Database(opened.settings)
    statement = select(AuditEventRow).where(AuditEventRow.kind == kind).order_by(AuditEventRow.at)
    async with database.connect() as connection:
        found = list(await connection.execute(statement))
    await database.close()
    return found


@pytest.fixture(scope="module")
async def twins(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Front, Front]]:
    """Two fronts on one database."""
    var = tmp_path_factory.mktemp("var")
    async with (
        running() as runners,
        front(var, runners, auth="local") as one,
        front(var, runners, auth="local") as two,
    ):
        yield one, two


async def _execute(statement: Any, connection: AsyncConnection) -> None:
    await connection.execute(statement)


def also(somebody: Somebody, opened: Front) -> httpx.AsyncClient:
    """A client of another front with the same cookies."""
    return browser(opened, cookies={"osteoserve": somebody.client.cookies["osteoserve"]})


async def test_a16_fifty_wrong_passwords_take_little_memory_and_no_turn_of_others(
    tmp_path: Path,
) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local", password_kib=19 * 1024) as opened,
        browser(opened, limits=httpx.Limits(max_connections=80)) as client,
    ):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        async def tried(number: int) -> int:
            form = {"login": f"name{number}", "password": "wrong"}
            return (await client.post("/signin", data=form)).status_code

        asked = [asyncio.create_task(tried(number)) for number in range(50)]
        while not all(one.done() for one in asked):
            async with asyncio.timeout(10):
                assert (await opened.client.get("/health/live")).status_code == 200
            await asyncio.sleep(0.01)
        assert {one.result() for one in asked} <= {401, 429, 503}
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 100 * 1024


async def test_a17_tries_while_they_have_to_wait_are_told_as_well(guarded: Front) -> None:
    async with person(guarded, "waiting", "viewer") as somebody, browser(guarded) as client:
        form = {"login": somebody.login, "password": "wrong"}
        codes = [
            (await client.post("/signin", data=form)).status_code for _ in range(attempts.FREE + 3)
        ]
        assert codes == [401] * attempts.FREE + [429] * 3
        mine = [
            json.loads(row.detail)["reason"]
            for row in await entries(guarded, "sign_in_failed")
            if row.object_id == str(somebody.id)
        ]
    assert mine == ["password"] * attempts.FREE + ["too_often"] * 3


async def test_a18_an_old_key_locks_no_person_out(
    guarded: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "wait", lambda *_: 0.0)
    async with person(guarded, "neighbour", "viewer") as somebody, browser(guarded) as client:
        for _ in range(attempts.FREE_OF_ADDRESS + 5):
            answer = await client.get(API, headers=bearer(secrets.api_key()))
            assert answer.status_code == 401
        monkeypatch.undo()
        again = await client.get(API, headers=bearer(secrets.api_key()))
        assert again.status_code == 429
        assert (await somebody.sign_in()).status_code == 303


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


async def test_a28_tries_are_counted_over_all_fronts_whatever_a_client_says_of_itself(
    twins: tuple[Front, Front],
) -> None:
    one, two = twins
    form = {"login": "a28", "password": "wrong"}
    async with browser(one) as first, browser(two) as second:
        codes = []
        for number in range(attempts.FREE + 2):
            invented = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.{number}"}
            via = (first, second)[number % 2]
            codes.append((await via.post("/signin", data=form, headers=invented)).status_code)
    assert codes == [401] * attempts.FREE + [429] * 2


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


async def test_a33_what_was_deleted_stays_in_a_trail_that_verifies(
    tmp_path: Path, png: bytes
) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local") as opened,
        person(opened, "keeper", "administrator") as boss,
        person(opened, "gone", "clinician") as somebody,
    ):
        made = await key(opened, "integrator")
        async with browser(opened) as client:
            await client.get(API, headers=bearer(made))
        id = (await somebody.client.post(API, content=png)).json()["id"]
        await boss.client.delete(f"{API}/{id}", params={"reason": "erasure"})
        await boss.client.post(f"/people/{somebody.id}/disable")
        (revoke,) = html.fromstring((await boss.client.get("/keys")).text).xpath(
            "//form[contains(@action, '/revoke')]/@action"
        )
        await boss.client.post(revoke)
        for kind in ("prediction_made", "prediction_deleted"):
            assert [row.object_id for row in await entries(opened, kind)] == [id]
        (row,) = await entries(opened, "person_disabled")
        assert (row.object_id, row.account_id) == (str(somebody.id), boss.id)
        sealing = b"k" * 32
        async with transactions(opened.settings) as on:
            await Trail(on, sealing, None).seal()
            assert (await verify(on, sealing, ())).broken is None


async def test_a36_a_change_of_roles_is_told_with_what_was_before(guarded: Front) -> None:
    """And attack 24: one can make oneself a clinician, which stands in the trail."""
    async with person(guarded, "selfmade", "administrator") as boss:
        form = {"role_administrator": "yes", "role_clinician": "yes"}
        assert (await boss.client.post(f"/people/{boss.id}/roles", data=form)).status_code == 303
        assert (await boss.client.get("/history")).status_code == 200
        (row,) = [
            row for row in await entries(guarded, "roles_changed") if row.account_id == boss.id
        ]
    assert row.object_id == str(boss.id)
    assert json.loads(row.detail) == {
        "before": ["administrator"], "after": ["clinician", "administrator"], "source": "hand",
    }  # fmt: skip


async def test_attack_1_asking_for_another_site_s_is_told(guarded: Front, png: bytes) -> None:
    async with (
        person(guarded, "owner1", "clinician", site="north") as owner,
        person(guarded, "curious", "clinician", site="south") as curious,
    ):
        id = (await owner.client.post(API, content=png)).json()["id"]
        assert (await curious.client.get(f"{API}/{id}/image")).status_code == 404
        told = [row for row in await entries(guarded, "read") if row.account_id == curious.id]
    assert [(row.site, row.object_id) for row in told] == [("south", id)]


async def test_attack_5_20_pages_are_kept_and_framed_by_nobody(guarded: Front, png: bytes) -> None:
    async with (
        person(guarded, "framed", "clinician", "administrator", "auditor") as somebody,
        browser(guarded) as client,
    ):
        id = (await somebody.client.post(API, content=png)).json()["id"]
        for path in (
            "/", "/bulk", "/history", "/treatment", "/faq", "/models", "/about", "/integrate",
            "/people", "/sites", "/keys", "/audit", "/account", f"/results/{id}",
            f"/results/{id}/study", f"/results/{id}/delete", f"/people/{somebody.id}", "/nowhere",
        ):  # fmt: skip
            page = await somebody.client.get(path)
            assert page.headers["cache-control"] == "no-store", path
            assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
            assert page.headers["cross-origin-opener-policy"] == "same-origin"
            if path not in ("/about", "/nowhere"):
                assert (await client.get(path)).status_code == 303, path
        for path in ("image", "maps/cnn", "report.pdf"):
            assert (await client.get(f"{API}/{id}/{path}")).status_code == 401
            kept = (await somebody.client.get(f"{API}/{id}/{path}")).headers["cache-control"]
            assert "no-store" in kept or "private" in kept, path
        assert (await client.get(f"/results/{id}/report.pdf")).status_code == 303


async def test_attack_18_no_form_and_no_script_of_another_site_writes(
    guarded: Front, png: bytes
) -> None:
    async with person(guarded, "clicked", "clinician", "administrator") as somebody:
        id = (await somebody.client.post(API, content=png)).json()["id"]
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "https://sub.127.0.0.1:8000"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            for path, sent in (
                (f"{API}/{id}/reviews", {"content": b'{"action": "sign"}'}),
                (f"/results/{id}/reviews", {"data": {"action": "sign"}}),
                (f"/results/{id}/delete", {"data": {"reason": "test"}}),
                ("/people", {"data": {"login": "eve", "name": "Eve"}}),
                ("/sites", {"data": {"site": "evil"}}),
                ("/account/password", {"data": {"old": PASSWORD}}),
            ):
                answer = await somebody.client.post(
                    path, headers={"Content-Type": "text/plain", **headers}, **sent
                )
                assert answer.status_code == 403, (path, headers)
        assert (await somebody.client.get(f"{API}/{id}/reviews")).json() == []


async def test_attack_23_what_an_integrator_may_not(guarded: Front, png: bytes) -> None:
    first, second = [bearer(await key(guarded, "integrator")) for _ in range(2)]
    async with browser(guarded) as client:
        id = (await client.post(API, content=png, headers=first)).json()["id"]
        facts = {"json": {"t_score": -1.0}}
        for status, method, path, body in (
            (403, "POST", f"{API}/{id}/reviews", {"json": {"action": "sign"}}),
            (403, "PUT", f"{API}/{id}/study", facts),
            (403, "DELETE", f"{API}/{id}", {}),
            (403, "GET", "/people", {}),
            (403, "GET", "/keys", {}),
            (403, "GET", "/sites", {}),
            (403, "GET", "/audit", {}),
            (403, "GET", f"/results/{id}", {}),
        ):
            for who in (first, second):
                answer = await client.request(method, path, headers=who, **body)
                assert answer.status_code == status, (method, path)
        for path in ("", "/image", "/report.pdf", "/maps/cnn", "/reviews", "/study"):
            assert (await client.get(f"{API}/{id}{path}", headers=second)).status_code == 404, path
        assert (await client.get(f"{API}/{id}", headers=first)).status_code == 200
        assert (await client.get(API, headers=second)).json()["items"] == []


async def test_attack_29_spraying_is_slowed_and_those_who_know_theirs_get_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 names from 50 addresses: no name and no address fails often."""
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    limits = Attempts(Transactions(database))
    monkeypatch.setattr(attempts, "asyncio", SimpleNamespace(sleep=sleep))
    for number in range(500):
        await limits.begin(f"sprayed{number}", f"198.51.100.{number % 50}")
    assert len(slept) == 500 - attempts.SPRAYED
    # Later, and let in all the same; a key is none of it.
    await limits.begin("knows", "203.0.113.1")
    await limits.succeeded("knows", "203.0.113.1")
    assert len(slept) == 501 - attempts.SPRAYED
    await limits.begin(None, "203.0.113.1")
    assert len(slept) == 501 - attempts.SPRAYED
    # Who goes on from one address is refused there.
    for number in range(attempts.FREE_OF_ADDRESS):
        await limits.begin(f"more{number}", "203.0.113.2")
    with pytest.raises(TooOftenError):
        await limits.begin("last", "203.0.113.2")


async def test_attack_31_what_is_too_large_costs_no_hash(
    guarded: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []

    async def verify_(_self: object, _kept: object, password: str) -> bool:
        hashed.append(len(password))
        return False

    monkeypatch.setattr("service.identity.passwords.Passwords.verify", verify_)
    async with browser(guarded) as client:
        long = {"login": "x", "password": "x" * 2**20}
        assert (await client.post("/signin", data=long)).status_code == 413
        fields = {f"f{number}": "1" for number in range(1000)}
        many = await client.post("/signin", data={**fields, "password": "x"})
        assert 400 <= many.status_code < 500
        query = "&".join(["a=1"] * 16_000)
        assert 400 <= (await client.post(f"/signin?{query}")).status_code < 500
        cookies = "; ".join(f"c{number}=x" for number in range(300))
        twice = f"{cookies}; osteoserve={'a' * 43}; osteoserve={'b' * 43}"
        assert (await client.get(API, headers={"Cookie": twice})).status_code == 400
        large = await client.get(API, headers={"X-Large": "x" * 2**16})
        assert large.status_code == 431
        page = await client.post("/signin", data={"login": "x" * 9000, "password": "y" * 4000})
        assert page.status_code == 401
    assert hashed == []


async def test_attack_37_signs_that_mean_something_elsewhere_are_text(
    guarded: Front, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="osteoserve")
    async with person(guarded, "scribe", "administrator", "auditor") as boss:
        for name in ("=HYPERLINK(1)", "<script>alert(1)</script>", "]]>&x;", "+1", "@x", "-2"):
            made = await boss.client.post("/keys", data={"name": name, "role": "viewer"})
            assert made.status_code == 200
        for name in ("a\r\nb\x1b[31m", "x\u202ey", "\x00"):
            # Lines are joined; what cannot be seen is refused.
            await boss.client.post("/keys", data={"name": name, "role": "viewer"})
        page = (await boss.client.get("/keys")).text
        assert "<script>alert" not in page
        for sign in ("\x1b", "\u202e", "\x00"):
            assert sign not in page
        agent = {"User-Agent": "=cmd|x\x1b[31m<script>", "X-Forwarded-For": "=1+1"}
        await boss.client.get("/history", headers=agent)
        table = (await boss.client.get("/audit/export.csv")).text
        trail = (await boss.client.get("/audit/export.ndjson")).text
    for line in table.splitlines():
        assert not any(cell.startswith(tuple("=+@")) for cell in line.split(","))
    for text in (table, trail, caplog.text):
        assert "HYPERLINK" not in text
        assert "cmd|x" not in text


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
