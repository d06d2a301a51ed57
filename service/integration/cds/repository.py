"""The feedback that clinical decision support keeps, in SQL."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.integration.cds.schemas import Feedback
from service.storage.tables.ledger import CdsFeedbackRow


async def keep(
    connection: AsyncConnection, site: str, client: UUID | None, service: str, one: Feedback
) -> None:
    await connection.execute(
        insert(CdsFeedbackRow).values(
            at=now(), site=site, client_id=client, service=service, card=one.card,
            outcome=one.outcome, suggestions=one.suggestions, reason=one.reason,
        )
    )  # fmt: skip
