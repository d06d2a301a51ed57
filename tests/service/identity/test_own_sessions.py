"""One's own sign-ins: listed with how and whence, and ended one by one or all but this one."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from lxml import html
from sqlalchemy import select, update

from service.clock import now
from service.storage.tables.identity import SessionRow
from tests.service.identity.passkeys import (
    asked,
    at,
    change,
    make,
    rows,
    sign_in,
    somebody,
    stranger,
    told,
)
from tests.service.kit.accounts import PASSWORD, Somebody
from tests.service.kit.authenticators import Authenticator
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio

OWN = "/account/sessions"


async def enter(client: httpx.AsyncClient, one: Somebody) -> None:
    typed = {"login": one.login, "password": PASSWORD}
    assert (await client.post("/signin", data=typed)).status_code == 303


def listed(page: str) -> list[list[str]]:
    """Return the cells of those that go on: since, used, by, site, until, what may be done."""
    (table, *_) = html.fromstring(page).xpath("//table")
    return [
        [" ".join(cell.text_content().split()) for cell in row.xpath("th|td")]
        for row in table.xpath(".//tbody/tr")
    ]


async def test_all_are_listed_with_how_and_where_one_is(guarded: Front) -> None:
    async with somebody(guarded, "own-list") as ann, stranger(guarded) as phone:
        device = Authenticator(at(guarded))
        await make(ann, device)
        assert (await sign_in(phone, device)).status_code == 303
        wrong = {"login": ann.login, "password": "no"}
        async with stranger(guarded) as thief:
            assert (await thief.post("/signin", data=wrong)).status_code == 401
        page = (await ann.client.get(OWN)).text
        found = listed(page)
        assert sorted((row[2], row[3], row[5]) for row in found) == [
            ("passkey", "default", "End it"),
            ("passkey", "default", "Here"),
        ]
        lately = html.fromstring(page).xpath("//section[@aria-labelledby='lately']//tbody/tr")
        first = [" ".join(cell.text_content().split()) for cell in lately[0].xpath("th|td")]
        assert first[1:] == ["Failed", "password", "127.0.0.1"]
        assert len(lately) == 4
        assert (await ann.client.get(OWN)).headers["cache-control"] == "no-store"
        # No hash of a cookie stands in it.
        (hash, *_) = await rows(guarded, select(SessionRow.hash))
        assert hash[0] not in page


async def test_one_is_ended_and_then_all_others(guarded: Front) -> None:
    async with (
        somebody(guarded, "own-end") as ann,
        stranger(guarded) as first,
        stranger(guarded) as second,
    ):
        await enter(first, ann)
        await enter(second, ann)
        hashes = select(SessionRow.hash).where(SessionRow.person_id == ann.id)
        tree = html.fromstring((await ann.client.get(OWN)).text)
        forms = tree.xpath("//table//form/@action")
        assert len(forms) == 2
        assert (await ann.client.post(forms[0])).status_code == 303
        assert (await ann.client.post(forms[0])).status_code == 404
        left = [(await one.get("/account")).status_code for one in (first, second)]
        assert sorted(left) == [200, 303]
        assert (await ann.client.post(f"{OWN}/end")).status_code == 303
        assert len(await rows(guarded, hashes)) == 1
        assert (await ann.client.get("/account")).status_code == 200
        for one in (first, second):
            assert (await one.get("/account")).status_code == 303
        ends = [it for it in await told(guarded, ann) if it[0] == "signed_out"]
        assert ends == [("signed_out", '{"by":"elsewhere"}')] * 2


async def test_ending_asks_for_a_fresh_proof(guarded: Front) -> None:
    async with somebody(guarded, "own-stale") as ann, stranger(guarded) as other:
        await enter(other, ann)
        (theirs,) = html.fromstring((await ann.client.get(OWN)).text).xpath("//table//form/@action")
        old = now() - timedelta(minutes=6)
        await change(
            guarded,
            update(SessionRow).where(SessionRow.person_id == ann.id).values(signed_in_at=old),
        )
        assert (await ann.client.post(theirs)).status_code == 403
        assert (await ann.client.post(f"{OWN}/end")).status_code == 403
        assert (await other.get("/account")).status_code == 200
        assert "End it" not in html.fromstring((await ann.client.get(OWN)).text).xpath(
            "string(//table//tbody)"
        )
        assert (await ann.client.post(f"{OWN}/again", data={"password": "no"})).status_code == 422
        again = await ann.client.post(f"{OWN}/again", data={"password": PASSWORD})
        assert again.status_code == 303
        assert (await ann.client.post(f"{OWN}/end")).status_code == 303
        assert (await other.get("/account")).status_code == 303


async def test_a_passkey_proves_it_too(guarded: Front) -> None:
    async with somebody(guarded, "own-key") as ann:
        device = Authenticator(at(guarded))
        await make(ann, device)
        answer = device.use(await asked(ann.client, "/account/passkey"))
        assert (await ann.client.post(f"{OWN}/again", data={"passkey": answer})).status_code == 303


async def test_nobody_ends_or_sees_those_of_others(guarded: Front) -> None:
    async with somebody(guarded, "own-ann") as ann, somebody(guarded, "own-bob") as bob:
        (row,) = await rows(guarded, select(SessionRow.hash).where(SessionRow.person_id == ann.id))
        assert (await bob.client.post(f"{OWN}/{row.hash[:16]}/end")).status_code == 404
        assert (await bob.client.post(f"{OWN}/{row.hash}/end")).status_code == 404
        assert (await bob.client.post(f"{OWN}/end")).status_code == 303
        assert (await ann.client.get("/account")).status_code == 200
        assert len(listed((await bob.client.get(OWN)).text)) == 1


async def test_one_that_lay_idle_is_not_listed(guarded: Front) -> None:
    async with somebody(guarded, "own-idle") as ann, stranger(guarded) as other:
        await enter(other, ann)
        assert len(listed((await ann.client.get(OWN)).text)) == 2
        (row, *_) = await rows(
            guarded,
            select(SessionRow.hash)
            .where(SessionRow.person_id == ann.id)
            .order_by(SessionRow.created_at.desc()),
        )
        long_ago = now() - timedelta(minutes=16)
        await change(
            guarded, update(SessionRow).where(SessionRow.hash == row.hash).values(seen_at=long_ago)
        )
        assert len(listed((await ann.client.get(OWN)).text)) == 1
