"""What the trail tells of people and keys, whatever has become of them, and what it does not."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from lxml import html

from service.audit.trail import Trail
from service.audit.verify import verify
from tests.service.identity.trails import entries
from tests.service.kit.accounts import bearer, browser, key, person, transactions
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio


async def test_a33_what_was_deleted_stays_in_a_trail_that_verifies(
    tmp_path: Path, png: bytes
) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local") as opened,
        person(opened, "keeper", "administrator") as boss,
        person(opened, "gone", "clinician") as somebody,
    ):
        made = await key(opened, "integrator")
        async with browser(opened) as client:
            await client.get(API, headers=bearer(made))
        id = (await somebody.client.post(API, content=png)).json()["id"]
        await boss.client.delete(f"{API}/{id}", params={"reason": "erasure"})
        await boss.client.post(f"/people/{somebody.id}/disable")
        (revoke,) = html.fromstring((await boss.client.get("/keys")).text).xpath(
            "//form[contains(@action, '/revoke')]/@action"
        )
        await boss.client.post(revoke)
        for kind in ("prediction_made", "prediction_deleted"):
            assert [row.object_id for row in await entries(opened, kind)] == [id]
        (row,) = await entries(opened, "person_disabled")
        assert (row.object_id, row.account_id) == (str(somebody.id), boss.id)
        sealing = b"k" * 32
        async with transactions(opened.settings) as on:
            await Trail(on, sealing, None).seal()
            assert (await verify(on, sealing, ())).broken is None


async def test_a36_a_change_of_roles_is_told_with_what_was_before(guarded: Front) -> None:
    """And attack 24: one can make oneself a clinician, which stands in the trail."""
    async with person(guarded, "selfmade", "administrator") as boss:
        form = {"role_administrator": "yes", "role_clinician": "yes"}
        assert (await boss.client.post(f"/people/{boss.id}/roles", data=form)).status_code == 303
        assert (await boss.client.get("/history")).status_code == 200
        (row,) = [
            row for row in await entries(guarded, "roles_changed") if row.account_id == boss.id
        ]
    assert row.object_id == str(boss.id)
    assert json.loads(row.detail) == {
        "before": ["administrator"], "after": ["clinician", "administrator"], "source": "hand",
    }  # fmt: skip


async def test_attack_1_asking_for_another_site_s_is_told(guarded: Front, png: bytes) -> None:
    async with (
        person(guarded, "owner1", "clinician", site="north") as owner,
        person(guarded, "curious", "clinician", site="south") as curious,
    ):
        id = (await owner.client.post(API, content=png)).json()["id"]
        assert (await curious.client.get(f"{API}/{id}/image")).status_code == 404
        told = [row for row in await entries(guarded, "read") if row.account_id == curious.id]
    assert [(row.site, row.object_id) for row in told] == [("south", id)]


async def test_attack_37_signs_that_mean_something_elsewhere_are_text(
    guarded: Front, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="osteoserve")
    async with person(guarded, "scribe", "administrator", "auditor") as boss:
        for name in ("=HYPERLINK(1)", "<script>alert(1)</script>", "]]>&x;", "+1", "@x", "-2"):
            made = await boss.client.post("/keys", data={"name": name, "role": "viewer"})
            assert made.status_code == 200
        for name in ("a\r\nb\x1b[31m", "x\u202ey", "\x00"):
            # Lines are joined; what cannot be seen is refused.
            await boss.client.post("/keys", data={"name": name, "role": "viewer"})
        page = (await boss.client.get("/keys")).text
        assert "<script>alert" not in page
        for sign in ("\x1b", "\u202e", "\x00"):
            assert sign not in page
        agent = {"User-Agent": "=cmd|x\x1b[31m<script>", "X-Forwarded-For": "=1+1"}
        await boss.client.get("/history", headers=agent)
        table = (await boss.client.get("/audit/export.csv")).text
        trail = (await boss.client.get("/audit/export.ndjson")).text
    for line in table.splitlines():
        assert not any(cell.startswith(tuple("=+@")) for cell in line.split(","))
    for text in (table, trail, caplog.text):
        assert "HYPERLINK" not in text
        assert "cmd|x" not in text
