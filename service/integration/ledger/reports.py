"""Scanners' reports in the ledger's SQL: what waits to be read, and what each study's told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.exams.measurements import Measured
from service.integration.ledger.repository import note
from service.integration.ledger.schemas import Reported
from service.storage.encryption import readable
from service.storage.tables.ledger import ArrivalRow, CaseRow, JudgementRow


async def waiting(connection: AsyncConnection) -> Reported | None:
    """Return the report that waits longest to be read.

    It is not leased: who reads it for the second time changes nothing.
    """
    statement = (
        select(
            ArrivalRow.id, ArrivalRow.site, ArrivalRow.peer, ArrivalRow.study_uid, ArrivalRow.data
        )
        .where(ArrivalRow.state == "reading", ArrivalRow.data.is_not(None))
        .order_by(ArrivalRow.received_at)
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Reported(**{**row._asdict(), "data": readable(row.data)})


async def keep(connection: AsyncConnection, one: Reported, key: str, told: Measured) -> bool:
    """Keep what a report told; False where it has been read already."""
    numbers = {"key": key, "told": told.model_dump(mode="json")}
    return await _end(connection, one, state="read", reason=None, numbers=numbers)


async def refuse(connection: AsyncConnection, one: Reported, state: str, reason: str) -> bool:
    """Take no number of a report; of one that is ignored no byte is kept."""
    gone = {"data": None, "patient": None, "patient_sealed": None} if state == "ignored" else {}
    return await _end(connection, one, state=state, reason=reason, **gone)


async def _end(connection: AsyncConnection, one: Reported, **values: Any) -> bool:
    done = await connection.execute(
        update(ArrivalRow)
        .where(ArrivalRow.id == one.id, ArrivalRow.state == "reading")
        .values(**values)
    )
    if done.rowcount:
        await note(connection, None, values["state"], values["reason"], one.id)
    return bool(done.rowcount)


async def of_study(connection: AsyncConnection, site: str, study_uid: str) -> dict[str, Measured]:
    """Return what the reports of a study told, by their keys, in the order they came."""
    statement = (
        select(ArrivalRow.numbers)
        .where(
            ArrivalRow.study_uid == study_uid,
            ArrivalRow.site == site,
            ArrivalRow.state == "read",
            ArrivalRow.numbers.is_not(None),
        )
        .order_by(ArrivalRow.received_at, ArrivalRow.id)
    )
    found = await connection.scalars(statement)
    return {one["key"]: Measured.model_validate(one["told"]) for one in found}


async def predictions(connection: AsyncConnection, site: str, study_uid: str) -> tuple[UUID, ...]:
    """Return the predictions that a study's results were made of."""
    statement = (
        select(JudgementRow.prediction_id)
        .distinct()
        .join(CaseRow, CaseRow.id == JudgementRow.case_id)
        .where(CaseRow.study_uid == study_uid, CaseRow.site == site)
        .order_by(JudgementRow.prediction_id)
    )
    return tuple(await connection.scalars(statement))
