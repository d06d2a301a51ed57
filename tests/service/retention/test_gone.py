"""A result whose image is no longer kept, as people and programs see it; and one that is held."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from lxml import html

from service.holds.service import Holds
from service.identity.actor import Actor
from service.retention.service import Retention
from service.retention.settings import RetentionSettings
from service.storage.database import Database
from service.storage.transaction import Transactions
from tests.service.kit.fronts import API, Front
from tests.service.kit.shapes import assert_error_page, assert_problem

pytestmark = pytest.mark.anyio

LATER = datetime(2046, 1, 1, tzinfo=UTC)


async def test_page_report_and_api_say_that_the_image_is_gone(shared: Front, png: bytes) -> None:
    id = (await shared.client.post(API, content=png)).json()["id"]
    database = Database(shared.settings)
    policy = RetentionSettings(retention='{"*": {"images": 30}}')
    await Retention(policy, Transactions(database)).apply(Actor.anonymous(), LATER)
    page = await shared.client.get(f"/results/{id}")
    assert page.status_code == 200
    tree = html.fromstring(page.text)
    assert "no longer kept" in tree.xpath("string(//*[@aria-labelledby='viewer'])")
    assert not tree.xpath("//main//img")
    assert_problem(await shared.client.get(f"{API}/{id}/image"), "image_gone")
    assert (await shared.client.get(f"{API}/{id}/maps/cnn")).status_code == 404
    report = await shared.client.get(f"{API}/{id}/report.pdf")
    assert (report.status_code, report.content[:5]) == (200, b"%PDF-")
    assert (await shared.client.get(f"{API}/{id}")).json()["id"] == id
    facts = await shared.client.put(f"{API}/{id}/study", json={"t_score": -1.0})
    assert facts.status_code == 200
    await database.close()


async def test_what_is_held_is_not_deleted_by_hand(shared: Front, png: bytes) -> None:
    id = (await shared.client.post(API, content=png)).json()["id"]
    database = Database(shared.settings)
    holds = Holds(Transactions(database))
    held = await holds.place(Actor.anonymous(), "result", UUID(id), "A claim.")
    assert held is not None
    assert_problem(await shared.client.delete(f"{API}/{id}?reason=test"), "result_held")
    page = await shared.client.post(f"/results/{id}/delete", data={"reason": "test"})
    assert_error_page(page, "result_held")
    await holds.release(Actor.anonymous(), held.id)
    assert (await shared.client.delete(f"{API}/{id}?reason=test")).status_code == 204
    await database.close()
