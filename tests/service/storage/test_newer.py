"""Rows of a newer version, or damaged ones: read as far as this version understands them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from lxml import html
from sqlalchemy import text

from service.exams.schemas import from_json
from service.predictions.answers import answer
from service.predictions.heat_maps.schemas import EXAMPLE, HeatMap
from service.predictions.query import Query
from service.predictions.schemas import Prediction
from service.reviews.schemas import Signature
from service.settings import Settings
from service.storage.database import Database
from service.storage.documents import Unreadable
from service.storage.errors import UnreadableError
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.records import ANYONE, keep, keep_map, kept_map, made, verbs
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem, assert_well_made

pytestmark = pytest.mark.anyio


async def rewritten(database: Database, table: str, column: str, id: UUID, value: Any) -> None:
    """Write ``value`` where another version would have; a text is taken as it is."""
    which = {
        "prediction": "id = :id",
        "exam": "id = (SELECT exam_id FROM image JOIN prediction ON image.id = image_id "
        "WHERE prediction.id = :id)",
    }.get(table, "prediction_id = :id")
    async with database.begin() as connection:
        await connection.execute(
            text(f"UPDATE {table} SET {column} = :value WHERE {which}"),  # noqa: S608 - ours
            {
                "value": value if isinstance(value, str) else json.dumps(value),
                "id": id.hex if database.is_sqlite else id,
            },
        )


def newer(one: Prediction, **changes: Any) -> dict[str, Any]:
    document = one.model_dump(mode="json", exclude={"review"})
    document["quality"]["sharpness"] = 0.7
    return {**document, "muscles": [{"name": "psoas"}], **changes}


async def test_fields_that_are_not_known_are_ignored(database: Database) -> None:
    one = made(0)
    await keep(database, one)
    await rewritten(database, "prediction", "document", one.id, newer(one))
    assert await verbs(database).predictions.get(ANYONE, one.id) == one
    found, _ = await verbs(database).predictions.page(ANYONE, Query.model_validate({}))
    assert found == (one,)


async def test_one_row_that_cannot_be_read_hides_no_other(settings: Settings) -> None:
    counted: list[str] = []
    database = Database(settings, counted.append)
    await database.migrate()
    there = [made(number) for number in range(5)]
    await keep(database, *there)
    await rewritten(
        database, "prediction", "document", there[3].id, newer(there[3], outcome="fracture")
    )
    asked: dict[str, Any] = {"limit": 2}
    pages = []
    while asked:
        found, following = await verbs(database).predictions.page(
            ANYONE, Query.model_validate(asked)
        )
        pages.append(found)
        asked = {"limit": 2, "after": following.cursor()} if following else {}
    bad = Unreadable(there[3].id, there[3].created_at)
    assert pages == [(there[4], bad), (there[2], there[1]), (there[0],)]
    assert counted == ["prediction"]
    with pytest.raises(UnreadableError):
        await verbs(database).predictions.get(ANYONE, there[3].id)
    await database.close()


async def test_what_is_no_json_hides_no_other(tmp_path: Path) -> None:
    async with running() as runners, front(tmp_path, runners) as opened:
        database = opened.app.state.health.database
        one, other = made(0), made(1)
        await keep(database, one, other)
        await rewritten(database, "prediction", "document", one.id, '{"id": "cut')
        listed = (await opened.client.get(API)).json()
        assert [item["id"] for item in listed["items"]] == [str(other.id)]
        assert listed["unreadable"] == [str(one.id)]


async def test_a_review_that_cannot_be_read_is_not_left_out(database: Database) -> None:
    """Without it the result would pass for one that nobody has overridden."""
    one = made(0)
    await keep(database, one)
    await verbs(database).reviews.sign(
        ANYONE, one.id, Signature(action="sign", reviewer="A. Reader"), one.outcome
    )
    await rewritten(database, "review", "action", one.id, "amend")
    found, _ = await verbs(database).predictions.page(ANYONE, Query.model_validate({}))
    assert found == (Unreadable(one.id, one.created_at),)


async def test_facts_that_are_not_known_are_kept(database: Database) -> None:
    one = made(0)
    await keep(database, one)
    exams = verbs(database).exams
    await exams.change(ANYONE, one.id, from_json({"t_score": -1.0}))
    await rewritten(database, "exam", "facts", one.id, {"t_score": -1.0, "hip_bmd": 0.8})
    found = await exams.get(ANYONE, one.id)
    assert found is not None
    assert found.t_score == -1.0
    for facts in ({"t_score": -2.0}, {}):
        await exams.change(ANYONE, one.id, from_json(facts))
        async with database.connect() as connection:
            stored = await connection.scalar(text("SELECT facts FROM exam"))
        told = json.loads(stored) if isinstance(stored, str) else stored
        # Who entered the number stands beside it, and goes with it.
        entered = [one["value"] for one in told.pop("entered_by", ())]
        assert entered == list(facts.values())
        assert told == {**facts, "hip_bmd": 0.8}


async def test_facts_that_cannot_be_read_are_told(database: Database) -> None:
    one, other = made(0), made(1)
    await keep(database, one, other)
    exams = verbs(database).exams
    for it in (one, other):
        exam = await exams.change(
            ANYONE, it.id, from_json({"patient_reference": "p", "sex": "female"})
        )
    await rewritten(database, "exam", "facts", one.id, {"sex": "unknown"})
    with pytest.raises(UnreadableError):
        await exams.get(ANYONE, one.id)
    assert (await answer(ANYONE, one, exams)).conflicts is None
    assert (await answer(ANYONE, other, exams)).conflicts == ()
    assert exam is not None
    patient = await verbs(database).predictions.timeline(ANYONE, exam.patient_key or one.id)
    assert patient is not None
    assert (len(patient.exams), patient.unreadable) == (1, 1)


async def test_a_map_that_cannot_be_read_is_drawn_again(database: Database) -> None:
    one = made(0)
    await keep(database, one)
    await keep_map(database, one.id, HeatMap.model_validate(EXAMPLE))
    await rewritten(database, "heat_map", "rows", one.id, {"no": "rows"})
    assert await kept_map(database, one.id, "cnn") is None


async def test_a_line_of_a_batch_that_cannot_be_read_is_told_as_such(database: Database) -> None:
    one = made(0)
    await keep(database, one)
    batches = verbs(database).batches
    batch = await batches.start(ANYONE, 1)
    await batches.record(ANYONE, batch.id, 0, one.id)
    await rewritten(database, "prediction", "document", one.id, {"id": str(one.id)})
    (line,) = await batches.lines(ANYONE, batch.id, 0, 10)
    assert (line.prediction, line.unreadable) == (None, True)
    assert "unreadable" not in line.model_dump(mode="json")


@pytest.fixture
async def hidden(shared: Front, png: bytes) -> str:
    """The id of a result whose document this version does not understand."""
    id: str = (await shared.post(png)).json()["id"]
    database = shared.app.state.health.database
    await rewritten(database, "prediction", "document", UUID(id), {"id": id, "outcome": "new"})
    return id


async def test_pages_and_api_tell_of_it_and_let_it_be_deleted(shared: Front, hidden: str) -> None:
    listed = (await shared.client.get(API)).json()
    assert hidden in listed["unreadable"]
    assert_problem(await shared.client.get(f"{API}/{hidden}"), "row_unreadable")
    assert_error_page(await shared.client.get(f"/results/{hidden}"), "row_unreadable")
    page = html.fromstring((await shared.client.get("/history")).text)
    assert_well_made(page)
    (row,) = page.xpath(f"//tr[.//a/@href='/results/{hidden}/delete']")
    assert "Cannot be read here" in row.text_content()
    assert await shared.sample("osteoserve_rows_unreadable_total", table="prediction") > 0
    asked = await shared.client.get(f"/results/{hidden}/delete")
    assert asked.status_code == 200
    assert_well_made(html.fromstring(asked.text))
    assert (await shared.client.post(f"/results/{hidden}/delete")).status_code == 303
    assert hidden not in (await shared.client.get(API)).json()["unreadable"]


async def test_a_result_is_shown_without_facts_that_cannot_be_read(
    shared: Front, png: bytes
) -> None:
    id: str = (await shared.post(png + uuid4().bytes)).json()["id"]
    facts = {"sex": "female", "patient_reference": "someone"}
    key = (await shared.client.put(f"{API}/{id}/study", json=facts)).json()["patient_key"]
    await rewritten(shared.app.state.health.database, "exam", "facts", UUID(id), {"sex": "unknown"})
    page = await shared.client.get(f"/results/{id}")
    assert page.status_code == 200
    assert "cannot be read here" in page.text
    assert_well_made(html.fromstring(page.text))
    assert_error_page(await shared.client.get(f"/results/{id}/study"), "row_unreadable")
    over_time = await shared.client.get(f"/patients/{key}")
    assert "One more study of this patient cannot be read here" in over_time.text
