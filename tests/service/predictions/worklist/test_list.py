"""The list in every order, page by page, on either database; its filters; and what is next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from service.exams.schemas import from_json
from service.identity.actor import Actor
from service.language.formats import telling_time_in
from service.predictions.schemas import Prediction
from service.predictions.worklist.query import SORTS, Sort, WorklistQuery
from service.predictions.worklist.schemas import Listed, NoSuchPlaceError
from service.predictions.worklist.service import WorklistReading
from service.reviews.schemas import Override, Signature, Withdrawal
from service.storage.database import Database
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.worklist.test_service import reader

pytestmark = pytest.mark.anyio

SIGNED = Signature(action="sign", reviewer="A. Reader")
OTHERWISE = Override(
    action="override", reviewer="B. Reader", outcome="normal", reason="Only degeneration."
)
BACK = Withdrawal(action="withdraw", reviewer="A. Reader", reason="Signed the wrong one.")


def asked(**parameters: Any) -> WorklistQuery:
    return WorklistQuery.model_validate(parameters)


async def every(listed: WorklistReading, actor: Actor = ANYONE, **query: Any) -> list[Listed]:
    """Return all rows of ``query``, read page by page, and see that the pages are told rightly."""
    found: list[Listed] = []
    parameters = dict(query)
    for _ in range(50):
        page = await listed.page(actor, asked(**parameters))
        assert page.ahead == len(found)
        assert (page.previous is None) == (not found)
        found += page.rows
        if page.following is None:
            assert page.total == len(found)
            return found
        parameters = {**query, "after": page.following}
    raise AssertionError("the pages have no end")


def ids(found: list[Listed] | tuple[Listed, ...]) -> list[UUID]:
    return [one.result.id for one in found]


REFERENCES: Final = ["b-2", "A-1", None, "a-1", "ä-9", None, "Z"]


async def filled(database: Database) -> list[Prediction]:
    """Keep results with ties and gaps in all that lists are ordered by."""
    on = verbs(database)
    there = [
        made(number // 2, probability=probability, outcome=outcome)
        for number, (probability, outcome) in enumerate(
            [
                (0.5, "indeterminate"), (0.1, "normal"), (None, "refused"), (0.5, "osteoporosis"),
                (0.9, "osteoporosis"), (None, "refused"), (0.3, "normal"),
            ]
        )
    ]  # fmt: skip
    names = ["b.dcm", None, "A.dcm", "a.dcm", None, "c.dcm", "b.dcm"]
    days = ["2026-01-05", None, "2025-12-01", "2026-01-05", None, None, "1999-01-01"]
    for one, reference, name, on_day in zip(there, REFERENCES, names, days, strict=True):
        facts = {"patient_reference": reference, "acquired_on": on_day}
        await on.predictions.keep(ANYONE, one, b"x", name=name, facts=from_json(facts))
    await on.reviews.sign(ANYONE, there[1].id, SIGNED, there[1].outcome)
    await on.reviews.sign(ANYONE, there[3].id, OTHERWISE, there[3].outcome)
    await on.reviews.sign(ANYONE, there[4].id, SIGNED, there[4].outcome)
    await on.reviews.withdraw(ANYONE, there[4].id, BACK, there[4].outcome)
    ann = await reader(database, "Ann")
    await on.worklist.assign(ANYONE, there[0].id, ann)
    await on.worklist.assign(ANYONE, there[5].id, await reader(database, "bob"))
    return there


def _state(one: Listed) -> int:
    review = one.result.review if isinstance(one.result, Prediction) else None
    return {None: 0, "sign": 1, "override": 2}[review.action if review else None]


def _rank(one: Listed) -> float:
    found = one.result
    assert isinstance(found, Prediction)
    return -1.0 if found.probability is None else found.probability


KEYS: Final[dict[str, Callable[[Listed], Any]]] = {
    "analysed": lambda one: one.result.created_at,
    "probability": _rank,
    "exam": lambda one: one.acquired_on or date(1, 1, 1),
    "outcome": lambda one: getattr(one.result, "outcome", ""),
    "state": _state,
}
"""Of texts the database decides; what is asserted of these is below."""


@pytest.mark.parametrize("limit", [2, 3])
async def test_pages_are_complete_in_every_order(database: Database, limit: int) -> None:
    there = await filled(database)
    for sort in SORTS:
        await in_order(database, there, sort, limit)


async def in_order(database: Database, there: list[Prediction], sort: Sort, limit: int) -> None:
    listed = verbs(database).listed
    found = await every(listed, sort=sort, limit=limit)
    assert sorted(ids(found)) == sorted(one.id for one in there)
    column, descending = SORTS[sort]
    if column in KEYS:
        keys = [(KEYS[column](one), one.result.id.hex) for one in found]
        assert keys == sorted(keys, reverse=descending)
    # From the end to the start the same pages come, the other way round.
    backwards: list[UUID] = []
    before: UUID | None = found[-1].result.id
    while before is not None:
        page = await listed.page(ANYONE, asked(sort=sort, limit=limit, before=before))
        backwards = ids(page.rows) + backwards
        before = page.previous
    assert backwards == ids(found)[:-1]


async def test_texts_are_ordered_in_any_case_and_what_is_missing_comes_first(
    database: Database,
) -> None:
    await filled(database)
    listed = verbs(database).listed
    found = [one.patient.lower() for one in await every(listed, sort="patient", limit=2)]
    assert found[:4] == ["", "", "a-1", "a-1"]
    files = [one.file_name or "" for one in await every(listed, sort="file", limit=2)]
    assert [name.lower() for name in files] == [
        "", "", "a.dcm", "a.dcm", "b.dcm", "b.dcm", "c.dcm",
    ]  # fmt: skip
    readers = [one.entry.reader for one in await every(listed, sort="reader-down", limit=2)]
    assert readers == ["bob", "Ann", None, None, None, None, None]


async def test_what_is_read_meanwhile_leaves_nothing_out(database: Database) -> None:
    """Counting rows would: of twenty signed on a page, twenty unread ones would be passed."""
    there = [made(number) for number in range(6)]
    await keep(database, *there)
    on = verbs(database)
    first = await on.listed.page(ANYONE, asked(reviewed="false", limit=3))
    assert ids(first.rows) == [one.id for one in there[:2:-1]]
    for row in first.rows:
        await on.reviews.sign(ANYONE, row.result.id, SIGNED, "osteoporosis")
    await keep(database, made(100))
    query = asked(reviewed="false", limit=3, after=first.following)
    second = await on.listed.page(ANYONE, query)
    assert ids(second.rows) == [one.id for one in there[2::-1]]
    assert (second.total, second.ahead) == (4, 1)


async def test_a_place_that_is_gone_is_told(database: Database) -> None:
    there = await filled(database)
    on = verbs(database)
    with pytest.raises(NoSuchPlaceError):
        await on.listed.page(ANYONE, asked(after=uuid4()))
    other = Actor(site="south", roles=ANYONE.roles)
    with pytest.raises(NoSuchPlaceError):
        await on.listed.page(other, asked(after=there[0].id))
    assert (await on.listed.page(other, asked())).total == 0


async def test_filters(database: Database) -> None:
    there = await filled(database)
    on = verbs(database)
    ann = next(one for one in await on.worklist.readers(ANYONE) if one.name == "Ann")
    me = Actor(id=ann.id, roles=frozenset({"clinician"}))
    await on.worklist.flag(ANYONE, there[6].id, True)
    await on.worklist.retire(ANYONE, there[2].id, "test")
    batch = await on.batches.start(ANYONE, 2)
    await on.batches.record(ANYONE, batch.id, 0, there[3].id)
    cases: list[tuple[dict[str, Any], set[int]]] = [
        ({}, {0, 1, 3, 4, 5, 6}),
        ({"retired": "true"}, {2}),
        ({"reviewed": "true"}, {1, 3}),
        ({"reviewed": "false"}, {0, 4, 5, 6}),
        ({"flagged": "true"}, {6}),
        ({"flagged": "false"}, {0, 1, 3, 4, 5}),
        ({"mine": "true"}, {0}),
        ({"mine": "true", "reviewed": "true"}, set()),
        ({"outcome": "osteoporosis"}, {3, 4}),
        ({"batch": batch.id}, {3}),
        ({"batch": uuid4()}, set()),
    ]
    for query, expected in cases:
        page = await on.listed.page(me, asked(**query))
        assert set(ids(page.rows)) == {there[number].id for number in expected}, query
        assert page.total == len(expected)
    # Where nobody signs in nothing is assigned to them.
    assert (await on.listed.page(ANYONE, asked(mine="true"))).total == 0


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("a-1", {"A-1", "a-1"}),
        ("A", {"A-1", "a-1"}),
        ("-", {"b-2", "A-1", "a-1", "ä-9"}),
        ("2", {"b-2"}),
        ("%", set()),
        ("_", set()),
        ("/", set()),
        ("' OR 1=1 --", set()),
    ],
)
async def test_patients_are_found_by_a_part_in_any_case(
    database: Database, part: str, found: set[str]
) -> None:
    there = await filled(database)
    on = verbs(database)
    keys = await on.patients.search(ANYONE, part, 10)
    assert set(await on.patients.references(ANYONE, keys)) == found
    other = Actor(site="south", roles=ANYONE.roles)
    assert await on.patients.search(other, part, 10) == ()
    assert await on.patients.references(other, keys) == ()
    if keys:
        page = await on.listed.page(ANYONE, asked(patient=",".join(map(str, keys))))
        expected = {one.id for one, name in zip(there, REFERENCES, strict=True) if name in found}
        assert set(ids(page.rows)) == expected


async def test_letters_beyond_ascii_are_found_in_any_case_on_sqlite(database: Database) -> None:
    """PostgreSQL goes by the locale that the database was made with."""
    await filled(database)
    keys = await verbs(database).patients.search(ANYONE, "Ä", 10)
    assert len(keys) <= 1
    if database.is_sqlite:
        assert len(keys) == 1


async def test_days_are_those_of_the_site(database: Database) -> None:
    # 23:00 UTC of the first day of the year is the second one in Berlin.
    late = made(23)
    await keep(database, late)
    listed = verbs(database).listed
    query = {"from": "2026-01-02", "to": "2026-01-02"}
    assert (await listed.page(ANYONE, asked(**query))).total == 0
    with telling_time_in(ZoneInfo("Europe/Berlin")):
        assert (await listed.page(ANYONE, asked(**query))).total == 1
        for end in ({"to": "9999-12-31"}, {"from": "0001-01-01"}):
            assert (await listed.page(ANYONE, asked(**end))).total == 1


async def test_the_name_of_a_file_orders_and_shows_for_its_sender_alone(
    database: Database,
) -> None:
    on = verbs(database)
    ann = Actor(id=uuid4(), roles=frozenset({"clinician"}))
    bob = Actor(id=uuid4(), roles=frozenset({"clinician"}))
    one, other = made(0), made(1)
    await on.predictions.keep(ann, one, b"x", name="z.dcm")
    await on.predictions.keep(bob, other, b"x", name="a.dcm")
    for actor, first in ((ann, one), (bob, other)):
        page = await on.listed.page(actor, asked(sort="file-down"))
        assert ids(page.rows)[0] == first.id
        assert sum(row.file_name is not None for row in page.rows) == 1


async def test_what_is_next_is_unread_and_nobody_else_s(database: Database) -> None:
    there = [made(number) for number in range(6)]
    await keep(database, *there)
    on = verbs(database)
    ann = await reader(database, "Ann")
    bob = await reader(database, "Bob")
    me = Actor(id=ann, roles=frozenset({"clinician"}))
    await on.reviews.sign(ANYONE, there[4].id, SIGNED, "osteoporosis")
    await on.worklist.retire(ANYONE, there[3].id, "test")
    await on.worklist.assign(ANYONE, there[2].id, bob)
    await on.worklist.assign(ANYONE, there[1].id, ann)
    seen, at = [], None
    for _ in range(4):
        at = await on.listed.next_unread(me, at)
        seen.append(at)
    # Older and older ones, then from the start again.
    assert seen == [there[number].id for number in (5, 1, 0, 5)]
    assert await on.listed.next_unread(me, uuid4()) == there[5].id
    for number in (5, 1, 0):
        await on.reviews.sign(ANYONE, there[number].id, SIGNED, "osteoporosis")
    assert await on.listed.next_unread(me, there[0].id) is None
    assert await on.listed.next_unread(Actor(site="south", roles=me.roles), None) is None
