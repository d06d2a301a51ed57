"""Keys of programs: what they open, and when they do not."""

from __future__ import annotations

import secrets as random
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from service.clock import now
from service.identity import attempts, secrets
from service.identity.attempts import Attempts
from service.identity.programs import OVERLAP, Programs
from service.storage.database import Database
from service.storage.tables.identity import ApiKeyRow
from tests.service.kit.accounts import bearer, browser, key, operator, person, transactions
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"


async def test_a_key_opens_what_its_role_may(guarded: Front, png: bytes) -> None:
    async with browser(guarded) as client:
        headers = bearer(await key(guarded, "integrator"))
        made = await client.post(API, content=png, headers=headers)
        assert made.status_code == 201
        place = made.headers["location"]
        assert (await client.get(place, headers=headers)).status_code == 200
        # A program signs nothing, and no other integrator sees it.
        signed = await client.post(
            f"{place}/reviews",
            json={"action": "sign"},
            headers=bearer(await key(guarded, "clinician")),
        )
        assert (signed.status_code, signed.json()["code"]) == (403, "forbidden")
        other = bearer(await key(guarded, "integrator"))
        for address in (place, f"{place}/image", f"{place}/report.pdf", f"{place}/reviews"):
            answer = await client.get(address, headers=other)
            assert (answer.status_code, answer.json()["code"]) == (404, "prediction_not_found")
        assert (await client.get(API, headers=other)).json()["items"] == []
        assert len((await client.get(API, headers=headers)).json()["items"]) == 1
        # Its cookie is none, and no session is made of it.
        assert not client.cookies


async def test_only_the_hash_is_kept(guarded: Front) -> None:
    made = await key(guarded, "viewer")
    database = Database(guarded.settings)
    async with database.connect() as connection:
        rows = list(await connection.scalars(select(ApiKeyRow.sha256)))
    await database.close()
    assert secrets.hashed("key", made) in rows
    assert made.encode() not in (guarded.settings.var / "osteoserve.db").read_bytes()


async def test_a_key_that_is_none_opens_nothing(guarded: Front) -> None:
    good = await key(guarded, "viewer")
    wrong = [
        "x", good[:-1], good + "0", good.upper(), secrets.api_key(),
        good[:-9] + "_00000000", f"osk_{random.token_urlsafe(32)}", "a" * 10_000,
    ]  # fmt: skip
    async with browser(guarded) as client:
        for one in wrong:
            answer = await client.get(API, headers=bearer(one))
            assert answer.status_code == 401, one
        # Nor does one in the address.
        assert (await client.get(f"{API}?key={good}")).status_code == 401
        assert (await client.get(API, headers={"Authorization": good})).status_code == 401
        twice = [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")]
        assert (await client.get(API, headers=twice)).status_code == 401


async def test_attack_22_guessing_is_slowed_and_a_good_key_is_not(guarded: Front) -> None:
    """Attack 22 and A18."""
    async with browser(guarded) as client:
        answers = [
            await client.get(API, headers=bearer(secrets.api_key()))
            for _ in range(attempts.FREE + 2)
        ]
        assert answers[-1].status_code == 429
        assert "retry-after" in answers[-1].headers
        assert (await client.get(API, headers=bearer(await key(guarded, "viewer")))).is_success


async def test_attack_21_a_key_beside_a_session_is_nobody(guarded: Front) -> None:
    """Attack 21."""
    headers = bearer(await key(guarded, "viewer"))
    async with person(guarded, "beside", "viewer") as somebody:
        answer = await somebody.client.get(API, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_what_a_proxy_has_in_authorization_is_not_ours(guarded: Front) -> None:
    async with person(guarded, "basic", "viewer") as somebody:
        headers = {"Authorization": "Basic eDp5"}
        assert (await somebody.client.get(API, headers=headers)).status_code == 200


async def test_a_key_ends_when_it_is_revoked_or_too_old(guarded: Front) -> None:
    made = await key(guarded, "viewer")
    database = Database(guarded.settings)
    mine = ApiKeyRow.sha256 == secrets.hashed("key", made)
    async with browser(guarded) as client:
        assert (await client.get(API, headers=bearer(made))).status_code == 200
        late = update(ApiKeyRow).where(mine).values(ends_at=now())
        await database.write(lambda on: on.execute(late))
        assert (await client.get(API, headers=bearer(made))).status_code in (401, 429)
        good = update(ApiKeyRow).where(mine).values(ends_at=now() + timedelta(days=1))
        await database.write(lambda on: on.execute(good))
        assert (await client.get(API, headers=bearer(made))).status_code == 200
        async with database.connect() as connection:
            id = await connection.scalar(select(ApiKeyRow.id).where(mine))
            used = await connection.scalar(select(ApiKeyRow.used_on).where(mine))
        assert used == now().date()
        assert id is not None
        async with transactions(guarded.settings) as on:
            assert await Programs(on, Attempts(on)).revoke(operator(), id)
            assert not await Programs(on, Attempts(on)).revoke(operator("elsewhere"), id)
            assert not await Programs(on, Attempts(on)).revoke(operator(), uuid4())
        assert (await client.get(API, headers=bearer(made))).status_code in (401, 429)
    await database.close()


async def test_a_renewed_key_is_the_same_program(guarded: Front, png: bytes) -> None:
    old = await key(guarded, "integrator")
    database = Database(guarded.settings)
    mine = ApiKeyRow.sha256 == secrets.hashed("key", old)
    async with database.connect() as connection:
        id = await connection.scalar(select(ApiKeyRow.id).where(mine))
    assert id is not None
    async with transactions(guarded.settings) as on:
        new = await Programs(on, Attempts(on)).renew(operator(), id)
    assert new is not None
    async with browser(guarded) as client:
        place = (await client.post(API, content=png, headers=bearer(old))).headers["location"]
        # Both are good for a while, and what the one has sent the other reads.
        assert (await client.get(place, headers=bearer(new))).status_code == 200
    async with database.connect() as connection:
        ends_at = await connection.scalar(select(ApiKeyRow.ends_at).where(mine))
    await database.close()
    assert ends_at is not None
    assert ends_at <= now() + OVERLAP


async def test_attack_4_the_same_name_of_a_request_is_another_for_another(
    guarded: Front, png: bytes
) -> None:
    """Attack 4."""
    keys = [await key(guarded, "integrator") for _ in range(2)]
    async with browser(guarded) as client:
        made = [
            await client.post(
                API, content=png, headers={**bearer(one), "Idempotency-Key": "the same"}
            )
            for one in (*keys, keys[0])
        ]
    assert {one.status_code for one in made} == {201}
    first, other, again = (one.json()["id"] for one in made)
    assert first == again != other


async def test_attack_45_metrics_are_for_who_comes_by_no_proxy(guarded: Front) -> None:
    """Attack 45."""
    by_proxy = {"X-Forwarded-For": "198.51.100.7"}
    async with browser(guarded) as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/metrics", headers=by_proxy)).status_code == 401
        for role, status in (("viewer", 403), ("administrator", 200), ("auditor", 200)):
            headers = {**by_proxy, **bearer(await key(guarded, role))}
            assert (await client.get("/metrics", headers=headers)).status_code == status
