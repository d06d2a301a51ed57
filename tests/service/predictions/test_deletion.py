"""Who deletes a result, why, and that a signed one stays (PEOPLE, attack 41)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from lxml import html
from sqlalchemy import select, text

from service.exams.schemas import from_json
from service.predictions import repository
from service.predictions.schemas import DELETION_REASONS, SignedError
from service.reviews.schemas import Override, Signature
from service.storage.database import Database
from service.storage.errors import GoneError
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.reviews import ReviewRow
from tests.service.kit.accounts import Somebody, bearer, browser, key, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem, assert_well_made

pytestmark = pytest.mark.anyio

SIGNATURE = Signature(reviewer="A. Reader", action="sign", reason=None)
OVERRIDE = Override(
    reviewer="A. Reader", action="override", outcome="normal", reason="Artefact at L2."
)
SIGN = {"action": "sign"}
OVERRIDDEN = {"action": "override", "outcome": "normal", "reason": "Artefact at L2."}


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
async def both(guarded: Front) -> AsyncIterator[Somebody]:
    async with person(guarded, "both", "clinician", "administrator") as somebody:
        yield somebody


@pytest.fixture(scope="module")
async def manager(guarded: Front) -> AsyncIterator[Somebody]:
    async with person(guarded, "manager", "administrator") as somebody:
        yield somebody


async def judged(somebody: Somebody, png: bytes) -> str:
    return str((await somebody.client.post(API, content=png)).json()["id"])


async def deletions(opened: Front, id: str) -> list[Any]:
    database = Database(opened.settings)
    async with database.connect() as connection:
        rows = await connection.execute(
            select(AuditEventRow.account_id, AuditEventRow.detail).where(
                AuditEventRow.kind == "prediction_deleted", AuditEventRow.object_id == id
            )
        )
        found = [(row.account_id, json.loads(row.detail)["reason"]) for row in rows]
    await database.close()
    return found


@pytest.mark.parametrize("said", [SIGN, OVERRIDDEN], ids=["signed", "overridden"])
async def test_attack_41_what_is_signed_stays_whoever_asks_by_whichever_way(
    guarded: Front, both: Somebody, manager: Somebody, png: bytes, said: dict[str, str]
) -> None:
    id = await judged(both, png)
    facts = {"patient_reference": f"p-{id[:8]}", "t_score": -1.0}
    patient = (await both.client.put(f"{API}/{id}/study", json=facts)).json()["patient_key"]
    assert (await both.client.post(f"{API}/{id}/reviews", json=said)).status_code == 201
    program = bearer(await key(guarded, "administrator"))
    page, query = f"/results/{id}/delete", {"reason": "erasure"}
    async with browser(guarded) as client:
        for asked in (
            both.client.delete(f"{API}/{id}", params=query),
            manager.client.delete(f"{API}/{id}", params=query),
            manager.client.delete(f"{API}/{id}"),
            client.delete(f"{API}/{id}", params=query, headers=program),
        ):
            assert_problem(await asked, "result_signed")
    for somebody in (both, manager):
        refused = await somebody.client.post(page, data=query)
        assert refused.status_code == 409
        for shown in (refused, await somebody.client.get(page)):
            found = html.fromstring(shown.text)
            assert_well_made(found)
            assert "cannot be deleted" in found.text_content()
            assert not found.xpath(f"//form[@action='{page}']//button")
    history = html.fromstring((await both.client.get("/history")).text)
    assert history.xpath(f"//a[@href='/results/{id}']")
    assert not history.xpath(f"//a[@href='{page}']")
    for path in (f"{API}/{id}", f"{API}/{id}/image", f"{API}/{id}/reviews", f"/patients/{patient}"):
        assert (await both.client.get(path)).status_code == 200, path
    assert len((await both.client.get(f"{API}/{id}/reviews")).json()) == 1
    assert await deletions(guarded, id) == []


async def test_nobody_signs_in_and_what_is_signed_stays(shared: Front, png: bytes) -> None:
    place = (await shared.post(png)).headers["location"]
    signed = {**SIGN, "reviewer": "A. Reader"}
    assert (await shared.client.post(f"{place}/reviews", json=signed)).status_code == 201
    assert_problem(await shared.client.delete(place), "result_signed")
    id = place.rpartition("/")[2]
    assert (await shared.client.post(f"/results/{id}/delete")).status_code == 409
    assert (await shared.client.get(place)).status_code == 200


async def test_an_unsigned_one_is_the_administrator_s_with_a_reason(
    guarded: Front, both: Somebody, manager: Somebody, png: bytes
) -> None:
    async with (
        person(guarded, "reader", "clinician", "viewer", "auditor") as reader,
        browser(guarded) as client,
    ):
        id = await judged(reader, png)
        page = f"/results/{id}/delete"
        mine = bearer(await key(guarded, "integrator"))
        query = {"reason": "test"}
        for status, asked in (
            (403, reader.client.delete(f"{API}/{id}", params=query)),
            (403, reader.client.get(page)),
            (403, reader.client.post(page, data=query)),
            (403, client.delete(f"{API}/{id}", params=query, headers=mine)),
            (401, client.delete(f"{API}/{id}", params=query)),
            (303, client.post(page, data=query)),
        ):
            assert (await asked).status_code == status
        assert "Delete" not in (await reader.client.get("/history")).text
        # Without a reason, and with one that is none of those: nothing is deleted.
        for wrong in ({}, {"reason": ""}, {"reason": "Mrs SECRET asked"}):
            refused = await manager.client.delete(f"{API}/{id}", params=wrong)
            body = assert_problem(refused, "invalid_request")
            assert "duplicate" in body["detail"]
            assert "SECRET" not in refused.text
            asked_again = await manager.client.post(page, data=wrong)
            assert asked_again.status_code == 422
            (field,) = html.fromstring(asked_again.text).xpath("//select[@name='reason']")
            assert field.get("aria-invalid") == "true"
        assert (await reader.client.get(f"{API}/{id}")).status_code == 200
        done = await manager.client.post(page, data=query)
        # Who manages accounts alone has no list to go back to.
        assert (done.status_code, done.headers["location"]) == (303, "/people")
        assert_problem(await reader.client.get(f"{API}/{id}"), "prediction_not_found")
        assert await deletions(guarded, id) == [(manager.id, "test")]
        assert_error_page(await manager.client.post(page, data=query), "prediction_not_found")
        assert await deletions(guarded, id) == [(manager.id, "test")]


@pytest.mark.parametrize("reason", DELETION_REASONS)
async def test_each_reason_is_kept(guarded: Front, both: Somebody, png: bytes, reason: str) -> None:
    id = await judged(both, png)
    asked = html.fromstring((await both.client.get(f"/results/{id}/delete")).text)
    assert reason in asked.xpath("//select[@name='reason']/option/@value")
    done = await both.client.delete(f"{API}/{id}", params={"reason": reason})
    assert done.status_code == 204
    assert await deletions(guarded, id) == [(both.id, reason)]


@pytest.mark.parametrize("draft", [SIGNATURE, OVERRIDE], ids=["signed", "overridden"])
async def test_no_statement_takes_a_signature_along(
    database: Database, draft: Signature | Override
) -> None:
    """Nor do the image, the exam or the patient go from beneath a signed result."""
    facts = from_json({"patient_reference": "p", "bmd_g_cm2": 0.9})
    signed = made(0)
    twin = made(1, image=signed.model_dump(mode="json")["image"])
    await keep(database, signed, twin)
    on = verbs(database)
    assert await on.exams.change(ANYONE, signed.id, facts)
    await on.reviews.sign(ANYONE, signed.id, draft, "osteoporosis")
    with pytest.raises(SignedError):
        await on.predictions.delete(ANYONE, signed.id, "erasure")
    assert not await database.write(lambda to: repository.remove(to, signed.id))
    # Another result on the same image goes, and takes nothing of it along.
    assert await on.predictions.delete(ANYONE, twin.id)
    async with database.connect() as connection:
        for table in ("prediction", "canonical_image", "image", "review", "exam", "patient"):
            count = await connection.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - names of tables above
            assert count.scalar_one() == 1, table


async def test_of_a_signature_and_a_deletion_at_once_one_is_kept(database: Database) -> None:
    for number in range(12):
        one = made(number)
        await keep(database, one)
        on = verbs(database)
        ends = await asyncio.gather(
            on.predictions.delete(ANYONE, one.id),
            on.reviews.sign(ANYONE, one.id, SIGNATURE, one.outcome),
            return_exceptions=True,
        )
        async with database.connect() as connection:
            there = await connection.scalar(
                select(PredictionRow.id).where(PredictionRow.id == one.id)
            )
            reviews = select(ReviewRow.id).where(ReviewRow.prediction_id == one.id)
            signed = await connection.scalar(reviews)
        assert (there is None) == (signed is None) == (ends[0] is True)
        assert isinstance(ends[0], SignedError) or isinstance(ends[1], GoneError)


async def test_a_signed_one_that_cannot_be_read_stays_as_well(
    guarded: Front, both: Somebody, png: bytes
) -> None:
    id = await judged(both, png)
    assert (await both.client.post(f"{API}/{id}/reviews", json=SIGN)).status_code == 201
    database = Database(guarded.settings)
    newer = PredictionRow.__table__.update().where(PredictionRow.id == UUID(id))
    await database.write(lambda on: on.execute(newer.values(document={"outcome": "new"})))
    await database.close()
    query = {"reason": "quality"}
    assert_problem(await both.client.delete(f"{API}/{id}", params=query), "result_signed")
    assert (await both.client.post(f"/results/{id}/delete", data=query)).status_code == 409
