"""The same on either database, and one that is away meanwhile."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from service.settings import Settings
from service.storage.errors import StorageUnavailableError
from tests.service.identity.oidc.conftest import Opened
from tests.service.identity.oidc.trail import count, rows
from tests.service.kit.accounts import browser
from tests.service.kit.fronts import API, Front
from tests.service.kit.idp import Idp, at_provider, through, to_provider

pytestmark = pytest.mark.anyio


async def test_in_again_and_out(opened: Opened, own: Idp, settings: Settings) -> None:
    own.claims["groups"] = ["dxa-clinicians", "north"]
    url = settings.database_url
    async with opened(database_url=None if url is None else url.get_secret_value()) as front:
        async with browser(front) as client, browser(front) as other:
            assert (await through(client)).status_code == 303
            assert (await through(client, "/", "/auth/oidc/again")).status_code == 303
            own.claims["groups"] = ["dxa-viewers"]
            assert (await through(other)).status_code == 303
            found = await rows(front, "SELECT site, role, source FROM membership")
            assert [tuple(row) for row in found] == [("default", "viewer", "idp")]
            token = own.token(own.logout_claims())
            for status in (200, 400):
                answer = await front.client.post("/auth/oidc/logout", data={"logout_token": token})
                assert answer.status_code == status
            assert (await client.get(API)).status_code == 401
            assert (await other.get(API)).status_code == 401
        kinds = {row.kind for row in await rows(front, "SELECT kind FROM audit_event")}
        assert {"signed_in", "signed_in_again", "roles_changed", "signed_out"} <= kinds


async def test_one_person_in_several_browsers_at_once_is_one(
    opened: Opened, own: Idp, settings: Settings
) -> None:
    """Whoever is new is one person with one identity."""
    url = settings.database_url
    async with opened(database_url=None if url is None else url.get_secret_value()) as front:
        clients = [browser(front) for _ in range(5)]
        try:
            answers = await asyncio.gather(*(through(client) for client in clients))
        finally:
            await asyncio.gather(*(client.aclose() for client in clients))
        assert {one.status_code for one in answers} == {303}
        made = [await count(front, name) for name in ("person", "identity", "session")]
        assert made == [1, 1, 5]


async def test_a_database_that_is_away_meanwhile(
    door: Front, provider: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and the sign-in that was under way can still be ended."""

    async def away(*_: Any, **__: Any) -> None:
        raise StorageUnavailableError("The database does not answer.", 2.0)

    async with browser(door) as client:
        back = await at_provider(await to_provider(client))
        with monkeypatch.context() as patched:
            patched.setattr("service.storage.transaction.Transactions.write", away)
            answer = await client.get(back)
            assert answer.status_code == 503
            assert (await client.get("/auth/oidc/signin")).status_code == 503
            assert json.dumps(dict(client.cookies)).count("-flow-") == 1
        assert (await client.get(back)).status_code == 303
