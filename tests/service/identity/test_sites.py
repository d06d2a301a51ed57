"""Two sites on one front: what is one's does not exist at the other (attacks 1 to 5)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from lxml import html

from service.identity.passwords import Passwords
from service.identity.people import People
from tests.service.kit.accounts import bearer, browser, key, operator, person, transactions
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import Slow, running

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"
FACTS = {"patient_reference": "4711", "t_score": -1.0}


async def test_what_is_of_another_site_is_not_there(guarded: Front, png: bytes) -> None:
    async with (
        person(guarded, "north", "clinician", "administrator", site="north") as north,
        person(guarded, "south", "clinician", "administrator", site="south") as south,
    ):
        made = (await north.client.post(API, content=png)).json()
        place, page = f"{API}/{made['id']}", f"/results/{made['id']}"
        exam = await north.client.put(f"{place}/study", json=FACTS)
        patient = f"/patients/{exam.json()['patient_key']}"
        assert (await north.client.get(patient)).status_code == 200

        # The same as of an id that nothing has, but for the id itself.
        nothing = str(uuid4())
        for method, address in (
            ("GET", place), ("GET", f"{place}/image"), ("GET", f"{place}/report.pdf"),
            ("GET", f"{place}/sent-image"),
            ("GET", f"{place}/maps/cnn"), ("GET", f"{place}/reviews"), ("GET", f"{place}/study"),
            ("PUT", f"{place}/study"), ("POST", f"{place}/reviews"), ("DELETE", place),
            ("GET", page), ("POST", f"{page}/reviews"), ("GET", f"{page}/study"),
            ("GET", f"{page}/delete"), ("POST", f"{page}/delete"), ("GET", patient),
        ):  # fmt: skip
            body = {"json": {"action": "sign"}} if address == f"{place}/reviews" else {}
            body = {"json": FACTS} if method == "PUT" else body
            theirs = await south.client.request(method, address, **body)
            instead = address.replace(made["id"], nothing)
            if address == patient:
                instead = f"/patients/{nothing}"
            nobodys = await south.client.request(method, instead, **body)
            assert theirs.status_code == nobodys.status_code == 404, (method, address)
            last = instead.rpartition("/patients/")[2] if address == patient else nothing
            first = address.rpartition("/patients/")[2] if address == patient else made["id"]
            assert theirs.text.replace(first, "X") == nobodys.text.replace(last, "X")

        # Neither lists nor what an image is found by tell of it.
        assert (await south.client.get(API)).json()["items"] == []
        by_image = {"image": made["image"]["sha256"]}
        assert (await south.client.get(API, params=by_image)).json()["items"] == []
        assert len((await north.client.get(API, params=by_image)).json()["items"]) == 1
        sought = await south.client.post("/patients", data={"patient_reference": "4711"})
        assert sought.status_code == 404

        # The same reference and the same file there are another patient and another image.
        own = (await south.client.post(API, content=png)).json()
        other = await south.client.put(f"{API}/{own['id']}/study", json=FACTS)
        assert other.json()["patient_key"] != exam.json()["patient_key"]
        assert len((await south.client.get(API)).json()["items"]) == 1
        # All of it is still there.
        assert (await north.client.get(place)).status_code == 200
        assert (await north.client.get(f"{place}/study")).json()["t_score"] == -1.0


async def test_a_batch_of_another_site_is_not_there(guarded: Front, png: bytes) -> None:
    async with (
        person(guarded, "northb", "clinician", site="north") as north,
        person(guarded, "southb", "clinician", site="south") as south,
    ):
        sent = await north.client.post("/api/v1/batches", files=[("file", ("a", png))])
        place = sent.headers["location"]
        page = place.replace("/api/v1/batches", "/bulk")
        for method, address in (
            ("GET", place), ("GET", f"{place}/results"), ("POST", f"{place}/cancel"),
            ("GET", page), ("POST", f"{page}/cancel"),
            *(("GET", f"{at}/quality.{kind}") for at in (place, page) for kind in ("csv", "xlsx")),
        ):  # fmt: skip
            assert (await south.client.request(method, address)).status_code == 404, address
        assert (await north.client.get(place)).json()["state"] == "finished"


async def test_people_and_keys_are_managed_at_their_site(guarded: Front) -> None:
    async with (
        person(guarded, "nadmin", "administrator", site="north") as north,
        person(guarded, "sadmin", "administrator", site="south") as south,
    ):
        assert "Nadmin" in (await north.client.get("/people")).text
        assert "Nadmin" not in (await south.client.get("/people")).text
        for path in ("", "/disable", "/enable", "/link", "/roles"):
            method = "POST" if path else "GET"
            answer = await south.client.request(method, f"/people/{north.id}{path}")
            assert answer.status_code == 404, path
        assert (await north.client.get("/people")).status_code == 200


async def test_attack_4_the_same_key_is_another_s_at_another_site_and_of_another_client(
    guarded: Front, png: bytes
) -> None:
    async with (
        person(guarded, "keyn", "clinician", site="north") as north,
        person(guarded, "keys", "clinician", site="south") as south,
        person(guarded, "keyo", "clinician", site="north") as other,
        browser(guarded) as client,
    ):
        program = bearer(await key(guarded, "integrator", site="north"))
        named = {"Idempotency-Key": "one"}
        asked = (north.client, {}), (south.client, {}), (other.client, {}), (client, program)
        made = [await via.post(API, content=png, headers={**named, **who}) for via, who in asked]
        assert [one.status_code for one in made] == [201] * 4
        assert len({one.json()["id"] for one in made}) == 4
        again = [await via.post(API, content=png, headers={**named, **who}) for via, who in asked]
        assert [one.json()["id"] for one in again] == [one.json()["id"] for one in made]
        # Another file under it is refused to its owner alone.
        for via, who in asked:
            fresh = {"Idempotency-Key": "two", **who}
            assert (await via.post(API, content=png, headers=fresh)).status_code == 201
        changed = await south.client.post(API, content=png + b"x", headers=named)
        assert changed.json()["code"] == "idempotency_key_reused"


async def test_attack_4_nothing_is_sooner_for_a_file_that_another_site_has_sent(
    tmp_path: Path, png: bytes
) -> None:
    """Neither from the cache, nor by joining one that is under way, nor for another program."""
    async with (
        running(Slow("cnn", seconds=0.2)) as runners,
        front(tmp_path, runners, auth="local", cache_images=64) as opened,
        person(opened, "coldn", "clinician", site="north") as north,
        person(opened, "colds", "clinician", site="south") as south,
        browser(opened) as client,
    ):
        first, second = [bearer(await key(opened, "integrator", site="north")) for _ in range(2)]

        async def judged(via: httpx.AsyncClient, headers: dict[str, str], data: bytes) -> None:
            assert (await via.post(API, content=data, headers=headers)).status_code == 201

        async def asked() -> int:
            slow = runners["cnn"].runner
            assert isinstance(slow, Slow)
            return sum(len(images) for images in slow.calls)

        async def counted(result: str) -> float:
            return await opened.sample("osteoserve_cache_lookups_total", result=result)

        everybody = (north.client, {}), (south.client, {}), (client, first), (client, second)
        for number, (via, who) in enumerate(everybody):
            await judged(via, who, png)
            assert (await asked(), await counted("miss")) == (number + 1, number + 1)
        for via, who in everybody:
            await judged(via, who, png)
        assert (await asked(), await counted("hit")) == (4, 4)
        together = png + b"once more"
        async with asyncio.TaskGroup() as tasks:
            for via, who in everybody:
                for _ in range(2):
                    tasks.create_task(judged(via, who, together))
        assert await asked() == 8
        assert (await counted("miss"), await counted("joined")) == (8, 4)


async def test_attack_2_a_filter_or_cursor_of_another_site_finds_nothing(
    guarded: Front, png: bytes
) -> None:
    async with (
        person(guarded, "filtern", "clinician", site="north") as north,
        person(guarded, "filters", "clinician", site="south") as south,
        browser(guarded) as client,
    ):
        for number in range(3):
            await north.client.post(API, content=png + bytes([number]))
        mine = (await south.client.post(API, content=png + b"mine")).json()
        page = (await north.client.get(API, params={"limit": 1})).json()
        theirs = page["items"][0]
        for query in ({"image": theirs["image"]["sha256"]}, {"id": theirs["id"]}):
            assert (await south.client.get(API, params=query)).json()["items"] == []
            listed = (await south.client.get("/history", params=query)).text
            assert f"/results/{theirs['id']}" not in listed
        # A cursor says where in time it goes on, and lets nobody see more than is theirs.
        on = await south.client.get(API, params={"limit": 100, "after": page["next"]})
        own = (await south.client.get(API, params={"limit": 100})).json()["items"]
        assert mine["id"] in {one["id"] for one in own}
        assert all(one in own for one in on.json()["items"])
        program = bearer(await key(guarded, "integrator", site="north"))
        query = {"image": theirs["image"]["sha256"]}
        alone = await client.get(API, params=query, headers=program)
        assert alone.json()["items"] == []


async def test_attack_3_a_reference_of_another_site_is_nobody_s(guarded: Front, png: bytes) -> None:
    async with (
        person(guarded, "refn", "clinician", site="north") as north,
        person(guarded, "refs", "clinician", site="south") as south,
    ):
        facts = {"patient_reference": "0815", "t_score": -1.0}
        keys = []
        for one in (north, south):
            id = (await one.client.post(API, content=png)).json()["id"]
            sought = {"patient_reference": "0815"}
            assert (await one.client.post("/patients", data=sought)).status_code == 404
            exam = await one.client.put(f"{API}/{id}/study", json=facts)
            keys.append(exam.json()["patient_key"])
            assert (await one.client.post("/patients", data=sought)).status_code == 303
        assert keys[0] != keys[1]
        for one, other in ((north, keys[1]), (south, keys[0])):
            assert (await one.client.get(f"/patients/{other}")).status_code == 404


async def test_a_site_is_added_and_has_people_patients_and_a_trail_of_its_own(
    guarded: Front, png: bytes
) -> None:
    async with (
        person(guarded, "founder", "administrator") as founder,
        person(guarded, "colleague", "clinician") as colleague,
    ):
        page = await founder.client.get("/sites")
        assert html.fromstring(page.text).xpath("//form[@action='/sites']//input[@name='site']")
        for wrong in ("", "North Clinic", "-north", "x" * 64, "=1+1", "default"):
            refused = await founder.client.post("/sites", data={"site": wrong})
            assert refused.status_code == 422, wrong
            assert 'aria-invalid="true"' in refused.text
        made = await founder.client.post("/sites", data={"site": " East-Wing "})
        assert (made.status_code, made.headers["location"]) == (303, "/sites")
        assert "east-wing" in (await founder.client.get("/sites")).text
        # Whoever has made it manages it, and gives others roles there.
        at = f"/people/{colleague.id}"
        fields = html.fromstring((await founder.client.get(at)).text)
        assert fields.xpath("//input[@name='site']/@value") == ["east-wing"]
        given = {"site": "east-wing", "role_clinician": "yes", "role_auditor": "yes"}
        assert (await founder.client.post(f"{at}/roles", data=given)).status_code == 303
        # Those of before are as they were.
        assert (await colleague.client.post(API, content=png)).status_code == 201
        moved = await colleague.client.post("/account/site", data={"site": "east-wing"})
        assert moved.status_code == 303
        assert (await colleague.client.get(API)).json()["items"] == []
        id = (await colleague.client.post(API, content=png)).json()["id"]
        trail = (await colleague.client.get("/audit")).text
        assert "Roles changed" in trail
        assert str(founder.id) in trail
        back = await colleague.client.post("/account/site", data={"site": "default"})
        assert back.status_code == 303
        assert (await colleague.client.get(f"{API}/{id}")).status_code == 404
        # The last administrator of a site stays, whichever site they act for.
        for path, form in (("roles", {"site": "east-wing"}), ("disable", {})):
            last = await founder.client.post(f"/people/{founder.id}/{path}", data=form)
            assert last.status_code == 409, path


async def test_who_manages_one_site_adds_none_and_gives_no_role_elsewhere(guarded: Front) -> None:
    async with (
        person(guarded, "westadmin", "administrator", site="west") as west,
        person(guarded, "westview", "viewer", site="west") as viewer,
        person(guarded, "eastview", "viewer", site="east") as east,
    ):
        page = await west.client.get("/sites")
        assert "west" in page.text
        assert "east" not in html.fromstring(page.text).xpath("//main")[0].text_content()
        assert not html.fromstring(page.text).xpath("//form[@action='/sites']")
        assert (await west.client.post("/sites", data={"site": "mine"})).status_code == 403
        assert (await viewer.client.get("/sites")).status_code == 403
        for site in ("east", "default", "nowhere"):
            given = {"site": site, "role_administrator": "yes"}
            for who in (west, viewer, east):
                answer = await west.client.post(f"/people/{who.id}/roles", data=given)
                assert answer.status_code == 404, site
            moved = await west.client.post("/account/site", data={"site": site})
            assert moved.status_code == 422


async def test_nobody_takes_over_an_account_that_is_another_site_s_too(guarded: Front) -> None:
    """A link for a password opens all that the account may: it is for who manages all of it."""
    async with (
        person(guarded, "shared", "clinician", site="left") as shared,
        person(guarded, "leftadmin", "administrator", site="left") as left,
        person(guarded, "rightadmin", "administrator", site="right"),
    ):
        async with transactions(guarded.settings) as on:
            people = People(guarded.settings, on, Passwords(guarded.settings))
            assert await people.set_roles(operator(), shared.id, ["clinician"], "right")
        for path in ("link", "disable"):
            refused = await left.client.post(f"/people/{shared.id}/{path}")
            assert refused.status_code == 403, path
            assert "secret" not in refused.text
        assert (await shared.client.get(API)).status_code == 200
        # What is theirs at the own site can be taken away all the same.
        none = await left.client.post(f"/people/{shared.id}/roles", data={"role_viewer": ""})
        assert none.status_code == 303
        assert (await shared.client.get(API)).status_code == 403


@pytest.mark.parametrize("site", ["one", "two"])
async def test_of_two_who_add_the_same_site_at_once_one_does(guarded: Front, site: str) -> None:
    async with (
        person(guarded, f"{site}a", "administrator") as first,
        person(guarded, f"{site}b", "administrator") as second,
    ):
        asked = [
            one.client.post("/sites", data={"site": f"race-{site}"}) for one in (first, second) * 3
        ]
        codes = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert codes == [303] + [422] * 5
