"""Administrators' pages, as forms are sent from them."""

from __future__ import annotations

import re

import pytest
from lxml import html

from tests.service.kit.accounts import PASSWORD, bearer, browser, person
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio


async def test_somebody_is_added_follows_the_link_and_has_the_roles(guarded: Front) -> None:
    async with person(guarded, "boss", "administrator") as boss:
        wrong = await boss.client.post("/people", data={"login": "UPPER CASE", "name": ""})
        assert wrong.status_code == 422
        assert wrong.text.count('aria-invalid="true"') == 2
        added = {"login": "New.One", "name": "New One", "role_clinician": "on"}
        page = html.fromstring((await boss.client.post("/people", data=added)).text)
        link = page.xpath("//code[@class='secret']")[0].text
        address, _, token = link.partition("#")
        assert address == f"{guarded.client.base_url}/welcome".replace("//welcome", "/welcome")
        taken = await boss.client.post("/people", data=added)
        assert (taken.status_code, "Somebody has this already." in taken.text) == (422, True)
    async with browser(guarded, follow_redirects=True) as client:
        chosen = {"token": token, "password": PASSWORD, "again": PASSWORD}
        easy = {**chosen, "password": "aaaaaaaaaaaa", "again": "aaaaaaaaaaaa"}
        assert (await client.post("/welcome", data=easy)).status_code == 422
        assert (await client.post("/welcome", data=chosen)).url.path == "/"
        assert (await client.get("/history")).status_code == 200
        assert (await client.get("/people")).status_code == 403
        # Once: the second time it is nobody's.
        assert (await client.post("/welcome", data=chosen)).status_code == 403


async def test_attack_24_the_last_administrator_stays(guarded: Front) -> None:
    """Attack 24."""
    async with person(guarded, "only", "administrator", site="lone") as only:
        for path, form in (("disable", {}), ("roles", {"role_viewer": "on"})):
            refused = await only.client.post(f"/people/{only.id}/{path}", data=form)
            assert refused.status_code == 409
            assert "Make somebody else an administrator first." in refused.text
        async with person(guarded, "second", "administrator", site="lone"):
            gone = await only.client.post(f"/people/{only.id}/disable")
            assert gone.status_code == 303
            assert (await only.client.get("/people")).status_code == 303


async def test_a_key_is_shown_once(guarded: Front) -> None:
    async with person(guarded, "keeper", "administrator") as boss:
        for wrong in (
            {"name": "", "role": "viewer"},
            {"name": "x", "role": "king"},
            {"name": "x", "role": "viewer", "days": "9999"},
        ):
            assert (await boss.client.post("/keys", data=wrong)).status_code == 422
        form = {"name": "PACS <b>", "role": "integrator", "days": "30"}
        shown = await boss.client.post("/keys", data=form)
        page = html.fromstring(shown.text)
        made = page.xpath("//code[@class='secret']")[0].text
        assert shown.headers["cache-control"] == "no-store"
        again = await boss.client.get("/keys")
        assert made not in again.text
        assert "PACS &lt;b&gt;" in again.text
        async with browser(guarded) as client:
            assert (await client.get("/api/v1/predictions", headers=bearer(made))).is_success
            found = re.search(r"/keys/[0-9a-f-]+/revoke", again.text)
            assert found is not None
            assert (await boss.client.post(found[0])).status_code == 303
            assert (
                await client.get("/api/v1/predictions", headers=bearer(made))
            ).status_code == 401


async def test_an_administrator_sees_no_image(guarded: Front, png: bytes) -> None:
    async with (
        person(guarded, "reader", "clinician") as reader,
        person(guarded, "manager", "administrator") as manager,
    ):
        id = (await reader.client.post("/api/v1/predictions", content=png)).json()["id"]
        for address in (f"/api/v1/predictions/{id}/image", f"/api/v1/predictions/{id}"):
            assert (await manager.client.get(address)).status_code == 403
        assert (await reader.client.delete(f"/api/v1/predictions/{id}")).status_code == 403
        gone = await manager.client.delete(f"/api/v1/predictions/{id}?reason=test")
        assert gone.status_code == 204
        # Each begins where there is something for them, and is offered nothing else.
        begun = await manager.client.get("/")
        assert (begun.status_code, begun.headers["location"]) == (303, "/people")
        assert 'href="/history"' not in (await manager.client.get("/people")).text
        assert 'href="/people"' not in (await reader.client.get("/history")).text
