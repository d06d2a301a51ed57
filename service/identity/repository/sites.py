"""Sites in SQL: what somebody has a role at, or a key is for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import DEFAULT_SITE
from service.storage.tables.identity import ApiKeyRow, MembershipRow, SiteNameRow


async def all(connection: AsyncConnection) -> tuple[str, ...]:
    """Return the codes of every site, in alphabetical order. The first account's is always one."""
    statement = select(MembershipRow.site).union(select(ApiKeyRow.site))
    return tuple(sorted({DEFAULT_SITE, *await connection.scalars(statement)}))


async def names(connection: AsyncConnection) -> dict[str, str]:
    rows = await connection.execute(select(SiteNameRow.site, SiteNameRow.name))
    return {row.site: row.name for row in rows}


async def set_name(connection: AsyncConnection, site: str, name: str) -> None:
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(SiteNameRow).values(site=site, name=name)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["site"], set_={"name": name})
    )
