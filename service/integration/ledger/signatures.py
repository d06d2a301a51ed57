"""A signature makes another revision of a result that has been sent, or is held for it."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.integration.ledger import repository
from service.integration.ledger.schemas import OPEN
from service.reviews.events import ReviewAdded
from service.storage.tables.ledger import CaseRow, JudgementRow


async def signed(connection: AsyncConnection, event: ReviewAdded) -> None:
    """Begin the next revision of the study whose result was signed or overridden.

    One that is not judged to its end yet says so by itself, and a prediction that nobody pushed
    has no study.
    """
    statement = (
        select(CaseRow.site, CaseRow.study_uid)
        .join(JudgementRow, JudgementRow.case_id == CaseRow.id)
        .where(JudgementRow.prediction_id == event.prediction_id)
        .limit(1)
    )
    found = (await connection.execute(statement)).one_or_none()
    if found is None:
        return
    await repository.alone(connection, found.site + found.study_uid)
    statement = (
        select(*CaseRow.__table__.columns)
        .where(CaseRow.study_uid == found.study_uid, CaseRow.site == found.site)
        .order_by(CaseRow.revision.desc())
        .limit(1)
        .with_for_update()
    )
    last = (await connection.execute(statement)).one()
    if last.state in OPEN or not last.judged:
        return
    case_id, moment = uuid4(), now()
    await connection.execute(
        insert(CaseRow).values(
            id=case_id, site=last.site, study_uid=last.study_uid, revision=last.revision + 1,
            state="judged", peer=last.peer, created_at=moment, changed_at=moment, due_at=moment,
            objects=last.objects, judged=last.judged, attempts=0, fence=0,
        )
    )  # fmt: skip
    ids = await connection.scalars(
        select(JudgementRow.prediction_id).where(JudgementRow.case_id == last.id)
    )
    await repository.belong(connection, case_id, list(ids))
    await repository.note(connection, case_id, "judged", event.review.action)
