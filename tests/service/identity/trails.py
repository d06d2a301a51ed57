"""The trail of a front that is open."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from tests.service.kit.fronts import Front


async def entries(opened: Front, kind: str) -> list[Any]:
    database = Database(opened.settings)
    statement = select(AuditEventRow).where(AuditEventRow.kind == kind).order_by(AuditEventRow.at)
    async with database.connect() as connection:
        found = list(await connection.execute(statement))
    await database.close()
    return found
