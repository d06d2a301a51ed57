"""Programs with an access token of the provider instead of a key of ours."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete

from service.storage.errors import StorageUnavailableError
from service.storage.tables.identity import AttemptRow
from tests.service.identity.oidc.conftest import Opened
from tests.service.identity.oidc.trail import reasons, rows
from tests.service.kit.accounts import bearer, browser, key, transactions
from tests.service.kit.fronts import API, Front
from tests.service.kit.idp import Idp, rsa, through

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def forgotten(door: Front) -> None:
    """Failures of before, which are counted by address."""
    async with transactions(door.settings) as on:
        await on.write(lambda one: one.connection.execute(delete(AttemptRow)))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"client_id": None, "azp": "pacs-router"},
        {"client_id": None, "appid": "pacs-router"},
        {"client_id": None, "cid": "pacs-router"},
        {"aud": ["other", "dxa-api"]},
        {"iat": None},
    ],
)
async def test_a_program_is_let_in_by_its_client(
    door: Front, provider: Idp, claims: dict[str, Any]
) -> None:
    for typ in (None, "at+jwt", "JWT"):
        token = provider.token(provider.program_claims(**claims), {"typ": typ})
        async with browser(door, headers=bearer(token)) as client:
            assert (await client.get(API)).status_code == 200
            # An integrator: it sends and reads, and manages nobody.
            assert (await client.get("/people")).status_code == 403
            assert (await client.get("/account")).status_code == 403


async def test_what_it_sends_is_its_own_at_its_site(door: Front, provider: Idp) -> None:
    for client_id in ("pacs-router", "reports"):
        token = provider.token(provider.program_claims(client_id=client_id))
        async with browser(door, headers=bearer(token)) as client:
            assert (await client.get(API)).status_code == 200
    found = await rows(door, "SELECT site, account_id FROM audit_event WHERE kind = 'read'")
    made = {row.account_id: row.site for row in found}
    assert sorted(made.values()) == ["default", "north"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "other"}, "token_audience"),
    "a person's id_token": ({"aud": "osteoserve"}, "token_audience"),
    "no audience": ({"aud": None}, "token_audience"),
    "another issuer": ({"iss": "https://other.example"}, "token_issuer"),
    "over": ({"exp": 1}, "clock"),
    "without an end": ({"exp": None}, "token_claims"),
    "not yet": ({"nbf": 9999999999}, "clock"),
    "a client that is not listed": ({"client_id": "other"}, "no_role"),
    "no client": ({"client_id": None}, "no_role"),
    "client is a list": ({"client_id": ["pacs-router"]}, "no_role"),
    "a nonce": ({"nonce": "n"}, "token_claims"),
    "events": ({"events": {}}, "token_claims"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_opens_nothing(door: Front, provider: Idp, name: str) -> None:
    changed, reason = REFUSED[name]
    token = provider.token(provider.program_claims(**changed))
    answer = await door.client.get(API, headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert (await reasons(door))[-1] == reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"typ": "logout+jwt"}, "token_header"),
        ({"crit": ["exp"]}, "token_header"),
        ({"kid": "../x"}, "token_key"),
    ],
)
async def test_headers_that_are_refused(
    door: Front, provider: Idp, header: dict[str, Any], reason: str
) -> None:
    token = provider.token(provider.program_claims(), header)
    assert (await door.client.get(API, headers=bearer(token))).status_code == 401
    assert (await reasons(door))[-1] == reason


async def test_forgeries_are_slowed_down_and_true_ones_never(door: Front, provider: Idp) -> None:
    forged = provider.token(provider.program_claims(), key=rsa())
    answers = [(await door.client.get(API, headers=bearer(forged))).status_code for _ in range(12)]
    assert answers[0] == 401
    assert answers[-1] == 429
    good = provider.token(provider.program_claims())
    assert (await door.client.get(API, headers=bearer(good))).status_code == 200


@pytest.mark.parametrize("token", ["x", "a.b.c", "ey.ey.", "eyJ.eyJ.x y", "é.é.é", "ey" * 5000])
async def test_what_is_no_token_is_asked_of_nobody(door: Front, provider: Idp, token: str) -> None:
    before = len(await reasons(door))
    asked = len(provider.asked)
    headers = {"Authorization": f"Bearer {token}".encode()}
    assert (await door.client.get(API, headers=headers)).status_code == 401  # type: ignore[arg-type]
    assert len(await reasons(door)) - before in (0, 1)
    assert len(provider.asked) == asked


async def test_a_key_of_ours_is_good_beside_it(door: Front, provider: Idp) -> None:
    assert (
        await door.client.get(API, headers=bearer(await key(door, "viewer")))
    ).status_code == 200


async def test_a_program_signs_nothing_and_both_at_once_are_refused(
    door: Front, provider: Idp
) -> None:
    token = provider.token(provider.program_claims())
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        assert (await client.get(API, headers=bearer(token))).status_code == 400


async def test_without_an_audience_there_are_keys_alone(opened: Opened, own: Idp) -> None:
    async with opened(oidc_audience="", oidc_programs="") as front:
        token = own.token(own.program_claims(aud=""))
        assert (await front.client.get(API, headers=bearer(token))).status_code == 401
        assert own.asked == []


async def test_a_database_that_is_away_is_no_refusal(
    door: Front, provider: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = provider.token(provider.program_claims(), key=rsa())

    async def away(*_: Any, **__: Any) -> None:
        raise StorageUnavailableError("The database does not answer.", 2.0)

    for way in ("write", "emit"):
        monkeypatch.setattr(f"service.storage.transaction.Transactions.{way}", away)
    assert (await door.client.get(API, headers=bearer(forged))).status_code == 503
