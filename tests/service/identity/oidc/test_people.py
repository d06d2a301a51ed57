"""Whom the provider signs in, and what they may do here: cases A5–A9."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from service.identity.passwords import Passwords
from service.identity.people import People
from tests.service.identity.oidc.conftest import Opened
from tests.service.identity.oidc.trail import Since, reasons, rows, told
from tests.service.kit.accounts import browser, operator, transactions
from tests.service.kit.fronts import Front
from tests.service.kit.idp import Idp, through

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"


async def person(opened: Front, provider: Idp) -> Any:
    (found,) = await rows(
        opened,
        "SELECT person.* FROM person JOIN identity ON person.id = person_id "
        "WHERE issuer = :issuer AND subject = :subject",
        issuer=provider.issuer,
        subject=provider.sub,
    )
    return found


async def roles(opened: Front, provider: Idp) -> set[tuple[str, str, str]]:
    found = await rows(
        opened,
        "SELECT site, role, source FROM membership JOIN identity USING (person_id) "
        "WHERE subject = :subject",
        subject=provider.sub,
    )
    return {(row.site, row.role, row.source) for row in found}


async def test_a5_more_groups_than_entra_tells(door: Front, provider: Idp) -> None:
    """Case A5: a sentence of its own, and never a silent "no role"."""
    for left_out in (
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://x"}}},
        {"hasgroups": True},
        {"hasgroups": "true"},
    ):
        provider.claims = left_out
        since = await Since.now(door)
        async with browser(door) as client:
            answer = await through(client)
        assert answer.status_code == 403
        assert "app roles or a group filter" in answer.text
        assert "the service desk, 4711" in answer.text
        assert await since.refused() == ["overage"]
        assert await since.nobody_came()


async def test_a5_what_is_left_out_is_not_what_is_asked_for(opened: Opened, own: Idp) -> None:
    """App roles beside groups that are too many."""
    own.claims = {"hasgroups": True, "_claim_names": {"groups": "a"}, "roles": ["dxa-clinicians"]}
    async with opened(oidc_groups_claim="roles") as front, browser(front) as client:
        assert (await through(client)).status_code == 303


async def test_a5_overage_takes_no_role_away(door: Front, provider: Idp) -> None:
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
    before = await roles(door, provider)
    provider.claims = {"hasgroups": True}
    async with browser(door) as client:
        assert (await through(client)).status_code == 403
    assert await roles(door, provider) == before != set()


@pytest.mark.parametrize(
    ("claims", "login", "name"),
    [
        ({"upn": "ann@clinic.example"}, "ann@clinic.example", "ann@clinic.example"),
        ({"unique_name": "CLINIC\\Ann"}, "clinic-ann", "CLINIC\\Ann"),
        ({"email": "Ann@Clinic.example"}, "ann@clinic.example", "ann@clinic.example"),
        ({}, "somebody", "somebody"),
        ({"preferred_username": " ", "upn": "b", "name": 7}, "somebody", "b"),
        ({"name": "  Ann\u202e\r\n <b>C</b>  "}, "somebody", "Ann <b>C</b>"),
        ({"name": "é" * 300, "upn": "x" * 300}, "x" * 56, "é" * 80),
    ],
)
async def test_a6_names_out_of_the_id_token_alone(
    opened: Opened, own: Idp, claims: dict[str, Any], login: str, name: str
) -> None:
    """Case A6: AD FS. Userinfo is not asked, and there is none here."""
    own.claims = {"preferred_username": None, "name": None, "groups": ["dxa-clinicians"], **claims}
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 303
        assert (await client.get("/account")).status_code == 200
        found = await person(front, own)
    assert (found.login, found.name, found.password) == (login, name, None)
    assert {path for path, _ in own.asked} == {
        "/.well-known/openid-configuration", "/jwks", "/authorize", "/token"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["dxa-clinicians"]}}),
        ("https://clinic.example/groups", {"https://clinic.example/groups": ["dxa-clinicians"]}),
        ("group", {"group": "dxa-clinicians"}),
    ],
)
async def test_groups_by_the_name_that_a_provider_has_for_them(
    opened: Opened, own: Idp, claim: str, claims: dict[str, Any]
) -> None:
    """Keycloak, Okta and AD FS; the last sends one group as a text."""
    own.claims = claims
    async with opened(oidc_groups_claim=claim) as front, browser(front) as client:
        assert (await through(client)).status_code == 303


async def test_a7_an_address_of_mail_links_nobody(door: Front, provider: Idp) -> None:
    """Case A7: nor does a name for signing in."""
    provider.claims |= {"email": "ann@clinic.example", "preferred_username": "ann.a7"}
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
    first = await person(door, provider)
    # Somebody else, whom the provider calls the same in all but what counts.
    provider.sub += "-2"
    provider.claims["groups"] = ["dxa-viewers"]
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
    second = await person(door, provider)
    assert first.id != second.id
    assert first.login == "ann.a7"
    assert second.login.startswith("ann.a7+")
    assert {role for _, role, _ in await roles(door, provider)} == {"viewer"}


async def test_a7_nor_an_account_that_was_there_before(door: Front, provider: Idp) -> None:
    login = "sealed.a7@clinic.example"
    async with transactions(door.settings) as on:
        people = People(door.settings, on, Passwords(door.settings))
        id, _ = await people.add(operator(), login, "Sealed", ["administrator"], sealed=True)
    provider.claims |= {"email": login, "preferred_username": login, "email_verified": True}
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
    assert UUID((await person(door, provider)).id) != id
    assert {role for _, role, _ in await roles(door, provider)} == {"clinician"}


@pytest.mark.parametrize(
    "groups", [[], ["others"], None, ["DXA-CLINICIANS"], [" dxa-clinicians"], [1, {}, None]]
)
async def test_a8_nobody_has_a_role_without_a_group(
    door: Front, provider: Idp, groups: list[Any] | None
) -> None:
    """Case A8: a page that says whom to ask; no default role, and nothing kept of a stranger."""
    provider.claims["groups"] = groups
    since = await Since.now(door)
    async with browser(door) as client:
        answer = await through(client)
        assert (await client.get(API)).status_code == 401
    assert answer.status_code == 403
    assert "Ask the service desk, 4711" in answer.text
    assert await since.refused() == ["no_role"]
    assert await since.nobody_came()


async def test_roles_are_those_of_the_site(door: Front, provider: Idp) -> None:
    provider.claims["groups"] = ["north", "dxa-viewers", "others"]
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        assert await roles(door, provider) == {
            ("default", "viewer", "idp"), ("north", "clinician", "idp")
        }  # fmt: skip
        assert (await client.post("/account/site", data={"site": "north"})).status_code == 303
        assert "Clinician" in (await client.get("/account")).text


@pytest.mark.parametrize("left", [["dxa-viewers"], [], None])
async def test_a9_a_group_taken_away_is_a_role_taken_away(
    door: Front, provider: Idp, left: list[str] | None
) -> None:
    """Case A9: also where the claim is absent now; roles by hand stay."""
    provider.claims["groups"] = ["dxa-viewers", "dxa-admins"]
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        found = await person(door, provider)
        async with transactions(door.settings) as on:
            people = People(door.settings, on, Passwords(door.settings))
            assert await people.set_roles(operator(), UUID(found.id), ["auditor", "viewer"])
        provider.claims["groups"] = left
        async with browser(door) as again:
            assert (await through(again)).status_code == 303
        # The session of before goes by what there is now.
        assert (await client.get("/people")).status_code == 403
        assert (await client.get("/audit")).status_code == 200
    by_groups = {("default", "viewer", "idp")} if left else set()
    assert await roles(door, provider) == {
        ("default", "auditor", "hand"), ("default", "viewer", "hand"), *by_groups
    }  # fmt: skip
    last = (await told(door, "roles_changed"))[-1]
    assert last == {
        "before": ["viewer", "administrator"], "after": (left and ["viewer"]) or [], "source": "idp"
    }  # fmt: skip


async def test_a9_without_any_role_left_nobody_comes_in(door: Front, provider: Idp) -> None:
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        provider.claims["groups"] = []
        async with browser(door) as again:
            assert (await through(again)).status_code == 403
        assert (await client.get(API)).status_code == 403
    assert await roles(door, provider) == set()
    assert (await reasons(door))[-1] == "no_role"


async def test_roles_by_groups_are_not_changed_by_hand(opened: Opened, own: Idp) -> None:
    own.claims["groups"] = ["dxa-admins", "dxa-clinicians"]
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 303
        found = await person(front, own)
        page = await client.get(f"/people/{UUID(found.id)}")
        assert "Roles by groups of the identity provider" in page.text
        assert "checked" not in page.text
        assert "Make a link" not in page.text
        answer = await client.post(f"/people/{UUID(found.id)}/roles", data={"role_auditor": "on"})
        assert answer.status_code == 303
        assert {role for _, role, _ in await roles(front, own)} == {
            "administrator", "clinician", "auditor"
        }  # fmt: skip
        assert (await client.post(f"/people/{UUID(found.id)}/link")).status_code == 409


async def test_somebody_disabled_here_stays_out(door: Front, provider: Idp) -> None:
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        found = await person(door, provider)
        async with transactions(door.settings) as on:
            people = People(door.settings, on, Passwords(door.settings))
            assert await people.disable(operator(), UUID(found.id))
        assert (await client.get(API)).status_code == 401
        since = await Since.now(door)
        answer = await through(client)
    assert answer.status_code == 403
    assert "disabled" in answer.text
    assert await since.refused() == ["disabled"]
    assert await since.nobody_came()


async def test_entras_people_are_known_by_tenant_and_object(opened: Opened, own: Idp) -> None:
    """``sub`` of Entra ID is another one for each application; ``oid`` is one of a tenant."""
    own.claims |= {"tid": "t1", "oid": "o1"}
    async with opened(oidc_subject_claims="tid,oid") as front:
        for sub, claims in (("a", {}), ("b", {}), ("c", {"tid": "t2"})):
            own.sub = sub
            own.claims |= claims
            async with browser(front) as client:
                assert (await through(client)).status_code == 303
        found = await rows(front, "SELECT subject FROM identity ORDER BY subject")
        assert [row.subject for row in found] == ['["t1","o1"]', '["t2","o1"]']
        own.claims["oid"] = None
        async with browser(front) as client:
            assert (await through(client)).status_code == 400


async def test_parts_of_a_subject_do_not_run_together(opened: Opened, own: Idp) -> None:
    async with opened(oidc_subject_claims="tid,oid") as front:
        for tid, oid in (("a", "b,c"), ("a,b", "c"), ('a","b', "c")):
            own.claims |= {"tid": tid, "oid": oid}
            async with browser(front) as client:
                assert (await through(client)).status_code == 303
        assert len(await rows(front, "SELECT * FROM identity")) == 3


async def test_two_providers_of_one_subject_are_two_people(opened: Opened, own: Idp) -> None:
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 303
        (before,) = await rows(front, "SELECT person_id FROM identity")
    own.metadata["issuer"] = f"{own.issuer}/"
    async with opened(oidc_issuer=f"{own.issuer}/") as front, browser(front) as client:
        own.claims["iss"] = f"{own.issuer}/"
        own.says_iss, own.metadata["authorization_response_iss_parameter_supported"] = False, None
        assert (await through(client)).status_code == 303
        found = await rows(front, "SELECT person_id FROM identity")
    assert len({row.person_id for row in found}) == 2
    assert before in found


async def test_a_session_of_another_provider_is_none(opened: Opened, own: Idp) -> None:
    """Nor of accounts of our own, once there is a provider."""
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 303
        kept = {"Cookie": f"osteoserve={client.cookies['osteoserve']}"}
    settings = {"oidc_issuer": "https://other.example/realms/x"}
    async with opened(**settings) as front, browser(front) as client:
        assert (await client.get(API, headers=kept)).status_code == 401
    nothing = {
        "oidc_issuer": None, "oidc_client_id": "", "oidc_client_secret": None, "oidc_name": "",
        "oidc_contact": "", "oidc_roles": "", "oidc_audience": "", "oidc_programs": "",
    }  # fmt: skip
    async with opened(**nothing) as front, browser(front) as client:
        assert (await client.get(API, headers=kept)).status_code == 401


async def test_a_name_changes_with_the_provider(door: Front, provider: Idp) -> None:
    for name in ("Ann Before", "Ann After"):
        provider.claims["name"] = name
        async with browser(door) as client:
            assert (await through(client)).status_code == 303
            assert f"<h1>{name}</h1>" in (await client.get("/account")).text


async def test_no_claim_is_in_the_trail_or_a_log(
    door: Front, provider: Idp, caplog: pytest.LogCaptureFixture
) -> None:
    private = "Very^Private"
    provider.claims |= {
        "name": private,
        "email": f"{private}@x",
        "preferred_username": "very-private",
    }
    async with browser(door) as client:
        assert (await through(client)).status_code == 303
        provider.claims["groups"] = [private]
        assert (await client.post("/signout")).status_code == 200
        assert (await through(client)).status_code == 403
    trail = str(await rows(door, "SELECT * FROM audit_event"))
    for said in (trail, caplog.text, *(str(vars(record)) for record in caplog.records)):
        assert private not in said
        assert "very-private" not in said
        assert provider.sub not in said
