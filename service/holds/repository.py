"""Legal holds in SQL, and whether one is on what somebody is about to remove.

Whoever removes a result holds its row first and asks then; whoever places a hold holds the same
rows, so that neither passes the other unseen.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.holds.schemas import Hold, ObjectKind
from service.storage.tables.exams import ExamRow
from service.storage.tables.images import ImageRow
from service.storage.tables.patients import PatientRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.retention import HoldRow

_OPEN = HoldRow.released_at.is_(None)


def on_result() -> ColumnElement[bool]:
    """Return that a row of ``prediction`` is held, by itself or with its patient."""
    of_image = exists().where(
        ImageRow.id == PredictionRow.image_id,
        ExamRow.id == ImageRow.exam_id,
        HoldRow.object_id == ExamRow.patient_key,
        _OPEN,
    )
    return or_(exists().where(HoldRow.object_id == PredictionRow.id, _OPEN), of_image)


def on_patient() -> ColumnElement[bool]:
    """Return that a row of ``patient`` is held."""
    return exists().where(HoldRow.object_id == PatientRow.key, _OPEN)


async def is_result_held(connection: AsyncConnection, prediction_id: UUID) -> bool:
    statement = select(PredictionRow.id).where(PredictionRow.id == prediction_id, on_result())
    return await connection.scalar(statement) is not None


async def is_patient_held(connection: AsyncConnection, patient_key: UUID) -> bool:
    """Whether a patient, or any result of theirs, is held."""
    results = (
        select(PredictionRow.id)
        .join(ImageRow, ImageRow.id == PredictionRow.image_id)
        .join(ExamRow, ExamRow.id == ImageRow.exam_id)
        .where(ExamRow.patient_key == patient_key)
    )
    held = or_(HoldRow.object_id == patient_key, HoldRow.object_id.in_(results))
    return bool(await connection.scalar(select(exists().where(held, _OPEN))))


async def lock(connection: AsyncConnection, site: str, kind: ObjectKind, id: UUID) -> bool:
    """Hold the rows of what is to be held to the transaction's end; False: it is not there."""
    if kind == "result":
        one = select(PredictionRow.id).where(PredictionRow.id == id, PredictionRow.site == site)
        return await connection.scalar(one.with_for_update()) is not None
    of = (
        select(PredictionRow.id)
        .join(ImageRow, ImageRow.id == PredictionRow.image_id)
        .join(ExamRow, ExamRow.id == ImageRow.exam_id)
        .where(ExamRow.patient_key == id, PredictionRow.site == site)
        .order_by(PredictionRow.id)
    )
    await connection.execute(of.with_for_update(of=PredictionRow))
    patient = select(PatientRow.key).where(PatientRow.key == id, PatientRow.site == site)
    return await connection.scalar(patient.with_for_update()) is not None


async def add(connection: AsyncConnection, site: str, hold: Hold) -> None:
    await connection.execute(
        insert(HoldRow).values(
            id=hold.id,
            site=site,
            object_kind=hold.object_kind,
            object_id=hold.object_id,
            reason=hold.reason,
            placed_at=hold.placed_at,
            placed_by=hold.placed_by,
        )
    )


async def release(
    connection: AsyncConnection, site: str, id: UUID, at: datetime, by: UUID | None
) -> tuple[ObjectKind, UUID] | None:
    """End an open hold; return what it was on, None without one."""
    statement = (
        update(HoldRow)
        .where(HoldRow.id == id, HoldRow.site == site, _OPEN)
        .values(released_at=at, released_by=by)
        .returning(HoldRow.object_kind, HoldRow.object_id)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else (row.object_kind, row.object_id)


async def all(connection: AsyncConnection, site: str, *, released: bool) -> tuple[Hold, ...]:
    """Return the holds of a site, the oldest first; also those ``released``, if asked for."""
    columns = tuple(getattr(HoldRow, name) for name in Hold.__dataclass_fields__)
    statement = select(*columns).where(and_(HoldRow.site == site))
    if not released:
        statement = statement.where(_OPEN)
    rows = await connection.execute(statement.order_by(HoldRow.placed_at, HoldRow.id))
    return tuple(Hold(**row._asdict()) for row in rows)
