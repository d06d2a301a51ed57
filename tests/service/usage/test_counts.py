"""What is counted of a site's use, on either database: by month, of one site, and no more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from service.exams.schemas import from_json
from service.identity.actor import Actor
from service.predictions.schemas import EXAMPLE, Prediction
from service.reviews.schemas import Override, Signature, Withdrawal
from service.storage.database import Database
from service.storage.transaction import Transactions
from service.usage.export import rows
from service.usage.schemas import Month, Period, Use
from service.usage.service import Usage
from tests.service.kit.records import ANYONE, keep, made, verbs

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
SIGN = Signature(reviewer="A. Reader", action="sign", reason=None)
OTHERWISE = Override(
    reviewer="A. Reader", action="override", outcome="indeterminate", reason="Degeneration."
)
FEBRUARY = 31 * 24
MARCH = 59 * 24


def period(length: int = 3, zone: Any = UTC) -> Period:
    return Period.of(length, NOW, zone)


async def used(database: Database, actor: Actor = ANYONE, within: Period | None = None) -> Use:
    return await Usage(Transactions(database)).of(actor, within or period())


def refused(number: int, *reasons: str) -> Prediction:
    return made(
        number,
        outcome="refused",
        probability=None,
        version=None,
        quality={"accepted": False, "reasons": list(reasons), "findings": ["axis_tilt"]},
    )


async def test_months_are_those_of_the_site_s_zone(database: Database) -> None:
    # 31 January, 23:30 in London, when it is February in Berlin.
    await keep(database, made(FEBRUARY, created_at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC)))
    told = [one.results for one in (await used(database)).months]
    assert told == [1, 0, 0]
    here = period(zone=ZoneInfo("Europe/Berlin"))
    assert [one.results for one in (await used(database, within=here)).months] == [0, 1, 0]
    assert [str(one) for one in here.months] == ["2026-01-01", "2026-02-01", "2026-03-01"]
    assert str(period(12).months[0]) == "2025-04-01"


async def test_outcomes_and_what_has_become_of_them(database: Database) -> None:
    on = verbs(database)
    there = [made(MARCH + number) for number in range(6)]
    await keep(database, *there, made(MARCH, outcome="normal", degraded=True), made(0))
    await on.reviews.sign(ANYONE, there[0].id, SIGN, "osteoporosis")
    await on.reviews.sign(ANYONE, there[1].id, SIGN, "osteoporosis")
    await on.reviews.sign(ANYONE, there[1].id, OTHERWISE, "osteoporosis")
    await on.reviews.sign(ANYONE, there[2].id, SIGN, "osteoporosis")
    taken_back = Withdrawal(reviewer="A. Reader", action="withdraw", reason="The wrong patient.")
    await on.reviews.withdraw(ANYONE, there[2].id, taken_back, "osteoporosis")
    await on.reviews.sign(ANYONE, there[3].id, SIGN, "osteoporosis")
    await on.worklist.retire(ANYONE, there[4].id, "duplicate")
    january, february, march = (await used(database)).months
    assert (january.results, february.results, march.results) == (1, 0, 7)
    assert march.outcomes == {"osteoporosis": 6, "normal": 1}
    assert (march.signed, march.overridden, march.withdrawn, march.unread) == (2, 1, 1, 3)
    assert (march.degraded, march.retired) == (1, 1)
    assert march.override_rate == pytest.approx(1 / 3)
    assert february.override_rate is None
    assert february == Month(first=february.first)


async def test_refusals_by_each_of_their_reasons(database: Database) -> None:
    await keep(
        database,
        refused(MARCH, "implant"),
        refused(MARCH + 1, "implant", "off_centre"),
        refused(0, "not_spine_dxa"),
        # What only warns is no refusal.
        made(MARCH, quality={**EXAMPLE["quality"], "reasons": ["scan_area"]}),
    )
    january, _, march = (await used(database)).months
    assert january.refusals == {"not_spine_dxa": 1}
    assert march.refusals == {"implant": 2, "off_centre": 1}
    assert march.outcomes["refused"] == 2


async def test_agreement_is_of_t_scores_that_apply_and_of_clear_answers(
    database: Database,
) -> None:
    on = verbs(database)
    woman: dict[str, Any] = {"sex": "female", "age_years": 67}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("osteoporosis", {"t_score": -2.5, **woman}),
        ("osteoporosis", {"t_score": -2.4, **woman}),
        ("normal", {"t_score": -1.0, "sex": "male", "age_years": 50}),
        ("indeterminate", {"t_score": -3.0, **woman}),
        # None of these has a T-score that applies, or is to be counted.
        ("osteoporosis", {"t_score": -3.0, "sex": "female", "age_years": 30}),
        ("osteoporosis", {"t_score": -3.0, "sex": "female", "age_years": 52}),
        ("osteoporosis", {"t_score": -3.0, "sex": "male", "age_years": 49}),
        ("osteoporosis", {"t_score": -3.0}),
        ("osteoporosis", woman),
        ("refused", {"t_score": -3.0, **woman}),
        ("normal", {"t_score": -3.0, **woman}),
    ]
    there = [made(MARCH + number, outcome=outcome) for number, (outcome, _) in enumerate(cases)]
    await keep(database, *there)
    for one, (_, facts) in zip(there, cases, strict=True):
        await on.exams.change(ANYONE, one.id, from_json(facts))
    await on.worklist.retire(ANYONE, there[-1].id, "duplicate")
    march = (await used(database)).months[-1]
    assert march.beside == {
        ("osteoporosis", "osteoporosis"): 1,
        ("above", "osteoporosis"): 1,
        ("above", "normal"): 1,
        ("osteoporosis", "indeterminate"): 1,
    }
    assert (march.compared, march.answered) == (4, 3)
    assert march.agreement == pytest.approx(2 / 3)


async def test_versions_with_their_days_however_old(database: Database) -> None:
    old, new = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    there = [made(-9000, version=old), made(5, version=old), made(MARCH, version=new)]
    await keep(database, *there, refused(MARCH, "implant"))
    found = (await used(database)).versions
    assert [(one.version, one.results) for one in found] == [(new, 1), (old, 2)]
    assert (found[1].first, found[1].last) == (there[0].created_at, there[1].created_at)


async def test_another_site_is_not_counted(database: Database) -> None:
    await keep(database, made(MARCH))
    use = await used(database, Actor(site="elsewhere", roles=frozenset({"administrator"})))
    assert [one.results for one in use.months] == [0, 0, 0]
    assert use.versions == ()


async def test_what_is_damaged_is_counted_as_far_as_it_can_be(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL keeps nothing in a column of JSON that is none")
    broken, whole = refused(MARCH, "implant"), refused(MARCH + 1, "implant")
    await keep(database, broken, whole)
    await verbs(database).exams.change(ANYONE, broken.id, from_json({"t_score": -3.0}))
    async with database.begin() as connection:
        await connection.execute(
            text("UPDATE prediction SET document = '{' WHERE id = :id"), {"id": broken.id.hex}
        )
        await connection.execute(text("UPDATE exam SET facts = '{'"))
    march = (await used(database)).months[-1]
    assert march.outcomes == {"refused": 2}
    assert march.refusals == {"implant": 1}
    assert march.beside == {}


async def test_the_table_for_programs_has_a_row_for_each_count(database: Database) -> None:
    one = made(MARCH)
    await keep(database, one, refused(0, "implant"))
    await verbs(database).reviews.sign(ANYONE, one.id, SIGN, "osteoporosis")
    assert list(rows(await used(database))) == [
        ("2026-01", "outcome", "refused", 1),
        ("2026-01", "review", "unread", 1),
        ("2026-01", "refusal", "implant", 1),
        ("2026-03", "outcome", "osteoporosis", 1),
        ("2026-03", "review", "signed", 1),
        ("2026-03-01", "version", EXAMPLE["version"], 1),
    ]
