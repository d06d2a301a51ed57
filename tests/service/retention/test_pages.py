"""The administrators' page: what is kept how long, what is due, and holds placed and released."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from lxml import html
from sqlalchemy import select

from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from tests.service.kit.accounts import Somebody, person
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"
REFERENCE = "SECRET-4711"
POLICY = '{"*": {"images": 730, "audit": 2190}, "default": {"results": 30}}'


@dataclass
class House:
    opened: Front
    boss: Somebody
    result: str
    patient: str


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, png: bytes) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        runners = await stack.enter_async_context(running())
        opened = await stack.enter_async_context(
            front(tmp_path_factory.mktemp("var"), runners, auth="local", retention=POLICY)
        )
        ann = await stack.enter_async_context(person(opened, "ann", "clinician"))
        boss = await stack.enter_async_context(person(opened, "boss", "administrator"))
        result = (await ann.client.post(API, content=png)).json()["id"]
        facts = {"patient_reference": REFERENCE}
        exam = await ann.client.put(f"{API}/{result}/study", json=facts)
        yield House(opened, boss, result, str(exam.json()["patient_key"]))


def cells(page: str, section: str) -> list[list[str]]:
    found = html.fromstring(page).xpath(f"//section[@aria-labelledby='{section}']//tbody/tr")
    return [[" ".join(it.text_content().split()) for it in row.xpath("th|td")] for row in found]


async def rows(opened: Front, statement: Any) -> list[Any]:
    database = Database(opened.settings)
    async with database.connect() as connection:
        found = list(await connection.execute(statement))
    await database.close()
    return found


async def place(house: House, **fields: str) -> Any:
    return await house.boss.client.post("/retention/holds", data=fields)


async def test_each_kind_has_its_days_and_what_is_due(house: House) -> None:
    page = (await house.boss.client.get("/retention")).text
    assert [row[1:] for row in cells(page, "kinds")] == [
        ["730", "0"],
        ["30", "0"],
        ["kept for good", "–"],
        ["2,190", "–"],
    ]


@pytest.mark.parametrize("by", ["reference", "patient", "result"])
async def test_a_hold_is_placed_keeps_and_is_released(house: House, by: str) -> None:
    what = {"reference": REFERENCE, "patient": house.patient, "result": house.result}[by]
    why = f"Claim 12/2026 by {by} <b>"
    done = await place(house, by=by, what=f" {what} ", reason=why)
    assert (done.status_code, done.headers["location"]) == (303, "/retention")
    page = (await house.boss.client.get("/retention")).text
    (row,) = cells(page, "holds")
    assert row[0] == why
    assert (house.result if by == "result" else house.patient) in row[1]
    assert str(house.boss.id) in row[2]
    # The reference is in no page of theirs, and not in the trail.
    assert REFERENCE not in page
    told = await rows(house.opened, select(AuditEventRow.detail, AuditEventRow.object_id))
    assert not any(REFERENCE in one.detail + str(one.object_id) for one in told)
    kept = await house.boss.client.post(
        f"/results/{house.result}/delete", data={"reason": "duplicate"}
    )
    assert kept.status_code == 409
    (release,) = html.fromstring(page).xpath("//section[@aria-labelledby='holds']//form/@action")
    assert (await house.boss.client.post(release)).status_code == 303
    assert (await house.boss.client.post(release)).status_code == 404
    assert cells((await house.boss.client.get("/retention")).text, "holds") == []
    every = (await house.boss.client.get("/retention?all=1")).text
    newest = cells(every, "holds")[0]
    assert newest[0] == why
    assert newest[3].startswith("Released on ")
    kinds = {one.kind for one in await rows(house.opened, select(AuditEventRow.kind))}
    assert {"hold_placed", "hold_released"} <= kinds


@pytest.mark.parametrize(("fields", "wrong"), [
    ({}, {"by", "what", "reason"}),
    ({"by": "everybody", "what": "x", "reason": "y"}, {"by"}),
    ({"by": "result", "what": "4711", "reason": "y"}, {"what"}),
    ({"by": "result", "what": str(uuid4()), "reason": "y"}, {"what"}),
    ({"by": "patient", "what": str(uuid4()), "reason": "y"}, {"what"}),
    ({"by": "reference", "what": "nobody", "reason": "y"}, {"what"}),
    ({"by": "reference", "what": "n" * 65, "reason": "y"}, {"what"}),
    ({"by": "reference", "what": REFERENCE, "reason": "y" * 201}, {"reason"}),
    ({"by": "reference", "what": REFERENCE, "reason": "a\x00b"}, {"reason"}),
])  # fmt: skip
async def test_a_form_that_cannot_be_taken_says_why(
    house: House, fields: dict[str, str], wrong: set[str]
) -> None:
    refused = await place(house, **fields)
    assert refused.status_code == 422
    tree = html.fromstring(refused.text)
    assert set(tree.xpath("//*[@aria-invalid='true']/@name")) == wrong
    assert cells((await house.boss.client.get("/retention")).text, "holds") == []


async def test_another_site_s_are_like_none(house: House) -> None:
    async with person(house.opened, "north", "administrator", site="north") as other:
        for by, what in (
            ("reference", REFERENCE),
            ("patient", house.patient),
            ("result", house.result),
        ):
            fields = {"by": by, "what": what, "reason": "y"}
            refused = await other.client.post("/retention/holds", data=fields)
            assert refused.status_code == 422
        await place(house, by="result", what=house.result, reason="theirs alone")
        page = (await house.boss.client.get("/retention")).text
        (release,) = html.fromstring(page).xpath(
            "//section[@aria-labelledby='holds']//form/@action"
        )
        assert (await other.client.post(release)).status_code == 404
        assert "theirs alone" not in (await other.client.get("/retention?all=1")).text
        assert (await house.boss.client.post(release)).status_code == 303
