"""Accounts of our own beside a provider: off, but for those that are sealed. Case A12."""

from __future__ import annotations

import logging

import pytest

from service import commands
from service.identity.passwords import Passwords
from service.identity.people import People
from service.identity.schemas import LocalAccountsOffError
from service.settings import SettingsError, check, load
from tests.service.identity.oidc.conftest import Opened
from tests.service.identity.oidc.trail import count, reasons, told
from tests.service.kit.accounts import PASSWORD, browser, operator, transactions
from tests.service.kit.fronts import API, Front
from tests.service.kit.idp import Idp

pytestmark = pytest.mark.anyio

NOTHING = {
    "oidc_issuer": None, "oidc_client_id": "", "oidc_client_secret": None, "oidc_name": "",
    "oidc_contact": "", "oidc_roles": "", "oidc_audience": "", "oidc_programs": "",
}  # fmt: skip


async def link(opened: Front, login: str, *, sealed: bool) -> str:
    async with transactions(opened.settings) as on:
        people = People(opened.settings, on, Passwords(opened.settings))
        return (
            await people.add(operator(), login, login.title(), ["administrator"], sealed=sealed)
        )[1]


async def test_accounts_of_before_are_off(opened: Opened, own: Idp) -> None:
    chosen = {"password": PASSWORD, "again": PASSWORD}
    async with opened(**NOTHING) as front, browser(front) as client:
        token = await link(front, "ann", sealed=False)
        later = await link(front, "bob", sealed=False)
        assert (await client.post("/welcome", data={"token": token, **chosen})).status_code == 303
        assert (await client.get("/people")).status_code == 200
        kept = {"Cookie": f"osteoserve={client.cookies['osteoserve']}"}
    async with opened() as front, browser(front) as client:
        # The session, the password, and a link that nobody has followed yet.
        assert (await client.get(API, headers=kept)).status_code == 401
        answer = await client.post("/signin", data={"login": "ann", "password": PASSWORD})
        assert answer.status_code == 401
        assert (await reasons(front))[-1] == "local_off"
        assert (await client.post("/welcome", data={"token": later, **chosen})).status_code == 403
        assert await count(front, "session") == 1
        # Right or wrong, a password tells nothing.
        wrong = await client.post("/signin", data={"login": "ann", "password": "wrong"})
        assert wrong.text == answer.text


async def test_a12_a_sealed_account_gets_in_and_is_loud(
    opened: Opened, own: Idp, caplog: pytest.LogCaptureFixture
) -> None:
    """Case A12: the provider is away, or its certificate wrong."""
    own.down = True
    async with opened() as front, browser(front) as client:
        token = await link(front, "sealed", sealed=True)
        chosen = {"token": token, "password": PASSWORD, "again": PASSWORD}
        assert (await client.post("/welcome", data=chosen)).status_code == 303
        client.cookies.clear()
        page = await client.get("/signin")
        assert "With a sealed account" in page.text
        caplog.clear()
        fields = {"login": "sealed", "password": PASSWORD}
        with caplog.at_level(logging.WARNING, "osteoserve"):
            assert (await client.post("/signin", data=fields)).status_code == 303
        assert (await client.get("/people")).status_code == 200
        assert "sealed account used" in caplog.text
        assert len(await told(front, "sealed_account_used")) == 2
        assert await front.sample("osteoserve_sealed_sign_ins_total") == 2
        assert (await client.post("/signout")).headers["location"] == "/signin"


async def test_nobody_makes_accounts_by_pages_or_links(opened: Opened) -> None:
    async with opened() as front, browser(front) as client:
        assert (await client.get("/setup")).status_code == 404
        assert "There is no account yet" not in (await client.get("/signin")).text
        async with transactions(front.settings) as on:
            people = People(front.settings, on, Passwords(front.settings))
            assert await people.first_link(operator()) is None
            with pytest.raises(LocalAccountsOffError):
                await people.add(operator(), "ann", "Ann", ["viewer"])
        token = await link(front, "sealed", sealed=True)
        chosen = {"token": token, "password": PASSWORD, "again": PASSWORD}
        assert (await client.post("/welcome", data=chosen)).status_code == 303
        answer = await client.post("/people", data={"login": "bob", "name": "Bob"})
        assert answer.status_code == 409
        assert "people add --sealed" in answer.text


