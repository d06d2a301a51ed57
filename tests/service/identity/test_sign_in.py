"""Signing in and out by the pages: cases (A) and attacks that are about sessions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import update

from service.clock import now
from service.identity import attempts
from service.identity.passwords import Passwords
from service.identity.people import People
from service.settings import Settings
from service.storage.database import Database
from service.storage.errors import StorageUnavailableError
from service.storage.tables.identity import SessionRow
from tests.service.kit.accounts import PASSWORD, Somebody, browser, operator, person, transactions
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"


@pytest.fixture
async def ann(guarded: Front, request: pytest.FixtureRequest) -> AsyncIterator[Somebody]:
    # A name of its own each time: failures are counted by it.
    async with person(guarded, f"ann{abs(hash(request.node.nodeid))}", "clinician") as somebody:
        yield somebody


async def test_nobody_is_sent_to_sign_in_and_back(guarded: Front, ann: Somebody) -> None:
    async with browser(guarded) as client:
        sent = await client.get("/history?sort=oldest")
        assert sent.status_code == 303
        assert sent.headers["location"] == "/signin?next=/history%3Fsort%3Doldest"
        form = await client.get(sent.headers["location"])
        assert 'name="next" value="/history?sort=oldest"' in form.text
        fields = {"login": ann.login, "password": PASSWORD, "next": "/history?sort=oldest"}
        done = await client.post("/signin", data=fields)
        assert (done.status_code, done.headers["location"]) == (303, "/history?sort=oldest")
        assert (await client.get("/history")).status_code == 200
    api = await guarded.client.get(API)
    assert (api.status_code, api.json()["code"]) == (401, "sign_in")
    assert api.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "next",
    [
        "//evil", "/\\evil", "/%5cevil\\", "https:evil", "https://evil", "javascript:alert(1)",
        "/a\r\nSet-Cookie: a=b", "/" + "a" * 8192, "\\\\evil",
    ],
)  # fmt: skip
async def test_attack_7_the_way_back_is_ours(guarded: Front, ann: Somebody, next: str) -> None:
    """Attack 7."""
    async with browser(guarded) as client:
        fields = {"login": ann.login, "password": PASSWORD, "next": next}
        answer = await client.post("/signin", data=fields)
    assert answer.status_code == 303
    place = answer.headers.get_list("location")
    assert len(place) == 1
    assert place[0] in ("/", "/evil")
    assert "a" not in dict(answer.cookies)


async def test_the_cookie_is_as_it_should_be(guarded: Front, ann: Somebody) -> None:
    (cookie,) = (await ann.sign_in()).headers.get_list("set-cookie")
    parts = [part.strip().lower() for part in cookie.split(";")]
    assert {"httponly", "samesite=lax", "path=/"} <= set(parts)
    assert not any(part.startswith("domain") for part in parts)


async def test_under_https_it_is_the_hosts_alone(tmp_path: Path) -> None:
    async with (
        running() as runners,
        front(
            tmp_path, runners, auth="local", public_url="https://dxa.example", host="127.0.0.1"
        ) as opened,
        person(opened, "ann", "viewer") as somebody,
    ):
        (cookie,) = (await somebody.sign_in()).headers.get_list("set-cookie")
        assert cookie.startswith("__Host-osteoserve=")
        assert "secure" in cookie.lower()
        assert "domain" not in cookie.lower()


async def test_attack_15_a_session_set_before_signing_in_is_none(
    guarded: Front, ann: Somebody
) -> None:
    """Attack 15: fixation, and two cookies of the name."""
    async with browser(guarded, cookies={"osteoserve": "a" * 43}) as client:
        assert (await client.get(API)).status_code == 401
        fields = {"login": ann.login, "password": PASSWORD}
        made = (await client.post("/signin", data=fields)).cookies["osteoserve"]
    assert made != "a" * 43
    async with browser(guarded) as client:
        two = {"Cookie": f"osteoserve={made}; osteoserve={'a' * 43}"}
        assert (await client.get(API, headers=two)).status_code == 400
        one = {"Cookie": f"osteoserve={made}"}
        assert (await client.get(API, headers=one)).status_code == 200
        fixed = {"Cookie": f"osteoserve={'a' * 43}"}
        assert (await client.get(API, headers=fixed)).status_code == 401


async def test_a23_a_cookie_kept_from_before_signing_out_is_none(
    guarded: Front, ann: Somebody
) -> None:
    """Case A23."""
    kept = {"Cookie": f"osteoserve={ann.client.cookies['osteoserve']}"}
    out = await ann.client.post("/signout")
    assert (out.status_code, out.headers["location"]) == (303, "/signin")
    async with browser(guarded) as client:
        assert (await client.get(API, headers=kept)).status_code == 401


async def test_a30_disabling_ends_every_session_at_once(guarded: Front, ann: Somebody) -> None:
    """Case A30."""
    assert (await ann.client.get(API)).status_code == 200
    async with transactions(guarded.settings) as on:
        people = People(guarded.settings, on, Passwords(guarded.settings))
        assert await people.disable(operator(), ann.id)
        assert (await ann.client.get(API)).status_code == 401
        assert (await ann.sign_in()).status_code == 401
        assert await people.enable(operator(), ann.id)
    assert (await ann.sign_in()).status_code == 303
    assert (await ann.client.get(API)).status_code == 200


async def test_attack_16_17_a_role_taken_away_is_gone_with_the_next_request(
    guarded: Front, ann: Somebody
) -> None:
    """Case A8 and attacks 16 and 17."""
    async with transactions(guarded.settings) as on:
        people = People(guarded.settings, on, Passwords(guarded.settings))
        await people.set_roles(operator(), ann.id, ["viewer"])
        refused = await ann.client.post(API, content=b"x")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        await people.set_roles(operator(), ann.id, [])
    page = await ann.client.get("/history")
    assert page.status_code == 403
    assert "no role yet" in page.text


@pytest.mark.parametrize("column", ["seen_at", "ends_at"])
async def test_a_session_ends_by_idleness_and_in_any_case(
    guarded: Front, ann: Somebody, column: str
) -> None:
    past = {
        "seen_at": now() - timedelta(minutes=guarded.settings.session_idle_minutes, seconds=1),
        "ends_at": now() - timedelta(seconds=1),
    }
    database = Database(guarded.settings)
    mine = update(SessionRow).where(SessionRow.person_id == ann.id)
    await database.write(lambda on: on.execute(mine.values({column: past[column]})))
    await database.close()
    assert (await ann.client.get(API)).status_code == 401


async def test_a20_a_database_that_is_away_signs_nobody_out(
    guarded: Front, ann: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case A20."""
    for way in ("read", "read_sync"):
        monkeypatch.setattr(f"service.storage.transaction.Transactions.{way}", _away)
    answer = await ann.client.get(API)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert "retry-after" in answer.headers
    assert "set-cookie" not in answer.headers
    page = await ann.client.get("/history")
    assert page.status_code == 503
    # What anybody may see still is there.
    assert (await ann.client.get("/problems")).status_code == 200
    monkeypatch.undo()
    assert (await ann.client.get(API)).status_code == 200


