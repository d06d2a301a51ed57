"""What is let go when its time is over, kind by kind and site by site; what is held stays."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from service.exams.schemas import from_json
from service.holds.schemas import HeldError
from service.holds.service import Holds
from service.identity.actor import Actor
from service.predictions.schemas import SignedError
from service.retention.service import Retention
from service.retention.settings import RetentionSettings
from service.reviews.schemas import AnyDraft
from service.storage.database import Database
from service.storage.transaction import Transactions
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.retention.kept import (
    COMMENT,
    SIGNATURE,
    WITHDRAWAL,
    counts,
    listed,
    result,
    say,
    told,
)

pytestmark = pytest.mark.anyio

NORTH = Actor(site="north", roles=ANYONE.roles)
FEBRUARY = datetime(2026, 2, 10, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)


def policy(table: str) -> RetentionSettings:
    return RetentionSettings(retention=table)


async def test_images_go_and_their_results_stay(
    database: Database, transactions: Transactions
) -> None:
    old, young = await result(database, 0, "p", signed=True), await result(database, 900, "q")
    retention = Retention(policy('{"*": {"images": 30}}'), transactions)
    assert await retention.due(FEBRUARY) == {"default": {"images": 1}}
    assert await retention.apply(ANYONE, FEBRUARY) == {"default": {"images": 1}}
    on = verbs(database)
    assert await on.predictions.image(ANYONE, old.id) is None
    assert not await on.predictions.is_pictured(ANYONE, old.id)
    assert await on.predictions.image(ANYONE, young.id) == young.id.bytes
    exam = await on.exams.get(ANYONE, old.id)
    assert exam is not None
    assert exam.patient_reference == "p"
    (review,) = await on.reviews.of(ANYONE, old.id)
    assert review.intact
    assert await counts(database, "canonical_image", "heat_map", "image", "sent_image") == {
        "canonical_image": 1, "heat_map": 1, "image": 2, "sent_image": 1,
    }  # fmt: skip
    assert await told(database, "image_removed") == [{"reason": "retention"}]
    assert await told(database, "retention_applied") == [{"images": 1}]
    # Facts are changed as before, though there is nothing to see any more.
    assert await retention.apply(ANYONE, FEBRUARY) == {"default": {"images": 0}}


async def test_an_image_that_a_later_result_shows_stays(
    database: Database, transactions: Transactions
) -> None:
    old = await result(database, 0)
    again = made(900, image=old.image.model_dump(mode="json"))
    await keep(database, again, png=old.id.bytes)
    await Retention(policy('{"*": {"images": 30}}'), transactions).apply(ANYONE, FEBRUARY)
    on = verbs(database).predictions
    assert await on.image(ANYONE, old.id) is None
    assert await on.image(ANYONE, again.id) == old.id.bytes


async def test_signed_results_have_a_time_of_their_own_that_begins_with_the_signature(
    database: Database, transactions: Transactions
) -> None:
    signed, plain = await result(database, 0, "p", signed=True), await result(database, 0, "q")
    kept = Retention(policy('{"*": {"results": 30}}'), transactions)
    assert await kept.apply(ANYONE, FEBRUARY) == {"default": {"results": 1}}
    on = verbs(database)
    assert await on.predictions.get(ANYONE, plain.id) is None
    assert await on.predictions.get(ANYONE, signed.id) is not None
    # It was signed today, whenever it was made.
    gone = Retention(policy('{"*": {"signed": 3650}}'), transactions)
    assert await gone.apply(ANYONE) == {"default": {"signed": 0}}
    later = datetime(2046, 1, 1, tzinfo=UTC)
    assert await gone.apply(ANYONE, later) == {"default": {"signed": 1}}
    assert set((await counts(database, "prediction", "review", "image", "exam", "patient")).values(
    )) == {0}  # fmt: skip
    assert await told(database, "prediction_deleted") == [{"reason": "retention"}] * 2


@pytest.mark.parametrize(
    ("drafts", "kind"),
    [
        ((COMMENT,), "results"), ((SIGNATURE, WITHDRAWAL), "results"),
        ((SIGNATURE, COMMENT), "signed"), ((SIGNATURE, WITHDRAWAL, SIGNATURE), "signed"),
    ],
    ids=["comment", "withdrawn", "signed", "signed_again"],
)  # fmt: skip
async def test_what_stands_says_which_time_counts_and_the_last_word_when_it_begins(
    database: Database, transactions: Transactions, drafts: tuple[AnyDraft, ...], kind: str
) -> None:
    one = await result(database, 0, "p")
    await listed(database, one)
    await say(database, one, *drafts)
    retention = Retention(policy('{"*": {"signed": 30, "results": 30}}'), transactions)
    # All was said today, whenever it was made.
    assert await retention.apply(ANYONE) == {"default": {"signed": 0, "results": 0}}
    later = datetime(2046, 1, 1, tzinfo=UTC)
    assert await retention.due(later) == {"default": {"signed": 0, "results": 0, kind: 1}}
    assert await retention.apply(ANYONE, later) == {"default": {"signed": 0, "results": 0, kind: 1}}
    assert set((await counts(
        database, "prediction", "review", "worklist", "sent_image", "image", "exam", "patient",
    )).values()) == {0}  # fmt: skip


async def test_by_hand_a_withdrawn_signature_keeps_its_result_and_a_comment_does_not(
    database: Database,
) -> None:
    withdrawn, told_of = await result(database, 0), await result(database, 1)
    await say(database, withdrawn, SIGNATURE, WITHDRAWAL)
    await say(database, told_of, COMMENT)
    on = verbs(database).predictions
    with pytest.raises(SignedError):
        await on.delete(ANYONE, withdrawn.id, "test")
    assert await on.delete(ANYONE, told_of.id, "test")
    assert await counts(database, "prediction", "review") == {"prediction": 1, "review": 2}


async def test_a_site_has_its_own_times(database: Database, transactions: Transactions) -> None:
    await result(database, 0)
    await verbs(database).predictions.keep(NORTH, made(0), b"north")
    retention = Retention(
        policy('{"*": {"results": 30, "images": 10}, "north": {"results": 400}}'), transactions
    )
    assert await retention.apply(ANYONE, FEBRUARY) == {
        "default": {"results": 1, "images": 0}, "north": {"results": 0, "images": 1},
    }  # fmt: skip


async def test_nothing_held_is_removed_by_whatever_way(
    database: Database, transactions: Transactions
) -> None:
    one = await result(database, 0, "held", signed=True)
    other = await result(database, 0)
    exam = await verbs(database).exams.get(ANYONE, one.id)
    assert exam is not None
    assert exam.patient_key is not None
    holds, on = Holds(transactions), verbs(database)
    on_patient = await holds.place(ANYONE, "patient", exam.patient_key, "A claim.")
    on_result = await holds.place(ANYONE, "result", other.id, "A claim.")
    assert on_patient is not None
    assert on_result is not None
    everything = policy('{"*": {"images": 1, "results": 1, "signed": 1}}')
    retention = Retention(everything, transactions)
    later = datetime(2046, 1, 1, tzinfo=UTC)
    assert await retention.apply(ANYONE, later) == {
        "default": {"signed": 0, "results": 0, "images": 0}
    }
    with pytest.raises(HeldError):
        await on.predictions.delete(ANYONE, other.id, "test")
    # Nor can somebody take the patient away first.
    with pytest.raises(HeldError):
        await on.exams.change(ANYONE, one.id, from_json({}))
    assert [one.reason for one in await holds.all(ANYONE)] == ["A claim."] * 2
    assert await holds.release(ANYONE, on_patient.id)
    assert not await holds.release(ANYONE, on_patient.id)
    assert await holds.release(ANYONE, on_result.id)
    assert await retention.apply(ANYONE, later) == {
        "default": {"signed": 1, "results": 1, "images": 0}
    }
    assert len(await holds.all(ANYONE, released=True)) == 2
    assert len(await told(database, "hold_placed")) == len(await told(database, "hold_released"))


async def test_a_hold_of_another_site_is_none(
    database: Database, transactions: Transactions
) -> None:
    one = await result(database, 0)
    holds = Holds(transactions)
    assert await holds.place(NORTH, "result", one.id, "A claim.") is None
    placed = await holds.place(ANYONE, "result", one.id, "A claim.")
    assert placed is not None
    assert not await holds.release(NORTH, placed.id)
    assert await holds.all(NORTH) == ()


async def test_a_hold_and_a_deletion_at_once_do_not_pass_each_other(
    database: Database, transactions: Transactions
) -> None:
    for number in range(6):
        one = await result(database, number)
        held, gone = await asyncio.gather(
            Holds(transactions).place(ANYONE, "result", one.id, "A claim."),
            verbs(database).predictions.delete(ANYONE, one.id, "test"),
            return_exceptions=True,
        )
        there = await verbs(database).predictions.get(ANYONE, one.id)
        if there is None:
            assert gone is True
            assert held is None
        else:
            assert isinstance(gone, HeldError)
            assert held is not None


async def test_two_runs_at_once_remove_each_once(
    database: Database, transactions: Transactions
) -> None:
    for number in range(12):
        await result(database, number)
    retention = Retention(policy('{"*": {"results": 30}}'), transactions)
    runs = await asyncio.gather(retention.apply(ANYONE, OCTOBER), retention.apply(ANYONE, OCTOBER))
    assert sum(one["default"]["results"] for one in runs) == 12
    assert len(await told(database, "prediction_deleted")) == 12


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("[]", "an object of objects"), ("{", "no JSON"), ('{"*": {"photos": 3}}', "photos"),
        ('{"*": {"images": 0}}', "1 to 36525 days"), ('{"*": {"images": true}}', "days"),
        ('{"north": {"audit": 900}}', "under \"*\" alone"),
    ],
    ids=["list", "damaged", "kind", "nought", "boolean", "trail_of_a_site"],
)  # fmt: skip
def test_a_policy_that_is_none_says_what_is_allowed(table: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says.replace("*", r"\*")):
        policy(table)
