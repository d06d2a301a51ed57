"""Attack 32 on passkeys: replayed, foreign, of another page, by another key, copied."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from service.clock import now
from service.identity.passkeys import WAITING
from service.storage.tables.identity import AttemptRow, PasskeyChallengeRow, PasskeyRow, PersonRow
from tests.service.identity.passkeys import (
    OWN,
    asked,
    at,
    change,
    make,
    owned,
    rows,
    sign_in,
    somebody,
    stranger,
    told,
)
from tests.service.kit.accounts import PASSWORD
from tests.service.kit.authenticators import PRESENT, USUAL, VERIFIED, Authenticator, Key, text
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio

FAILED = ("sign_in_failed", '{"reason":"passkey"}')
COPIED = ("sign_in_failed", '{"reason":"passkey_counter"}')

Lie = Callable[[Authenticator], None]


@pytest.fixture(autouse=True)
async def forgotten(guarded: Front) -> None:
    """Each begins without failures of the ones before."""
    await change(guarded, delete(AttemptRow))


def told_otherwise(**told: Any) -> Lie:
    return lambda device: device.told.update(told)


def with_(**changed: Any) -> Lie:
    def lie(device: Authenticator) -> None:
        for name, value in changed.items():
            setattr(device, name, value)

    return lie


LIES: dict[str, Lie] = {
    "another origin": with_(origin="http://localhost.evil.example"),
    "another port": with_(origin="http://localhost:1"),
    "a child's origin": with_(origin="http://evil.localhost"),
    "another rp id": with_(rp_id="evil.example"),
    "a parent's rp id": with_(rp_id="host"),
    "nobody verified": with_(flags=PRESENT),
    "nobody present": with_(flags=VERIFIED),
    "another kind": told_otherwise(type="webauthn.create"),
    "in a frame": told_otherwise(crossOrigin=True),
    "no challenge": told_otherwise(challenge=None),
    "an empty challenge": told_otherwise(challenge=""),
    "another challenge": told_otherwise(challenge=text(b"c" * 32)),
    "another key": with_(key=Key()),
    "another credential": with_(credential=b"c" * 32),
    "a credential without an id": with_(credential=b""),
    "another person": with_(person=b"p" * 16),
    "nobody": with_(person=b""),
    "copied to other devices meanwhile": with_(flags=USUAL | 0x08),
    "copied, and says it cannot be": with_(flags=USUAL | 0x10),
}


UNREADABLE = {
    "in a frame", "no challenge", "another credential", "a credential without an id",
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
async def test_an_answer_that_lies_signs_nobody_in(guarded: Front, name: str) -> None:
    async with somebody(guarded, f"pa-{abs(hash(name))}") as ann, stranger(guarded) as client:
        device = await owned(guarded, ann)
        LIES[name](device)
        refused = await sign_in(client, device)
        assert refused.status_code == 401
        assert 'role="alert"' in refused.text
        assert client.cookies.get("osteoserve") is None
        # Whose it is stands in the trail where it says so in a way that can be read.
        if name not in UNREADABLE:
            assert FAILED in await told(guarded, ann)


@pytest.mark.parametrize("name", [
    "another origin", "another port", "another rp id", "nobody verified", "in a frame",
    "another challenge", "copied, and says it cannot be",
])  # fmt: skip
async def test_a_passkey_is_not_made_of_a_lie(guarded: Front, name: str) -> None:
    async with somebody(guarded, f"pm-{abs(hash(name))}") as ann:
        device = Authenticator(at(guarded))
        LIES[name](device)
        assert (await make(ann, device)).status_code == 401
        kept = select(PasskeyRow.id).where(PasskeyRow.person_id == ann.id)
        assert await rows(guarded, kept) == []
        # They are signed in as before.
        assert (await ann.client.get("/account")).status_code == 200


async def test_an_answer_is_good_once(guarded: Front) -> None:
    async with somebody(guarded, "pa-replay") as ann, stranger(guarded) as client:
        device = await owned(guarded, ann)
        answer = device.use(await asked(client, "/signin/passkey"))
        bound = client.cookies["osteoserve-passkey"]
        assert (await client.post("/signin", data={"passkey": answer})).status_code == 303
        async with stranger(guarded) as thief:
            thief.cookies.set("osteoserve-passkey", bound)
            assert (await thief.post("/signin", data={"passkey": answer})).status_code == 401
        # Nor after one that was refused: the challenge is used up by it.
        options = await asked(client, "/signin/passkey")
        wrong = device.use(options, signature=b"s" * 70)
        assert (await client.post("/signin", data={"passkey": wrong})).status_code == 401
        right = device.use(options)
        assert (await client.post("/signin", data={"passkey": right})).status_code == 401


async def test_an_answer_is_for_the_browser_and_the_purpose_that_asked(guarded: Front) -> None:
    async with (
        somebody(guarded, "pa-bound") as ann,
        somebody(guarded, "pa-other") as bob,
        stranger(guarded) as client,
        stranger(guarded) as victim,
    ):
        device, his = await owned(guarded, ann), await owned(guarded, bob)
        # A stranger's answer in a victim's browser would sign the victim in as the stranger.
        answer = his.use(await asked(client, "/signin/passkey"))
        await asked(victim, "/signin/passkey")
        assert (await victim.post("/signin", data={"passkey": answer})).status_code == 401
        # What a signature asked for signs nobody in, and the reverse.
        answer = device.use(await asked(ann.client, "/account/passkey"))
        await asked(client, "/signin/passkey")
        assert (await client.post("/signin", data={"passkey": answer})).status_code == 401
        answer = device.use(await asked(client, "/signin/passkey"))
        again = await ann.client.post(f"{OWN}/again", data={"passkey": answer})
        assert again.status_code == 401
        # Another person's passkey proves nothing, at step-up or as a second factor.
        answer = his.use(await asked(ann.client, "/account/passkey"))
        again = await ann.client.post(f"{OWN}/again", data={"passkey": answer})
        assert again.status_code == 401
        await client.post("/signin", data={"login": ann.login, "password": PASSWORD})
        answer = his.use(await asked(client, "/signin/second/passkey"))
        done = await client.post("/signin/second", data={"passkey": answer})
        assert done.status_code == 401


async def test_a_challenge_is_good_for_five_minutes(guarded: Front) -> None:
    async with somebody(guarded, "pa-old") as ann, stranger(guarded) as client:
        device = await owned(guarded, ann)
        answer = device.use(await asked(client, "/signin/passkey"))
        old = now() - timedelta(seconds=1)
        await change(guarded, update(PasskeyChallengeRow).values(ends_at=old))
        assert (await client.post("/signin", data={"passkey": answer})).status_code == 401


async def test_a_counter_that_does_not_rise_tells_a_copy(guarded: Front) -> None:
    async with somebody(guarded, "pa-copy") as ann, stranger(guarded) as client:
        device = await owned(guarded, ann)
        assert (await sign_in(client, device)).status_code == 303
        assert (await sign_in(client, device)).status_code == 303
        for counter in (1, 2, 0):
            # One more is counted as it is used, but by one that does not count.
            device.counter = counter - 1 if counter else 0
            async with stranger(guarded) as thief:
                assert (await sign_in(thief, device)).status_code == 401
        assert (await told(guarded, ann)).count(COPIED) == 3
        # A counter that nobody has signed changes nothing.
        device.counter = 2
        about = Authenticator(at(guarded), counter=2**31)._data()
        assert (await sign_in(client, device, authenticatorData=about)).status_code == 401
        assert (await sign_in(client, device)).status_code == 303


CONFUSED: dict[str, dict[int, Any]] = {
    "none": {3: 0},
    "HMAC": {3: 5},
    "SHA-1": {3: -65535},
    "RSA's name for a curve": {3: -257},
    "Ed25519's name for a curve": {3: -8},
    "a symmetric key": {1: 4, 3: -7, -1: b"k" * 32},
    "another curve": {-1: 2},
    "a point off the curve": {-2: b"\x01" * 32, -3: b"\x02" * 32},
    "no point": {-2: b"", -3: b""},
}


@pytest.mark.parametrize("name", CONFUSED)
async def test_a_key_of_another_algorithm_is_not_taken(guarded: Front, name: str) -> None:
    async with somebody(guarded, f"pc-{abs(hash(name))}") as ann:
        device = Authenticator(at(guarded))
        device.cose = {**device.key.cose, **CONFUSED[name]}
        assert (await make(ann, device)).status_code == 401
        kept = select(PasskeyRow.id).where(PasskeyRow.person_id == ann.id)
        assert await rows(guarded, kept) == []


async def test_an_attestation_that_nobody_asked_for_is_not_read(guarded: Front) -> None:
    async with somebody(guarded, "pa-att") as ann:
        for attestation in (
            {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"s" * 70}},
            {"fmt": "none", "attStmt": {"sig": b"s"}},
            {"fmt": "android-safetynet", "attStmt": {"ver": "1", "response": b"a.b.c"}},
            {"fmt": 7, "attStmt": 7},
        ):
            device = Authenticator(at(guarded), attestation=attestation)
            assert (await make(ann, device)).status_code == 401


async def test_a_passkey_of_somebody_else_is_not_taken_over(guarded: Front) -> None:
    async with somebody(guarded, "pa-own") as ann, somebody(guarded, "pa-thief") as bob:
        device = await owned(guarded, ann)
        mine = Authenticator(at(guarded), credential=device.credential)
        assert (await make(bob, mine)).status_code == 401
        kept = select(PasskeyRow.person_id).where(PasskeyRow.credential == device.credential)
        assert await rows(guarded, kept) == [(ann.id,)]
        # Nor is it removed by another.
        (key,) = await rows(guarded, select(PasskeyRow.id).where(PasskeyRow.person_id == ann.id))
        assert (await bob.client.post(f"{OWN}/{key.id}/remove")).status_code == 404


@pytest.mark.parametrize("answer", [
    "x", "{}", "[]", "null", "7", '"x"', "{" * 5000, '{"id":"eA","rawId":"eA","type":"public-key"}',
    json.dumps({"id": "eA", "rawId": "eA", "type": "public-key", "response": {
        "clientDataJSON": "e30", "authenticatorData": "", "signature": ""}}),
    json.dumps({"id": "eA", "rawId": "eQ", "type": "public-key", "response": {
        "clientDataJSON": text(b"[" * 9000), "authenticatorData": "AA", "signature": "AA"}}),
    json.dumps({"id": "ä", "rawId": "ä", "type": "x", "response": 7}),
])  # fmt: skip
async def test_what_is_no_answer_is_refused_like_a_wrong_one(guarded: Front, answer: str) -> None:
    async with stranger(guarded) as client:
        await asked(client, "/signin/passkey")
        assert (await client.post("/signin", data={"passkey": answer})).status_code in (401, 413)


async def test_failures_wait_as_those_of_passwords_do(guarded: Front) -> None:
    async with somebody(guarded, "pa-often") as ann, stranger(guarded) as client:
        device = await owned(guarded, ann)
        device.key = Key()
        answers = [(await sign_in(client, device)).status_code for _ in range(7)]
        assert answers[:5] == [401] * 5
        assert answers[-1] == 429
        # It is the account that waits at this address: by its password too.
        typed = {"login": ann.login, "password": PASSWORD}
        assert (await client.post("/signin", data=typed)).status_code == 429
        await change(guarded, delete(AttemptRow))


async def test_a_disabled_account_s_passkey_opens_nothing(guarded: Front) -> None:
    async with somebody(guarded, "pa-gone") as ann, stranger(guarded) as client:
        device = await owned(guarded, ann)
        gone = update(PersonRow).where(PersonRow.id == ann.id).values(disabled_at=now())
        await change(guarded, gone)
        assert (await sign_in(client, device)).status_code == 401
        reasons = await told(guarded, ann)
        assert ("sign_in_failed", '{"reason":"disabled"}') in reasons


async def test_strangers_do_not_fill_the_table(guarded: Front) -> None:
    many = [
        {
            "hash": f"{number:064x}",
            "purpose": "sign_in",
            "bound": "b" * 64,
            "address": "127.0.0.1",
            "ends_at": now() + timedelta(minutes=5),
        }
        for number in range(WAITING)
    ]
    await change(guarded, insert(PasskeyChallengeRow).values(many))
    async with stranger(guarded) as client:
        full = await client.post("/signin/passkey")
        assert full.status_code == 429
        assert int(full.headers["retry-after"]) > 0
        old = update(PasskeyChallengeRow).values(ends_at=now() - timedelta(seconds=1))
        await change(guarded, old)
        await asked(client, "/signin/passkey")
    assert await rows(guarded, select(func.count(PasskeyChallengeRow.hash))) == [(1,)]
