"""What no directory sends: nothing of it is more than a refusal in SCIM's form."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from service.identity.actor import KEY_ROLES
from service.identity.scim.api import MOST_BYTES
from service.identity.scim.schemas import MOST_MEMBERS, USER
from tests.service.identity.oidc.trail import rows
from tests.service.identity.scim.client import V2, Client, group, mark, patch, refused, user
from tests.service.kit.accounts import bearer, key
from tests.service.kit.fronts import API, Front

pytestmark = pytest.mark.anyio


async def test_attack_40_a_key_of_another_role_is_refused(door: Front) -> None:
    """Attack 40; a key that is none, and nobody, are not known at all."""
    for role in KEY_ROLES:
        async with Client(door, bearer(await key(door, role))) as client:
            answer = await client.ask("GET", "/Users")
            if role == "provisioner":
                assert answer.status_code == 200
            else:
                refused(answer, 403)
                refused(await client.ask("POST", "/Users", user(mark())), 403)
    for headers in (bearer("osk_none"), {}):
        async with Client(door, headers) as client:
            answer = await client.ask("GET", "/Users")
            refused(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_its_key_does_nothing_else(scim: Client, door: Front) -> None:
    async with httpx.AsyncClient(base_url=door.client.base_url, trust_env=False) as client:
        headers = bearer(await key(door, "provisioner"))
        for path in (API, "/people", "/keys", "/api/openapi.json", "/history", "/audit", "/"):
            assert (await client.get(path, headers=headers)).status_code == 403, path


async def test_another_sites_are_as_none(scim: Client, north: Client) -> None:
    name = mark()
    made = await north.made("/Users", user(name))
    inside = await north.made("/Groups", group(mark(), made["id"]))
    made = await north.get(f"/Users/{made['id']}")
    for kind, id, whole in (
        ("Users", made["id"], user(mark())), ("Groups", inside["id"], group(mark())),
    ):  # fmt: skip
        other = patch({"op": "replace", "path": "displayName", "value": "x"})
        for method, body in (("GET", None), ("PUT", whole), ("PATCH", other), ("DELETE", None)):
            found = await scim.ask(method, f"/{kind}/{id}", body)
            refused(found, 404)
            for none in (uuid4(), "x", "0"):
                answer = await scim.ask(method, f"/{kind}/{none}", body)
                assert (answer.status_code, answer.content) == (404, found.content)
        listed = await scim.get(f"/{kind}?filter=id%20eq%20%22{id}%22")
        assert listed["totalResults"] == 0
    assert await north.get(f"/Users/{made['id']}") == made
    # Nor is anybody's account taken over by what the provider calls them.
    refused(await scim.ask("POST", "/Users", user(name)), 409, "uniqueness")


@pytest.mark.parametrize(
    "said",
    [
        "", " ", "userName", "userName eq", 'userName eq "a', 'userName co "a"', "userName pr",
        'password eq "a"', 'userName eq "a" or userName eq "b"', 'not (userName eq "a")',
        '(userName eq "a")', 'emails[type eq "work"]', 'userName eq "a" and', "userName eq 1",
        'userName eq "\\u0000"', 'userName eq "\\ud800"', "userName eq \"a\"; DROP TABLE person",
        "userName eq null", "(" * 900, " and ".join(['userName eq "a"'] * 5),
        'userName eq "' + "\\" * 900, 'userName eq "' + "a" * 2000 + '"', 'x:userName eq "a"',
        " " * 999 + "x",
    ],
)  # fmt: skip
async def test_attack_40_filters_that_are_none(scim: Client, said: str) -> None:
    """Attack 40: deep ones, long ones, and such as another language has."""
    for kind in ("Users", "Groups"):
        query = httpx.QueryParams({"filter": said})
        refused(await scim.ask("GET", f"/{kind}?{query}"), 400, "invalidFilter")


async def test_what_a_filter_holds_is_a_text_and_nothing_else(scim: Client) -> None:
    for said in ('userName eq "\' OR 1=1 --"', 'externalId eq "%"', 'id eq "x"'):
        query = httpx.QueryParams({"filter": said})
        assert (await scim.get(f"/Users?{query}"))["totalResults"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"7", b"null", b'"x"', b"\xff", b'{"schemas": NaN}', b"[" * 100_000,
        b'{"a":' * 50_000, b"1" * 10_000, b'{"schemas": "x"}',
    ],
)  # fmt: skip
async def test_bodies_that_are_no_resource(scim: Client, body: bytes) -> None:
    made = await scim.made("/Users", user(mark()))
    for method, path in (
        ("POST", "/Users"), ("POST", "/Groups"), ("PUT", f"/Users/{made['id']}"),
        ("PATCH", f"/Users/{made['id']}"),
    ):  # fmt: skip
        answer = await scim.ask(method, path, body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["scimType"] in ("invalidSyntax", "invalidValue")


async def test_a_body_of_another_type_or_size(scim: Client) -> None:
    whole = json.dumps(user(mark())).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
        refused(await scim.ask("POST", "/Users", whole, Content_Type=kind), 415)
    refused(await scim.ask("POST", "/Users", whole + b" " * MOST_BYTES), 413)
    accepted = "application/json; charset=utf-8"
    assert (await scim.ask("POST", "/Users", whole, Content_Type=accepted)).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"userName": ""}, {"userName": None}, {"userName": 7}, {"userName": "a\nb"},
        {"userName": "x" * 201}, {"userName": "\x00"}, {"userName": ["a"]}, {"externalId": ""},
        {"externalId": None}, {"externalId": "x" * 401}, {"externalId": {"a": 1}},
        {"active": "maybe"}, {"active": 1}, {"active": None}, {"active": []}, {"name": "Ann"},
        {"name": {"givenName": 7}}, {"displayName": []}, {"emails": 7}, {"emails": [7]},
        {"emails": [{"value": 7}]}, {"emails": [{"value": "x" * 300}]}, {"schemas": []},
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]},
    ],
)  # fmt: skip
async def test_people_that_cannot_be(scim: Client, wrong: dict[str, Any]) -> None:
    before = (await rows(scim.opened, "SELECT count(*) FROM person"))[0][0]
    answer = await scim.ask("POST", "/Users", user(mark(), **wrong))
    assert answer.status_code == 400, answer.text
    assert answer.json()["scimType"] in ("invalidValue", "invalidSyntax")
    assert (await rows(scim.opened, "SELECT count(*) FROM person"))[0][0] == before


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({}, "invalidSyntax"),
        ({"op": "move", "path": "active", "value": True}, "invalidSyntax"),
        ({"op": ["add"]}, "invalidSyntax"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "value": 7}, "invalidValue"),
        ({"op": "replace", "path": "active", "value": {"a": 1}}, "invalidValue"),
        ({"op": "replace", "path": "shoeSize", "value": 7}, "invalidPath"),
        ({"op": "replace", "path": "a" * 501, "value": 7}, "invalidPath"),
        ({"op": "replace", "path": "active..x", "value": 7}, "invalidPath"),
        ({"op": "replace", "path": "emails[" * 60, "value": 7}, "invalidPath"),
        ({"op": "replace", "path": 7, "value": 7}, "invalidPath"),
        ({"op": "replace", "path": 'emails[type co "w"].value', "value": "a"}, "invalidFilter"),
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "replace", "path": "groups", "value": []}, "mutability"),
        ({"op": "replace", "path": "externalId", "value": "another"}, "mutability"),
        ({"op": "remove", "path": "externalId"}, "mutability"),
        ({"op": "replace", "path": "password", "value": "secret-secret"}, "mutability"),
        ({"op": "replace", "value": {"password": "secret-secret"}}, "mutability"),
        ({"op": "remove", "path": "userName"}, "invalidValue"),
        ({"op": "remove", "path": "active"}, "invalidValue"),
    ],
)
async def test_patches_that_cannot_be(scim: Client, operation: dict[str, Any], kind: str) -> None:
    """Nothing of one is done, whichever of its operations is wrong."""
    made = await scim.made("/Users", user(mark()))
    off = {"op": "replace", "path": "active", "value": False}
    answer = await scim.ask("PATCH", f"/Users/{made['id']}", patch(off, operation))
    refused(answer, 400, kind)
    assert "secret" not in answer.text
    assert await scim.get(f"/Users/{made['id']}") == made


async def test_more_than_is_taken_at_once(scim: Client) -> None:
    made = await scim.made("/Groups", group(mark()))
    path = f"/Groups/{made['id']}"
    many = [{"value": str(uuid4())} for _ in range(MOST_MEMBERS + 1)]
    add = {"op": "add", "path": "members", "value": many}
    refused(await scim.ask("PATCH", path, patch(add)), 413)
    refused(await scim.ask("PUT", path, {**group("x"), "members": many}), 413)
    half = {"op": "add", "path": "members", "value": many[: MOST_MEMBERS // 2 + 1]}
    refused(await scim.ask("PATCH", path, patch(half, {**half, "value": many[500:1001]})), 413)
    one = {"op": "add", "path": "members", "value": []}
    refused(await scim.ask("PATCH", path, patch(*[one] * 1001)), 413)
    refused(await scim.ask("GET", f"/Users?attributes={'a' * 4001}"), 400, "invalidValue")
    assert await scim.get(path) == made


async def test_addresses_that_are_none_are_told_in_scims_form(scim: Client) -> None:
    for method, path, status in (
        ("GET", "/Me", 404), ("POST", "/Bulk", 404), ("GET", "/Schemas/none", 404),
        ("PUT", "/Users", 405), ("GET", "/ResourceTypes/x", 404),
    ):  # fmt: skip
        refused(await scim.ask(method, path), status)


async def test_what_is_served_is_told(scim: Client) -> None:
    config = await scim.get("/ServiceProviderConfig")
    assert config["changePassword"] == config["sort"] == {"supported": False}
    types = await scim.get("/ResourceTypes")
    assert [one["id"] for one in types["Resources"]] == ["User", "Group"]
    for one in types["Resources"]:
        assert await scim.get(f"/ResourceTypes/{one['id']}") == one
        described = await scim.get(f"/Schemas/{one['schema']}")
        names = {each["name"] for each in described["attributes"]}
        assert ("password" in names, "id" in names) == (False, False)
    assert (await scim.get("/Schemas"))["totalResults"] == 2


async def test_without_a_provider_there_is_none(guarded: Front) -> None:
    async with Client(guarded, bearer(await key(guarded, "provisioner"))) as client:
        for path in ("/Users", "/ServiceProviderConfig"):
            answer = await client.ask("GET", path)
            refused(answer, 404)
            assert "OSTEOSERVE_OIDC_ISSUER" in answer.json()["detail"]


async def test_a_denial_is_in_the_trail_and_no_key_or_name_anywhere(
    scim: Client, door: Front, caplog: pytest.LogCaptureFixture
) -> None:
    private = f"very-private-{mark()}"
    await scim.made("/Users", user(private))
    await scim.get(f"/Users?filter=userName%20eq%20%22{private}%22")
    refused(await scim.ask("POST", "/Users", user(private)), 409, "uniqueness")
    async with Client(door, bearer(await key(door, "viewer"))) as client:
        refused(await client.ask("GET", "/Users"), 403)
    denied = await rows(door, "SELECT * FROM audit_event WHERE kind = 'denied'")
    assert f"{V2}/Users" in str(denied)
    trail = str(await rows(door, "SELECT * FROM audit_event"))
    ours = [str(vars(one)) for one in caplog.records if not one.name.startswith("http")]
    for said in (trail, *ours):
        assert private not in said
    assert USER not in trail
