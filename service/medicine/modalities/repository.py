"""What other modalities measured of an exam, in SQL: beside its facts, and deleted with them."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.medicine.modalities.entered import Entered
from service.storage.tables.exams import ExamRow
from service.storage.tables.images import ImageRow
from service.storage.tables.predictions import PredictionRow


async def exam_of(connection: AsyncConnection, prediction_id: UUID) -> UUID:
    """Return the exam of a prediction's image, made where there is none. All three are held."""
    statement = (
        select(ImageRow.id, ImageRow.site, ImageRow.exam_id)
        .join(PredictionRow, PredictionRow.image_id == ImageRow.id)
        .where(PredictionRow.id == prediction_id)
    )
    image_id, site, exam_id = (await connection.execute(statement)).one()
    if exam_id is not None:
        found: UUID = exam_id
        return found
    made = uuid4()
    await connection.execute(insert(ExamRow).values(id=made, site=site, facts={}))
    await connection.execute(update(ImageRow).where(ImageRow.id == image_id).values(exam_id=made))
    return made


async def keep(connection: AsyncConnection, exam_id: UUID, entered: Entered) -> None:
    """Put ``entered`` in the place of what is kept of ``exam_id``."""
    former = await connection.scalar(select(ExamRow.modalities).where(ExamRow.id == exam_id))
    kept = entered.model_dump(mode="json", exclude_none=True)
    if isinstance(former, dict):
        # What a newer version has entered is not forgotten because this one does not show it.
        kept |= {name: it for name, it in former.items() if name not in Entered.model_fields}
    await connection.execute(
        update(ExamRow).where(ExamRow.id == exam_id).values(modalities=kept or None)
    )
