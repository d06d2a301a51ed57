"""The worklist in SQL: a row for each result that somebody has done something with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import Within
from service.storage.tables.identity import MembershipRow, PersonRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.worklist import WorklistRow
from service.storage.within import seen
from service.worklist.schemas import RETIREMENT_REASONS, Entry, Reader, RetirementReason


async def lock(connection: AsyncConnection, within: Within, prediction_id: UUID) -> bool:
    """Hold the prediction until the transaction ends; False when it is not there to be seen."""
    known = select(PredictionRow.id).where(
        PredictionRow.id == prediction_id, seen(PredictionRow, within)
    )
    return await connection.scalar(known.with_for_update(key_share=True)) is not None


async def get(connection: AsyncConnection, within: Within, prediction_id: UUID) -> Entry | None:
    """Return what was done with a prediction; None where there is none to be seen."""
    query = (
        select(
            WorklistRow.flagged_at,
            WorklistRow.assigned_to,
            PersonRow.name,
            WorklistRow.retired_at,
            WorklistRow.retired_reason,
        )
        .select_from(PredictionRow)
        .outerjoin(WorklistRow, WorklistRow.prediction_id == PredictionRow.id)
        .outerjoin(PersonRow, PersonRow.id == WorklistRow.assigned_to)
        .where(PredictionRow.id == prediction_id, seen(PredictionRow, within))
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Entry(
        flagged_at=row.flagged_at,
        assigned_to=row.assigned_to,
        reader=row.name,
        retired_at=row.retired_at,
        retired_reason=known_reason(row.retired_reason),
    )


async def put(connection: AsyncConnection, prediction_id: UUID, **values: Any) -> None:
    """Write ``values`` beside what is there already."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(WorklistRow).values(prediction_id=prediction_id, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["prediction_id"], set_=values)
    )


async def readers(connection: AsyncConnection, site: str) -> tuple[Reader, ...]:
    """Return those who may sign at ``site``, by name."""
    query = (
        select(PersonRow.id, PersonRow.name)
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .where(
            MembershipRow.site == site,
            MembershipRow.role == "clinician",
            PersonRow.disabled_at.is_(None),
        )
        # A role may be given by hand and by a group.
        .distinct()
        .order_by(PersonRow.name, PersonRow.id)
    )
    return tuple(Reader(id=row.id, name=row.name) for row in await connection.execute(query))


def known_reason(kept: str | None) -> RetirementReason | None:
    return next((one for one in RETIREMENT_REASONS if one == kept), None)
