"""One image, judged several times: kept once, known once, and gone with its last prediction."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from models.image.cropping import Box
from service.exams.schemas import from_json
from service.identity.actor import Actor
from service.medicine.sent import SentImage
from service.predictions.query import Query
from service.predictions.repository import SentPlace
from service.predictions.schemas import EXAMPLE, Prediction
from service.storage.database import Database
from tests.service.kit.records import ANYONE, keep, made, verbs

pytestmark = pytest.mark.anyio

ELSEWHERE = Actor(site="elsewhere")
FACTS = from_json({"patient_reference": "p", "t_score": -1.0})


def judged(number: int, file: str = "0" * 64) -> Prediction:
    return made(number, image={**EXAMPLE["image"], "sha256": file})


async def counts(database: Database) -> dict[str, Any]:
    async with database.connect() as connection:
        return {
            name: await connection.scalar(text(f"SELECT count(*) FROM {name}"))  # noqa: S608 - ours
            for name in ("prediction", "canonical_image", "image", "exam", "patient")
        }


SENT = SentImage(b"sent", Box(3, 5, 300, 400), (0.6, 0.5))


async def sent_images(database: Database) -> int:
    async with database.connect() as connection:
        counted = await connection.scalar(text("SELECT count(*) FROM sent_image"))
    return int(counted or 0)


async def test_an_image_is_kept_once_and_gone_with_its_last_prediction(
    database: Database,
) -> None:
    first, again, reframed = (judged(number) for number in range(3))
    await keep(database, first, again, png=b"one")
    await keep(database, reframed, png=b"other")
    on = verbs(database)
    await on.exams.change(ANYONE, first.id, FACTS)
    assert list((await counts(database)).values()) == [3, 2, 1, 1, 1]
    assert (
        await on.predictions.image(ANYONE, first.id)
        == await on.predictions.image(ANYONE, again.id)
        == b"one"
    )
    assert await on.predictions.image(ANYONE, reframed.id) == b"other"
    assert await on.predictions.delete(ANYONE, reframed.id)
    assert list((await counts(database)).values()) == [2, 1, 1, 1, 1]
    assert await on.predictions.delete(ANYONE, first.id)
    assert await on.predictions.image(ANYONE, again.id) == b"one"
    assert list((await counts(database)).values()) == [1, 1, 1, 1, 1]
    assert await on.predictions.delete(ANYONE, again.id)
    assert list((await counts(database)).values()) == [0, 0, 0, 0, 0]


async def test_as_it_was_sent_it_is_kept_once_and_gone_with_its_last_prediction(
    database: Database,
) -> None:
    on = verbs(database)
    first, again = judged(0), judged(1)
    for one in (first, again):
        await on.predictions.keep(ANYONE, one, b"x", sent=SENT)
        found = await on.predictions.sent(ANYONE, one.id)
        assert found is not None
        assert (found.png, found.box, found.spacing) == (SENT.png, SENT.box, SENT.spacing)
    places = await on.predictions.sent_places(ANYONE, [first.id, again.id])
    assert places == dict.fromkeys((first.id, again.id), SentPlace(SENT.box, SENT.spacing))
    assert await sent_images(database) == 1
    await on.predictions.delete(ANYONE, first.id)
    assert await on.predictions.sent(ANYONE, again.id) is not None
    await on.predictions.delete(ANYONE, again.id)
    assert await sent_images(database) == 0


async def test_as_it_was_sent_it_is_kept_by_whoever_sends_it_again(database: Database) -> None:
    on = verbs(database)
    before, later = judged(0), judged(1)
    await on.predictions.keep(ANYONE, before, b"x")
    assert await on.predictions.sent(ANYONE, before.id) is None
    spaceless = SentImage(SENT.png, SENT.box, None)
    await on.predictions.keep(ANYONE, later, b"x", sent=spaceless)
    found = await on.predictions.sent(ANYONE, before.id)
    assert found is not None
    assert found.spacing is None


async def test_as_it_was_sent_it_is_not_there_for_another_site(database: Database) -> None:
    on = verbs(database)
    here = judged(0)
    await on.predictions.keep(ANYONE, here, b"x", sent=SENT)
    assert await on.predictions.sent(ELSEWHERE, here.id) is None
    assert await on.predictions.sent_places(ELSEWHERE, [here.id]) == {}


async def test_facts_of_an_image_are_entered_once(database: Database) -> None:
    first, again = judged(0), judged(1)
    await keep(database, first)
    on = verbs(database)
    entered = await on.exams.change(ANYONE, first.id, FACTS)
    assert entered is not None
    await keep(database, again)
    known = await on.exams.get(ANYONE, again.id)
    assert known == entered.model_copy(update={"prediction_id": again.id})
    # Changed beside either of them, they are changed; and one exam is one point in time.
    changed = await on.exams.change(ANYONE, again.id, from_json({"patient_reference": "q"}))
    assert changed is not None
    found = await on.exams.get(ANYONE, first.id)
    assert found is not None
    assert (found.patient_reference, found.t_score) == ("q", None)
    assert await on.patients.find(ANYONE, "p") is None
    over_time = await on.predictions.timeline(ANYONE, changed.patient_key or first.id)
    assert over_time is not None
    assert [prediction.id for _, prediction in over_time.exams] == [again.id]
    # Nothing known is nothing kept.
    await on.exams.change(ANYONE, first.id, from_json({}))
    assert list((await counts(database)).values())[2:] == [1, 0, 0]


async def test_what_is_judged_while_its_like_is_deleted_keeps_its_image(
    database: Database,
) -> None:
    on = verbs(database)
    last = judged(0)
    await keep(database, last, png=b"one")
    for number in range(1, 12):
        following = judged(number)
        await asyncio.gather(
            on.predictions.delete(ANYONE, last.id), keep(database, following, png=b"one")
        )
        assert await on.predictions.image(ANYONE, following.id) == b"one"
        last = following
    assert list((await counts(database)).values()) == [1, 1, 1, 0, 0]


async def test_what_one_site_names_is_not_what_another_does(database: Database) -> None:
    on = verbs(database)
    here, there = judged(0), judged(1)
    await on.predictions.keep(ANYONE, here, b"x", "key")
    await on.predictions.keep(ELSEWHERE, there, b"x", "key")
    assert (await counts(database))["image"] == 2
    keys = {
        (await on.exams.change(actor, one.id, FACTS)).patient_key  # type: ignore[union-attr]
        for actor, one in ((ANYONE, here), (ELSEWHERE, there))
    }
    assert keys == {await on.patients.find(actor, "p") for actor in (ANYONE, ELSEWHERE)}
    assert len(keys) == 2
    for actor, one in ((ANYONE, here), (ELSEWHERE, there)):
        for query in (Query(), Query(image="0" * 64)):
            assert await on.predictions.page(actor, query) == ((one,), None)
