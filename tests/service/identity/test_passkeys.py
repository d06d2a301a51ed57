"""Passkeys: made, used in place of password and code, as a second factor, to sign; and lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html
from sqlalchemy import insert, select, update

from service.clock import now
from service.identity import codes
from service.storage.tables.identity import (
    MembershipRow,
    PasskeyChallengeRow,
    PasskeyRow,
    RecoveryCodeRow,
    SessionRow,
)
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
from tests.service.kit.authenticators import ED25519, RS256, SYNCABLE, USUAL, Authenticator, Key
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"


async def test_a_passkey_signs_in_alone(guarded: Front) -> None:
    async with somebody(guarded, "pk-alone") as ann, stranger(guarded) as client:
        device = Authenticator(at(guarded))
        made = await make(ann, device, "key <b>")
        shown = html.fromstring(made.text).xpath("//code[@class='secret']")
        assert len(shown) == codes.RECOVERY
        page = html.fromstring((await ann.client.get(OWN)).text)
        assert page.xpath("//table//th[@scope='row']/text()") == ["key <b>"]
        assert page.xpath("//table//td[@data-label='Last used']/text()") == ["never"]
        done = await sign_in(client, device)
        assert (done.status_code, done.headers["location"]) == (303, "/history")
        assert (await client.get("/history")).status_code == 200
        page = html.fromstring((await client.get(OWN)).text)
        assert page.xpath("//table//td[@data-label='Last used']/text()") != ["never"]
        kinds = await told(guarded, ann)
        assert ("signed_in", '{"how":"passkey"}') in kinds
        assert any(kind == "passkey_added" for kind, _ in kinds)
        (row,) = await rows(
            guarded, select(PasskeyRow.counter).where(PasskeyRow.person_id == ann.id)
        )
        assert row.counter == device.counter
        assert await rows(guarded, select(PasskeyChallengeRow.hash)) == []


@pytest.mark.parametrize("algorithm", [ED25519, RS256])
async def test_algorithms_that_are_taken(guarded: Front, algorithm: int) -> None:
    async with somebody(guarded, f"pk-alg{-algorithm}") as ann, stranger(guarded) as client:
        device = Authenticator(at(guarded), key=Key(algorithm))
        assert (await make(ann, device)).status_code == 200
        assert (await sign_in(client, device)).status_code == 303


async def test_what_is_asked_needs_a_finger_a_face_or_a_pin(guarded: Front) -> None:
    async with somebody(guarded, "pk-asked") as ann:
        options = await asked(ann.client, f"{OWN}/options")
        assert options["rp"] == {"id": "localhost", "name": "osteoserve"}
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert [one["alg"] for one in options["pubKeyCredParams"]] == [-8, -7, -257]
        assert options["attestation"] == "none"
        await owned(guarded, ann)
        again = await asked(ann.client, f"{OWN}/options")
        assert len(again["excludeCredentials"]) == 1
        assert again["challenge"] != options["challenge"]
        use = await asked(ann.client, "/account/passkey")
        assert use["userVerification"] == "required"
        async with stranger(guarded) as client:
            # Whose passkeys there are nobody is told who is not known.
            assert (await asked(client, "/signin/passkey"))["allowCredentials"] == []


async def test_a_password_alone_signs_in_no_more(guarded: Front) -> None:
    async with somebody(guarded, "pk-second") as ann, stranger(guarded) as client:
        device = await owned(guarded, ann)
        typed = {"login": ann.login, "password": PASSWORD, "next": "/history"}
        half = await client.post("/signin", data=typed)
        assert half.headers["location"] == "/signin/second"
        page = (await client.get("/signin/second")).text
        # Nothing that codes are made of is shown to whoever knows a password.
        assert 'class="secret"' not in page
        assert 'data-passkey="/signin/second/passkey"' in page
        options = await asked(client, "/signin/second/passkey")
        assert len(options["allowCredentials"]) == 1
        done = await client.post("/signin/second", data={"passkey": device.use(options)})
        assert (done.status_code, done.headers["location"]) == (303, "/history")
        assert ("signed_in", '{"how":"passkey"}') in await told(guarded, ann)
        assert (await client.post("/signin/second/passkey")).status_code == 422


async def test_an_app_that_was_begun_is_not_offered_to_whoever_knows_the_password(
    guarded: Front,
) -> None:
    async with somebody(guarded, "pk-begun") as ann, stranger(guarded) as client:
        begun = await ann.client.post("/account/second", data={"password": PASSWORD})
        assert begun.status_code == 303
        await owned(guarded, ann)
        await client.post("/signin", data={"login": ann.login, "password": PASSWORD})
        assert 'class="secret"' not in (await client.get("/signin/second")).text


async def test_a_recovery_code_stands_in_for_a_lost_passkey(guarded: Front) -> None:
    async with somebody(guarded, "pk-lost") as ann, stranger(guarded) as client:
        made = await make(ann, Authenticator(at(guarded)))
        (code, *_rest) = html.fromstring(made.text).xpath("//code[@class='secret']/text()")
        await client.post("/signin", data={"login": ann.login, "password": PASSWORD})
        done = await client.post("/signin/second", data={"code": str(code)})
        assert done.status_code == 303
        assert (await client.get("/account")).status_code == 200


async def test_changing_passkeys_asks_for_a_fresh_proof(guarded: Front) -> None:
    async with somebody(guarded, "pk-stale") as ann:
        device = await owned(guarded, ann)
        (key,) = await rows(guarded, select(PasskeyRow.id).where(PasskeyRow.person_id == ann.id))
        old = now() - timedelta(minutes=6)
        await change(
            guarded,
            update(SessionRow).where(SessionRow.person_id == ann.id).values(signed_in_at=old),
        )
        assert (await ann.client.post(f"{OWN}/options")).status_code == 403
        assert (await ann.client.post(f"{OWN}/{key.id}/remove")).status_code == 403
        assert "data-makes" not in (await ann.client.get(OWN)).text
        wrong = await ann.client.post(f"{OWN}/again", data={"password": "no"})
        assert wrong.status_code == 422
        answer = device.use(await asked(ann.client, "/account/passkey"))
        assert (await ann.client.post(f"{OWN}/again", data={"passkey": answer})).status_code == 303
        assert ("signed_in_again", '{"how":"passkey"}') in await told(guarded, ann)
        assert (await ann.client.post(f"{OWN}/{key.id}/remove")).status_code == 303
        assert any(kind == "passkey_removed" for kind, _ in await told(guarded, ann))
        left = select(RecoveryCodeRow.hash).where(RecoveryCodeRow.person_id == ann.id)
        assert await rows(guarded, left) == []


async def test_within_minutes_of_a_passkey_another_password_asks_for_no_code(
    guarded: Front,
) -> None:
    async with somebody(guarded, "pk-changes") as ann:
        device = await owned(guarded, ann)
        new = f"{PASSWORD} again"
        typed = {"old": PASSWORD, "password": new, "again": new}
        session = update(SessionRow).where(SessionRow.person_id == ann.id)
        # Long ago, or by password alone: then a code is due.
        for old in (
            {"signed_in_at": now() - timedelta(minutes=6)},
            {"signed_in_at": now(), "by_passkey": False},
        ):
            await change(guarded, session.values(**old))
            assert 'name="code"' in (await ann.client.get("/account")).text
            refused = await ann.client.post("/account/password", data=typed)
            assert refused.status_code == 401
        answer = device.use(await asked(ann.client, "/account/passkey"))
        await ann.client.post(f"{OWN}/again", data={"passkey": answer})
        assert 'name="code"' not in (await ann.client.get("/account")).text
        wrong = await ann.client.post("/account/password", data={**typed, "old": "no"})
        assert wrong.status_code == 401
        assert (await ann.client.post("/account/password", data=typed)).status_code == 200


async def test_adding_one_ends_sign_ins_elsewhere(guarded: Front) -> None:
    async with somebody(guarded, "pk-ends") as ann, stranger(guarded) as elsewhere:
        typed = {"login": ann.login, "password": PASSWORD}
        assert (await elsewhere.post("/signin", data=typed)).status_code == 303
        assert (await elsewhere.get("/account")).status_code == 200
        await owned(guarded, ann)
        assert (await elsewhere.get("/account")).status_code == 303
        assert (await ann.client.get("/account")).status_code == 200


async def test_a_result_is_signed_by_passkey(guarded: Front, png: bytes) -> None:
    async with somebody(guarded, "pk-signs") as ann:
        device = await owned(guarded, ann)
        result = (await ann.client.post(API, content=png)).json()["id"]
        old = now() - timedelta(minutes=6)
        await change(
            guarded,
            update(SessionRow).where(SessionRow.person_id == ann.id).values(signed_in_at=old),
        )
        page = (await ann.client.get(f"/results/{result}")).text
        assert 'data-passkey="/account/passkey"' in page
        address = f"/results/{result}/reviews"
        bare = await ann.client.post(address, data={"action": "sign", "version": "0"})
        assert bare.status_code == 403
        foreign = Authenticator(at(guarded), person=device.person)
        answer = foreign.use(await asked(ann.client, "/account/passkey"))
        typed = {"action": "sign", "version": "0"}
        wrong = await ann.client.post(address, data={**typed, "passkey": answer})
        assert wrong.status_code == 401
        assert 'role="alert"' in wrong.text or "error-text" in wrong.text
        answer = device.use(await asked(ann.client, "/account/passkey"))
        done = await ann.client.post(address, data={**typed, "passkey": answer})
        assert done.status_code == 303, done.text
        (review,) = (await ann.client.get(f"{API}/{result}/reviews")).json()
        assert review["method"] == "passkey"


async def test_a_synced_passkey_does_not_count(guarded: Front) -> None:
    async with somebody(guarded, "pk-synced") as ann, stranger(guarded) as client:
        device = Authenticator(at(guarded), flags=USUAL | SYNCABLE, counter=0)
        await make(ann, device)
        assert (await sign_in(client, device)).status_code == 303
        assert (await sign_in(client, device)).status_code == 303
        device.counter = 7
        assert (await sign_in(client, device)).status_code == 303
        device.counter = 3
        assert (await sign_in(client, device)).status_code == 303


async def test_whoever_manages_accounts_removes_them(guarded: Front) -> None:
    async with (
        somebody(guarded, "pk-boss", "administrator") as boss,
        somebody(guarded, "pk-reset") as ann,
        stranger(guarded) as client,
    ):
        device = await owned(guarded, ann)
        assert "Remove the second factor" in (await boss.client.get(f"/people/{ann.id}")).text
        reset = await boss.client.post(f"/people/{ann.id}/second/reset")
        assert reset.status_code in (200, 303)
        assert (await ann.client.get("/account")).status_code == 303
        assert (await sign_in(client, device)).status_code == 401
        typed = {"login": ann.login, "password": PASSWORD}
        done = await client.post("/signin", data=typed)
        assert done.headers["location"] != "/signin/second"


async def test_the_last_factor_stays_where_a_role_needs_one(tmp_path: Path) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local", second_factor="clinician") as opened,
        somebody(opened, "pk-needed", "viewer") as ann,
    ):
        await owned(opened, ann)
        (key,) = await rows(opened, select(PasskeyRow.id))
        assert f"{OWN}/{key.id}/remove" in (await ann.client.get(OWN)).text
        role = {"person_id": ann.id, "site": "default", "role": "clinician", "source": "hand"}
        await change(opened, insert(MembershipRow).values(**role))
        assert f"{OWN}/{key.id}/remove" not in (await ann.client.get(OWN)).text
        assert (await ann.client.post(f"{OWN}/{key.id}/remove")).status_code == 403
        assert await rows(opened, select(PasskeyRow.id)) == [(key.id,)]


async def test_an_address_of_numbers_has_none_and_says_so(guarded: Front) -> None:
    async with somebody(guarded, "pk-numbers") as ann:
        ann.client.headers["Host"] = f"127.0.0.1:{guarded.client.base_url.port}"
        page = (await ann.client.get(OWN)).text
        assert "data-makes" not in page
        assert "for localhost alone" in page
        assert (await ann.client.post(f"{OWN}/options")).status_code == 422
        del ann.client.headers["Host"]
        assert 'data-passkey="/signin/passkey"' not in (await ann.client.get("/signin")).text
