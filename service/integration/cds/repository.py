"""What clinical decision support reads of the ledger, and the feedback it keeps, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.integration.cds.schemas import Feedback
from service.storage import encryption
from service.storage.tables.ledger import ArrivalRow, CaseRow, CdsFeedbackRow

MOST: Final = 10
"""Cases of a patient, the newest."""


async def judged(
    connection: AsyncConnection, site: str, numbers: Sequence[str]
) -> tuple[frozenset[str], tuple[UUID, ...]]:
    """Return who has one of ``numbers`` as a Patient ID, issuers included, and the predictions on
    the newest of their studies.

    Known are those of which the ledger still has the images.
    """
    used = encryption.of(connection)
    known = [name for one in numbers for name in used.known_as(site, one)]
    theirs = or_(*(ArrivalRow.patient.startswith(f"{one}\\", autoescape=True) for one in known))
    statement = (
        select(ArrivalRow.patient, ArrivalRow.patient_sealed, CaseRow.judged)
        .join(CaseRow, CaseRow.id == ArrivalRow.case_id)
        .where(
            ArrivalRow.site == site,
            ArrivalRow.state == "held",
            ArrivalRow.patient.is_not(None),
            theirs,
            CaseRow.state.in_(("composed", "delivering", "done")),
        )
        .order_by(CaseRow.created_at.desc())
        .limit(MOST)
    )
    rows = (await connection.execute(statement)).all()
    found = dict.fromkeys(
        UUID(prediction) for row in rows for _, prediction in reversed(row.judged or ())
    )
    whose = frozenset(encryption.plain(row.patient, row.patient_sealed) for row in rows)
    return whose, tuple(found)


async def keep(
    connection: AsyncConnection, site: str, client: UUID | None, service: str, one: Feedback
) -> None:
    await connection.execute(
        insert(CdsFeedbackRow).values(
            at=now(), site=site, client_id=client, service=service, card=one.card,
            outcome=one.outcome, suggestions=one.suggestions, reason=one.reason,
        )
    )  # fmt: skip
