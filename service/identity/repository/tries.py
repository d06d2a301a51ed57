"""Somebody's sign-ins, good and failed, as the trail has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import EPOCH
from service.storage.tables.audit import AuditEventRow

_KINDS: Final = ("signed_in", "signed_in_again", "sign_in_failed")


@dataclass(frozen=True, kw_only=True)
class Try:
    at: datetime
    kind: str
    how: str
    """By what, or why not."""
    address: str | None


async def last(connection: AsyncConnection, person_id: UUID, most: int) -> tuple[Try, ...]:
    """Return the last ones, the newest first."""
    statement = (
        select(AuditEventRow.at, AuditEventRow.kind, AuditEventRow.detail, AuditEventRow.address)
        .where(
            # As the index of accounts has it.
            AuditEventRow.object_kind == "account",
            AuditEventRow.object_id == str(person_id),
            AuditEventRow.kind.in_(_KINDS),
        )
        .order_by(AuditEventRow.at.desc())
        .limit(most)
    )
    return tuple(
        Try(
            at=EPOCH + timedelta(microseconds=row.at),
            kind=row.kind,
            how=_how(row.detail),
            address=row.address,
        )
        for row in await connection.execute(statement)
    )


def _how(detail: str) -> str:
    told = json.loads(detail)
    return str(told.get("how") or told.get("reason") or "")