async def test_the_first_link_is_none(opened: Opened) -> None:
    async with opened() as front:
        assert await commands.first_link(front.settings) is None


ISSUER = {
    "oidc_issuer": "https://idp.example",
    "oidc_client_id": "osteoserve",
    "oidc_roles": '{"a": "viewer"}',
    "public_url": "https://dxa.example",
}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"oidc_client_id": ""}, "OSTEOSERVE_OIDC_CLIENT_ID is needed"),
        ({"oidc_roles": ""}, "OSTEOSERVE_OIDC_ROLES is needed"),
        ({"oidc_roles": "{}"}, "OSTEOSERVE_OIDC_ROLES is needed"),
        ({"public_url": None}, "OSTEOSERVE_PUBLIC_URL is needed"),
        ({"public_url": "http://dxa.example"}, "OSTEOSERVE_PUBLIC_URL has to be https"),
        ({"oidc_issuer": None}, "OSTEOSERVE_OIDC_ISSUER is not set, but"),
        ({"auth": "none", "public_url": None}, "OSTEOSERVE_AUTH=none does not go with"),
        ({"first_administrator": "t" * 32}, "OSTEOSERVE_FIRST_ADMINISTRATOR does not go with"),
        ({"oidc_client_secret": "a", "oidc_client_secret_file": "b"}, "are both set"),
        ({"oidc_ca_file": "/nowhere"}, "OSTEOSERVE_OIDC_CA_FILE is no file"),
        ({"oidc_ca_file": __file__}, "OSTEOSERVE_OIDC_CA_FILE is no file"),
        ({"oidc_audience": "osteoserve", "oidc_programs": '{"a": "viewer"}'}, "client's own id"),
        ({"oidc_audience": "api"}, "are needed together"),
        ({"oidc_programs": '{"a": "viewer"}'}, "are needed together"),
    ],
)
def test_settings_that_do_not_go_together(changed: dict[str, object], says: str) -> None:
    check(load(**ISSUER))
    with pytest.raises(SettingsError, match=says):
        check(load(**{**ISSUER, **changed}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("oidc_issuer", "http://idp.example"),
        ("oidc_issuer", "https://a:b@idp.example"),
        ("oidc_issuer", "https://idp.example?x"),
        ("oidc_issuer", "idp.example"),
        ("oidc_issuer", "https://" + "i" * 300),
        ("oidc_scopes", "profile"),
        ("oidc_algorithms", ""),
        ("oidc_algorithms", ","),
        ("oidc_algorithms", "none"),
        ("oidc_algorithms", "RS256,HS256"),
        ("oidc_algorithms", "RS256,none"),
        ("oidc_subject_claims", ","),
        ("oidc_groups_claim", ""),
        ("oidc_roles", "dxa=viewer"),
        ("oidc_roles", '["viewer"]'),
        ("oidc_roles", '{"a": "owner"}'),
        ("oidc_roles", '{"a": []}'),
        ("oidc_roles", '{"a": [1]}'),
        ("oidc_roles", '{"": "viewer"}'),
        ("oidc_roles", '{"a": "../x:viewer"}'),
        ("oidc_programs", '{"a": ["viewer", "north:viewer"]}'),
    ],
)
def test_settings_that_cannot_be(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.upper()):
        load(**{**ISSUER, name: value})


def test_secrets_are_not_shown() -> None:
    with pytest.raises(SettingsError) as told_so:
        load(oidc_client_secret=["s3cr3t"])
    assert "s3cr3t" not in str(told_so.value)


async def test_nobody_is_added_by_hand_where_the_provider_signs_people_in(
    door: Front, provider: Idp
) -> None:
    provider.claims["groups"] = ["dxa-admins"]
    async with browser(door) as client:
        await client.get("/auth/oidc/signin", follow_redirects=True)
        page = await client.get("/people")
    assert page.status_code == 200
    assert 'action="/people"' not in page.text
    assert "people add --sealed" in page.text
