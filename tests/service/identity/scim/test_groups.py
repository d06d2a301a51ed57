"""Groups of directories, and the roles that settings give for them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.identity.passwords import Passwords
from service.identity.people import People
from tests.service.identity.oidc.trail import rows
from tests.service.identity.scim.client import Client, group, mark, refused, user
from tests.service.identity.scim.conftest import Opened, directory
from tests.service.kit.accounts import operator, transactions
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio


async def roles(front: Front, *people: str) -> list[set[tuple[str, str, str]]]:
    """Return site, role and source of what each of ``people`` has."""
    async with transactions(front.settings) as on:
        found = People(front.settings, on, Passwords(front.settings))
        everybody = {str(one.id): one for one in await found.all(operator())}
    kept = await rows(front, "SELECT person_id, site, role, source FROM membership")
    assert set(people) <= everybody.keys()
    return [
        {
            (row.site, row.role, row.source)
            for row in kept
            if str(row.person_id).replace("-", "") == one.replace("-", "")
        }
        for one in people
    ]


def listed(found: dict[str, object]) -> set[str]:
    members = found["members"]
    assert isinstance(members, list)
    return {one["value"] for one in members}


async def test_members_have_the_roles_of_their_groups(on_either: Opened) -> None:
    """Okta's and Entra ID's shapes, and the RFC's; on either database."""
    async with on_either() as front, await directory(front) as scim:
        ann, bea = [(await scim.made("/Users", user(mark())))["id"] for _ in range(2)]
        viewers = await scim.made("/Groups", group("dxa-viewers", ann))
        path = f"/Groups/{viewers['id']}"
        viewer = {("default", "viewer", "scim")}
        assert await roles(front, ann, bea) == [viewer, set()]
        assert (await scim.get(f"/Users/{ann}"))["groups"][0]["display"] == "dxa-viewers"
        add = {"op": "Add", "path": "members", "value": [{"value": bea}, {"value": ann}]}
        assert listed(await scim.changed(path, add)) == {ann, bea}
        assert await roles(front, ann, bea) == [viewer, viewer]
        # In two groups, which give the same and more.
        both = await scim.made("/Groups", group("by-id", ann, externalId="dxa-clinicians"))
        assert await roles(front, ann) == [viewer | {("default", "clinician", "scim")}]
        gone = {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": ann}]}
        assert listed(await scim.changed(path, gone)) == {bea}
        assert await roles(front, ann, bea) == [{("default", "clinician", "scim")}, viewer]
        assert (await scim.ask("DELETE", f"/Groups/{both['id']}")).status_code == 204
        gone = {"op": "remove", "path": f'members[value eq "{bea}"]'}
        assert listed(await scim.changed(path, gone)) == set()
        assert await roles(front, ann, bea) == [set(), set()]
        put = {"op": "replace", "path": "members", "value": [{"value": ann}]}
        await scim.changed(path, put, {"op": "add", "value": {"members": [{"value": bea}]}})
        assert await roles(front, ann, bea) == [viewer, viewer]
        # Renamed, it gives what the other name gives: nothing.
        rename = {"op": "replace", "value": {"id": viewers["id"], "displayName": "others"}}
        assert (await scim.changed(path, rename))["displayName"] == "others"
        assert await roles(front, ann, bea) == [set(), set()]
        answer = await scim.ask("PUT", path, group("dxa-admins", bea))
        assert listed(answer.json()) == {bea}
        assert await roles(front, ann, bea) == [set(), {("default", "administrator", "scim")}]
        await scim.changed(path, {"op": "remove", "path": "members"})
        assert await roles(front, bea) == [set()]


async def test_roles_by_hand_stay(scim: Client, door: Front) -> None:
    ann = (await scim.made("/Users", user(mark())))["id"]
    found = await scim.get('/Groups?filter=displayName%20eq%20"dxa-viewers"')
    for one in found["Resources"]:
        await scim.ask("DELETE", f"/Groups/{one['id']}")
    made = await scim.made("/Groups", group("dxa-viewers", ann))
    async with transactions(door.settings) as on:
        people = People(door.settings, on, Passwords(door.settings))
        (one,) = [one for one in await people.all(operator()) if str(one.id) == ann]
        assert await people.set_roles(operator(), one.id, ["auditor"])
        (one,) = [one for one in await people.all(operator()) if str(one.id) == ann]
    assert (one.by_hand, one.by_groups) == (("auditor",), ("viewer",))
    assert (await scim.ask("DELETE", f"/Groups/{made['id']}")).status_code == 204
    assert await roles(door, ann) == [{("default", "auditor", "hand")}]


async def test_groups_are_found_without_who_is_in_them(scim: Client) -> None:
    name = mark()
    ann = (await scim.made("/Users", user(mark())))["id"]
    made = await scim.made("/Groups", group(name, ann))
    assert await scim.get(f"/Groups/{made['id']}") == made
    for said in (
        f'displayName eq "{name.upper()}"', f'members eq "{ann}" and id eq "{made["id"]}"',
        f'members.value eq "{ann}"',
    ):  # fmt: skip
        query = f"filter={said.replace(' ', '%20')}"
        assert (await scim.get(f"/Groups?{query}"))["Resources"] == [made]
        (bare,) = (await scim.get(f"/Groups?excludedAttributes=members&{query}"))["Resources"]
        assert "members" not in bare
        assert "version" not in bare["meta"]
    bare = await scim.get(f"/Groups/{made['id']}?excludedAttributes=members")
    assert bare.keys() == made.keys() - {"members"}
    refused(await scim.ask("POST", "/Groups", group(name.upper())), 409, "uniqueness")


async def test_only_what_was_seen_is_changed(scim: Client) -> None:
    ann = (await scim.made("/Users", user(mark())))["id"]
    made = await scim.made("/Groups", group(mark()))
    path, seen = f"/Groups/{made['id']}", made["meta"]["version"]
    await scim.changed(path, {"op": "add", "path": "members", "value": {"value": ann}})
    refused(await scim.ask("PUT", path, group("new"), If_Match=seen), 412)
    refused(await scim.ask("DELETE", path, If_Match=seen), 412)
    now = (await scim.get(path))["meta"]["version"]
    assert (await scim.ask("DELETE", path, If_Match=now)).status_code == 204
    refused(await scim.ask("GET", path), 404)


async def test_members_are_users_of_the_site(scim: Client, north: Client) -> None:
    other = (await north.made("/Users", user(mark())))["id"]
    made = await scim.made("/Groups", group(mark()))
    for id in (other, str(uuid4()), made["id"], "7", "", None, 7, ["x"]):
        body = {**group(mark()), "members": [{"value": id}]}
        refused(await scim.ask("POST", "/Groups", body), 400, "invalidValue")
    assert (await scim.get(f"/Groups/{made['id']}"))["members"] == []


async def test_attack_40_a_group_of_another_site_gives_nothing(scim: Client, north: Client) -> None:
    """Attack 40: by its name, by a new name, and by what else the directory calls it."""
    ann = (await scim.made("/Users", user(mark())))["id"]
    refused(await scim.ask("POST", "/Groups", group("north", ann)), 403)
    refused(await scim.ask("POST", "/Groups", group("x", ann, externalId="north")), 403)
    made = await scim.made("/Groups", group(mark(), ann))
    answer = await scim.ask("PUT", f"/Groups/{made['id']}", group("north", ann))
    refused(answer, 403)
    assert await roles(scim.opened, ann) == [set()]
    bea = (await north.made("/Users", user(mark())))["id"]
    await north.made("/Groups", group("north", bea))
    refused(await north.ask("POST", "/Groups", group("dxa-admins", bea)), 403)
    kept = await rows(scim.opened, "SELECT site, role FROM membership WHERE source = 'scim'")
    assert ("north", "clinician") in [tuple(row) for row in kept]
    assert ("north", "administrator") not in [tuple(row) for row in kept]
