"""Two sites on one front: what is one's does not exist at the other (attacks 1 to 5)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.service.kit.accounts import person
from tests.service.kit.fronts import Front

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
