"""People as directories send, change and end them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from service.identity.passwords import Passwords
from service.identity.people import People
from tests.service.identity.oidc.trail import rows, told
from tests.service.identity.scim.client import Client, arrives, mark, refused, user
from tests.service.identity.scim.conftest import Opened, directory
from tests.service.kit.accounts import browser, operator, transactions
from tests.service.kit.fronts import API, Front
from tests.service.kit.idp import Idp

pytestmark = pytest.mark.anyio


async def test_a_new_person_is_read_back_found_and_listed(scim: Client) -> None:
    name = mark()
    made = await scim.made("/Users", user(name))
    assert await scim.get(f"/Users/{made['id']}") == made
    assert made["userName"] == f"{name}@clinic.example"
    assert made["emails"] == [{"value": f"{name}@clinic.example", "type": "work", "primary": True}]
    assert made["active"] is True
    assert "password" not in str(made)
    assert "locale" not in made
    for said in (
        f'userName eq "{name.upper()}@CLINIC.example"',
        f'externalId eq "sub-{name}"',
        f'USERNAME EQ "{name}@clinic.example" and active eq true',
        f'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "{name}@clinic.example"',
        f'id eq "{made["id"]}"',
    ):
        found = await scim.ask("GET", f"/Users?filter={said.replace(' ', '%20')}")
        assert found.json()["Resources"] == [made], said
        assert found.json()["totalResults"] == 1
    nobody = await scim.get(f'/Users?filter=userName%20eq%20"no-{name}"')
    assert (nobody["totalResults"], nobody["Resources"]) == (0, [])


async def test_the_same_again_is_a_conflict_and_changes_nothing(scim: Client) -> None:
    name = mark()
    made = await scim.made("/Users", user(name))
    refused(await scim.ask("POST", "/Users", user(name)), 409, "uniqueness")
    other = user(name, userName=f"other-{name}")
    refused(await scim.ask("POST", "/Users", other), 409, "uniqueness")
    other = user(name, externalId=f"other-{name}", userName=f"{name.upper()}@clinic.example")
    refused(await scim.ask("POST", "/Users", other), 409, "uniqueness")
    assert await scim.get(f"/Users/{made['id']}") == made


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        # Entra ID.
        ({"op": "Replace", "path": "active", "value": "False"}, {"active": False}),
        ({"op": "Replace", "path": "userName", "value": "NEW"}, {"userName": "NEW"}),
        ({"op": "Add", "path": "displayName", "value": "Bea"}, {"displayName": "Bea"}),
        (
            {"op": "Add", "path": 'emails[type eq "work"].value', "value": "new@x.example"},
            {"emails": [{"value": "new@x.example", "type": "work", "primary": True}]},
        ),
        ({"op": "Replace", "value": {"name.givenName": "Bea"}}, {"name": {"givenName": "Bea"}}),
        (
            {
                "op": "Add",
                "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                "value": "DXA",
            },
            {},
        ),
        ({"op": "Replace", "path": 'addresses[type eq "work"].locality', "value": "X"}, {}),
        # Okta.
        ({"op": "replace", "value": {"active": False}}, {"active": False}),
        ({"op": "replace", "value": {"id": "x", "displayName": "Bea"}}, {"displayName": "Bea"}),
        # The RFC.
        ({"op": "replace", "path": "name.familyName", "value": "B"}, {"name": {"familyName": "B"}}),
        ({"op": "add", "path": "name", "value": {"formatted": "B"}}, {"name": {"formatted": "B"}}),
        ({"op": "remove", "path": "emails"}, {"emails": None}),
        ({"op": "remove", "path": "name"}, {"name": None}),
        (
            {"op": "replace", "path": "emails", "value": [{"value": "a@b"}]},
            {"emails": [{"value": "a@b", "type": "work", "primary": True}]},
        ),
    ],
)
async def test_patches(scim: Client, operation: dict[str, Any], changed: dict[str, Any]) -> None:
    name = mark()
    made = await scim.made("/Users", user(name))
    if changed.get("userName"):
        changed = {"userName": operation.setdefault("value", "") and f"new-{name}"}
        operation = {**operation, "value": f"new-{name}"}
    after = await scim.changed(f"/Users/{made['id']}", operation)
    expected = {**made, **changed}
    if changed.get("name") is not None:
        expected["name"] = {**made["name"], **changed["name"]}
    expected = {key: value for key, value in expected.items() if value is not None}
    for one in (after, expected):
        del one["meta"]
    assert after == expected


async def test_a_whole_resource_stands_for_all_there_is(scim: Client) -> None:
    name = mark()
    made = await scim.made("/Users", user(name))
    whole = {"schemas": made["schemas"], "userName": f"{name}-new"}
    answer = await scim.ask("PUT", f"/Users/{made['id']}", whole)
    assert answer.status_code == 200
    after = answer.json()
    assert after["userName"] == f"{name}-new"
    assert after["externalId"] == f"sub-{name}"
    assert not {"name", "displayName", "emails"} & after.keys()
    assert after["active"] is True


async def test_a29_who_is_disabled_is_out_at_once(on_either: Opened, provider: Idp) -> None:
    """Case A29, attack 40: Entra's text. On either database, with the trail of all of it."""
    name = mark()
    async with on_either() as front, await directory(front) as scim, browser(front) as client:
        made = await scim.made("/Users", user(name))
        viewers = {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "dxa-viewers",
            "members": [{"value": made["id"]}],
        }
        await scim.made("/Groups", viewers)
        # No group is in the token: the directory's alone gives the role.
        assert await arrives(provider, client, name) == 303
        assert (await client.get(API)).status_code == 200
        path = f"/Users/{made['id']}"
        off = {"op": "Replace", "path": "active", "value": "False"}
        assert (await scim.changed(path, off))["active"] is False
        assert (await client.get(API)).status_code == 401
        assert await rows(front, "SELECT hash FROM session") == []
        assert await arrives(provider, client, name) == 403
        await scim.changed(path, {"op": "Replace", "path": "active", "value": "True"})
        assert await arrives(provider, client, name) == 303
        assert (await client.get(API)).status_code == 200
        gone = await scim.ask("DELETE", path)
        assert gone.status_code == 204, gone.text
        assert (await client.get(API)).status_code == 401
        refused(await scim.ask("GET", path), 404)
        refused(await scim.ask("DELETE", path), 404)
        assert (await scim.get("/Users"))["totalResults"] == 0
        (kept,) = await rows(front, "SELECT name, disabled_at FROM person")
        assert kept.name == f"Ann {name}"
        assert kept.disabled_at is not None
        (row,) = await rows(front, "SELECT * FROM directory_user")
        assert name not in str(row)
        assert await rows(front, "SELECT * FROM membership") == []
        # Hired again: the same account.
        again = await scim.made("/Users", user(name))
        assert again["id"] == made["id"]
        assert again["active"] is True
        kinds = [row.kind for row in await rows(front, "SELECT kind FROM audit_event")]
        for kind, times in (
            ("person_added", 1), ("person_disabled", 2), ("person_enabled", 2),
            ("group_added", 1), ("member_added", 1), ("member_removed", 1), ("roles_changed", 2),
        ):  # fmt: skip
            assert kinds.count(kind) == times, (kind, kinds)
        assert [one["source"] for one in await told(front, "roles_changed")] == ["scim", "scim"]
        trail = str(await rows(front, "SELECT * FROM audit_event"))
        assert name not in trail


