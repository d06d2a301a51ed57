"""Attempts to sign in, by password or key: what they cost, how they are counted, who waits."""

from __future__ import annotations

import asyncio
import json
import resource
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from service.identity import attempts, secrets
from service.identity.attempts import Attempts
from service.identity.schemas import TooOftenError
from service.storage.database import Database
from service.storage.transaction import Transactions
from tests.service.identity.trails import entries
from tests.service.kit.accounts import bearer, browser, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio


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
