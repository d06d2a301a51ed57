"""Names of sites, people where a provider signs them in, and what operators hear of roles."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html

from tests.service.kit.accounts import browser, person
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio


async def test_a_site_is_renamed_by_who_manages_it_and_keeps_its_code(guarded: Front) -> None:
    async with (
        person(guarded, "names", "administrator") as boss,
        person(guarded, "other", "administrator", site="names-west") as west,
    ):
        name = {"name": "Klinikum Nord <b>"}
        done = await boss.client.post("/sites/default/name", data=name)
        assert done.status_code == 303
        page = (await boss.client.get("/sites")).text
        assert "default – Klinikum Nord &lt;b&gt;" in page
        # Only theirs: another's is the same as none.
        for site in ("names-west", "nowhere"):
            answer = await boss.client.post(f"/sites/{site}/name", data=name)
            assert answer.status_code == 404
        assert (await west.client.post("/sites/default/name", data=name)).status_code == 404
        for wrong in ("", "x" * 81, "a\x07b"):
            answer = await boss.client.post("/sites/default/name", data={"name": wrong})
            assert answer.status_code == 422
            assert html.fromstring(answer.text).xpath("//*[@aria-invalid='true']")


async def test_attack_24_a_role_given_to_oneself_is_counted(guarded: Front) -> None:
    own = "osteoserve_own_roles_granted_total"
    before = await guarded.sample(own)
    async with (
        person(guarded, "alone", "administrator") as boss,
        person(guarded, "else", "viewer") as other,
    ):
        roles: dict[str, Any] = {"role_administrator": "yes", "role_clinician": "yes"}
        await boss.client.post(f"/people/{other.id}/roles", data={"role_clinician": "yes"})
        assert await guarded.sample(own) == before
        await boss.client.post(f"/people/{boss.id}/roles", data=roles)
        assert await guarded.sample(own) == before + 1
        await boss.client.post(f"/people/{boss.id}/roles", data={"role_administrator": "yes"})
        assert await guarded.sample(own) == before + 1


async def test_attack_29_tries_that_fail_are_counted_by_why(guarded: Front) -> None:
    failed = "osteoserve_sign_in_failures_total"
    before = await guarded.sample(failed, reason="password")
    async with browser(guarded) as client:
        for number in range(3):
            fields = {"login": f"sprayed{number}", "password": "Winter2026!!"}
            await client.post("/signin", data=fields)
    assert await guarded.sample(failed, reason="password") == before + 3