async def test_who_has_signed_in_before_keeps_their_account(
    scim: Client, door: Front, provider: Idp
) -> None:
    name = mark()
    async with browser(door) as client:
        assert await arrives(provider, client, name, "dxa-viewers") == 303
        made = await scim.made("/Users", user(name))
        (one,) = await rows(
            door, "SELECT person_id FROM identity WHERE subject = :s", s=f"sub-{name}"
        )
        assert UUID(str(one.person_id)) == UUID(made["id"])
        assert (await client.get(API)).status_code == 200


async def test_whom_an_administrator_disabled_stays_disabled(scim: Client, door: Front) -> None:
    made = await scim.made("/Users", user(mark()))
    async with transactions(door.settings) as on:
        people = People(door.settings, on, Passwords(door.settings))
        assert await people.disable(operator(), UUID(made["id"]))
    path = f"/Users/{made['id']}"
    assert (await scim.get(path))["active"] is False
    on_again = {"op": "replace", "path": "active", "value": True}
    assert (await scim.changed(path, on_again))["active"] is False


async def test_only_what_was_seen_is_changed(scim: Client) -> None:
    made = await scim.made("/Users", user(mark()))
    path, seen = f"/Users/{made['id']}", made["meta"]["version"]
    await scim.changed(path, {"op": "replace", "path": "displayName", "value": "Bea"})
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": False}],
    }
    refused(await scim.ask("PATCH", path, body, If_Match=seen), 412)
    refused(await scim.ask("DELETE", path, If_Match=seen), 412)
    now = (await scim.get(path))["meta"]["version"]
    assert (await scim.ask("PATCH", path, body, If_Match=now)).status_code == 200


async def test_pages_are_bounded(scim: Client) -> None:
    for _ in range(3):
        await scim.made("/Users", user(mark()))
    every = await scim.get("/Users")
    total = every["totalResults"]
    assert total == len(every["Resources"]) == every["itemsPerPage"] >= 3
    seen = []
    for first in range(1, total + 1):
        page = await scim.get(f"/Users?startIndex={first}&count=1&attributes=userName")
        assert page["startIndex"] == first
        assert page["totalResults"] == total
        (one,) = page["Resources"]
        assert one.keys() == {"schemas", "id", "userName"}
        seen.append(one["id"])
    assert seen == [one["id"] for one in every["Resources"]]
    for query in ("startIndex=-5&count=9999999999999", "startIndex=0", "count=1000"):
        assert len((await scim.get(f"/Users?{query}"))["Resources"]) == min(total, 200)
    for query in ("count=0", "count=-1", "startIndex=99999999999999999999"):
        page = await scim.get(f"/Users?{query}")
        assert (page["totalResults"], page["Resources"]) == (total, [])
    for query in ("count=x", "startIndex=1.5", "count="):
        refused(await scim.ask("GET", f"/Users?{query}"), 400, "invalidValue")