async def test_wrong_passwords_are_slowed_for_that_address_and_name_alone(
    guarded: Front, ann: Somebody
) -> None:
    async with (
        browser(guarded) as client,
        person(guarded, f"{ann.login}b", "viewer") as other,
    ):
        fields = {"login": ann.login, "password": "wrong"}
        answers = [await client.post("/signin", data=fields) for _ in range(attempts.FREE + 1)]
        assert [one.status_code for one in answers] == [401] * attempts.FREE + [429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        # The right one is no exception, or guesses would tell.
        right = {"login": ann.login, "password": PASSWORD}
        assert (await client.post("/signin", data=right)).status_code == 429
        # Others, and those who have signed in, notice nothing.
        assert (await other.sign_in()).status_code == 303
        assert (await ann.client.get(API)).status_code == 200


async def test_a16_many_wrong_passwords_at_once_are_as_many(guarded: Front, ann: Somebody) -> None:
    """Case A16."""
    async with browser(guarded) as client:
        fields = {"login": ann.login, "password": "wrong"}
        answers = await asyncio.gather(*(client.post("/signin", data=fields) for _ in range(30)))
    codes = [one.status_code for one in answers]
    assert codes.count(401) <= attempts.FREE
    assert set(codes) <= {401, 429}


async def test_attack_30_a_name_that_nobody_has_is_answered_alike(
    guarded: Front, ann: Somebody
) -> None:
    """Attack 30."""
    async with browser(guarded) as client:
        known, unknown = [
            await client.post("/signin", data={"login": login, "password": "wrong"})
            for login in (ann.login, "nobody")
        ]
    assert known.status_code == unknown.status_code == 401
    assert known.text.replace(ann.login, "X") == unknown.text.replace("nobody", "X")


async def test_a15_a_name_that_nobody_has_takes_as_long() -> None:
    """Case A15: by the processor's time, since this one may be busy."""
    passwords = Passwords(Settings(password_kib=8192))
    kept = await passwords.hash(PASSWORD)
    assert await passwords.verify(kept, PASSWORD)
    assert not await passwords.verify(None, "nobody's")

    async def cost(whose: str | None) -> float:
        since = time.process_time()
        assert not await passwords.verify(whose, "wrong")
        return time.process_time() - since

    known = median([await cost(kept) for _ in range(9)])
    unknown = median([await cost(None) for _ in range(9)])
    assert unknown == pytest.approx(known, rel=0.5)


@pytest.mark.parametrize("password", ["", "x" * 129, "x" * 10_000])
async def test_a_password_that_nobody_can_have_is_refused(
    guarded: Front, ann: Somebody, password: str
) -> None:
    async with browser(guarded) as client:
        answer = await client.post("/signin", data={"login": ann.login, "password": password})
    assert answer.status_code == 401


async def test_attack_18_a_form_of_another_site_signs_nobody_out(
    guarded: Front, ann: Somebody
) -> None:
    """Attack 18."""
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = await ann.client.post("/signout", headers=headers)
        assert answer.status_code == 403, headers
    assert (await ann.client.get(API)).status_code == 200


async def test_one_changes_ones_password_and_is_signed_in_here_alone(
    guarded: Front, ann: Somebody
) -> None:
    async with browser(guarded) as elsewhere:
        fields = {"login": ann.login, "password": PASSWORD}
        assert (await elsewhere.post("/signin", data=fields)).status_code == 303
        new = "another sentence that is long"
        change = {"old": "wrong", "password": new, "again": new}
        refused = await ann.client.post("/account/password", data=change)
        assert refused.status_code == 401
        differing = {**change, "old": PASSWORD, "again": f"{new}."}
        assert (await ann.client.post("/account/password", data=differing)).status_code == 422
        done = await ann.client.post("/account/password", data={**change, "old": PASSWORD})
        assert done.status_code == 200
        assert (await ann.client.get(API)).status_code == 200
        assert (await elsewhere.get(API)).status_code == 401
        assert (await ann.sign_in()).status_code == 401
        assert (await ann.sign_in(new)).status_code == 303


def _away(*_: object) -> Any:
    raise StorageUnavailableError("The database does not answer.", 2.0)
