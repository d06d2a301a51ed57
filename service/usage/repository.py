"""Counts of a site's results in SQL: how many there are leaves it, and no result itself."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final, cast

from sqlalchemy import JSON, Select, Subquery, case, func, select, true, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from service.identity.actor import Within
from service.medicine.densitometry import OSTEOPOROSIS, applies
from service.reviews import repository as reviews
from service.storage.tables.exams import ExamRow
from service.storage.tables.images import ImageRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.worklist import WorklistRow
from service.storage.within import seen
from service.types import Outcome
from service.usage.schemas import Density, Month, Period, VersionUse

_RETIRED: Final = WorklistRow.retired_at.is_not(None)


async def months(connection: AsyncConnection, within: Within, period: Period) -> tuple[Month, ...]:
    found: defaultdict[int, dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    outcomes: defaultdict[int, dict[Outcome, int]] = defaultdict(lambda: defaultdict(int))
    for row in await _counted(connection, _judged(within, period)):
        counts, count = found[row.month], row.number
        outcomes[row.month][row.outcome] += count
        counts["degraded"] += count * row.degraded
        counts["retired"] += count * row.retired
        if row.standing is not None:
            counts["signed" if row.standing == "sign" else "overridden"] += count
        elif row.signed:
            counts["withdrawn"] += count
    refusals: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in await _counted(connection, _refused(connection, within, period)):
        refusals[row.month][row.reason] = row.number
    beside: defaultdict[int, dict[tuple[Density, Outcome], int]] = defaultdict(
        lambda: defaultdict(int)
    )
    for row in await _counted(connection, _measured(connection, within, period)):
        # Who has T-scores is decided in one place; a group here is of one sex and one age.
        if applies(row.sex, row.age, None).score == "t":
            density: Density = "osteoporosis" if row.low else "above"
            beside[row.month][density, row.outcome] += row.number
    return tuple(
        Month(
            first=first,
            outcomes=dict(outcomes[number]),
            refusals=refusals[number],
            beside=dict(beside[number]),
            **found[number],
        )
        for number, first in enumerate(period.months)
    )


async def versions(connection: AsyncConnection, within: Within) -> tuple[VersionUse, ...]:
    """Return the versions that judged anything, the one that did so last first."""
    last = func.max(PredictionRow.created_at).label("last")
    statement = (
        select(
            PredictionRow.version,
            func.count().label("number"),
            func.min(PredictionRow.created_at).label("first"),
            last,
        )
        .where(seen(PredictionRow, within), PredictionRow.version.is_not(None))
        .group_by(PredictionRow.version)
        .order_by(last.desc(), PredictionRow.version)
    )
    return tuple(
        VersionUse(version=row.version, results=row.number, first=row.first, last=row.last)
        for row in await connection.execute(statement)
    )


async def _counted(connection: AsyncConnection, rows: Subquery) -> list[Any]:
    """Return how many rows there are of each kind, as ``number`` beside the columns of ``rows``."""
    # Grouped outside: to PostgreSQL an expression with parameters is another each time it stands.
    statement = select(*rows.c, func.count().label("number")).group_by(*rows.c)
    return list(await connection.execute(statement))


def _judged(within: Within, period: Period) -> Subquery:
    statement = select(
        _month(period),
        PredictionRow.outcome,
        PredictionRow.degraded,
        _RETIRED.label("retired"),
        reviews.STANDING.label("standing"),
        reviews.SIGNED.label("signed"),
    )
    return _of(statement, within, period).subquery()


def _refused(connection: AsyncConnection, within: Within, period: Period) -> Subquery:
    reasons = _json(connection, PredictionRow.document)["quality"]["reasons"]
    if connection.dialect.name == "sqlite":
        whole = _json(connection, PredictionRow.document)
        each = func.json_each(whole, "$.quality.reasons").table_valued("value")
    else:
        listed = case((func.json_typeof(reasons) == "array", reasons), else_=None)
        each = func.json_array_elements_text(type_coerce(listed, JSON)).table_valued("value")
    statement = select(_month(period), each.c.value.label("reason"))
    statement = _of(statement, within, period).join(each, true())
    return statement.where(PredictionRow.outcome == "refused").subquery()


def _measured(connection: AsyncConnection, within: Within, period: Period) -> Subquery:
    facts = _json(connection, ExamRow.facts)
    t_score = facts["t_score"].as_float()
    statement = select(
        _month(period),
        PredictionRow.outcome,
        case((t_score <= OSTEOPOROSIS, 1), else_=0).label("low"),
        facts["sex"].as_string().label("sex"),
        facts["age_years"].as_integer().label("age"),
    )
    statement = (
        _of(statement, within, period)
        .join(ImageRow, ImageRow.id == PredictionRow.image_id)
        .join(ExamRow, ExamRow.id == ImageRow.exam_id)
        .where(PredictionRow.outcome != "refused", ~_RETIRED, t_score.is_not(None))
    )
    return statement.subquery()


def _of(statement: Select[Any], within: Within, period: Period) -> Select[Any]:
    """Return ``statement`` over the results of a site in a period."""
    return (
        statement.select_from(PredictionRow)
        .outerjoin(WorklistRow, WorklistRow.prediction_id == PredictionRow.id)
        .where(seen(PredictionRow, within), PredictionRow.created_at >= period.starts[0])
    )


def _month(period: Period) -> ColumnElement[int]:
    """Return the place of a result's month in the period."""
    begun = [
        (PredictionRow.created_at < end, number) for number, end in enumerate(period.starts[1:])
    ]
    last = len(period.months) - 1
    return (case(*begun, else_=last) if begun else func.abs(last)).label("month")


def _json(connection: AsyncConnection, column: InstrumentedAttribute[Any]) -> Any:
    """Return ``column`` as JSON, NULL where a damaged file has something else in it."""
    if connection.dialect.name != "sqlite":
        return type_coerce(column, JSON)
    sound = case((func.json_valid(column) == 1, cast("Any", column)), else_=None)
    return type_coerce(sound, JSON)
