"""Sites in SQL: what somebody has a role at, or a key is for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import DEFAULT_SITE
from service.storage.tables.identity import ApiKeyRow, MembershipRow


async def all(connection: AsyncConnection) -> tuple[str, ...]:
    """Return the codes of every site, in alphabetical order. The first account's is always one."""
    statement = select(MembershipRow.site).union(select(ApiKeyRow.site))
    return tuple(sorted({DEFAULT_SITE, *await connection.scalars(statement)}))
