"""Two sites on one front: what is one's does not exist at the other (attacks 1 to 5)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.service.kit.accounts import bearer, browser, key, person
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
        assert mine in own
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
