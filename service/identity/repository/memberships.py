"""Roles of people at sites in SQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import Role
from service.identity.schemas import in_order
from service.storage.tables.identity import MembershipRow, PersonRow

BY_HAND: Final = "hand"
BY_GROUPS: Final = "idp"
BY_SCIM: Final = "scim"
"""Source of a role: an administrator or the command line, or groups of an identity provider, as its
tokens name them or as its directory has sent them."""


async def roles(
    connection: AsyncConnection, person_id: UUID, site: str, source: str | None = None
) -> tuple[Role, ...]:
    """Return somebody's roles at a site, whoever gave them or those of one ``source``."""
    query = select(MembershipRow.role).where(
        MembershipRow.person_id == person_id, MembershipRow.site == site
    )
    if source is not None:
        query = query.where(MembershipRow.source == source)
    return in_order(set(await connection.scalars(query)))


async def set_roles(
    connection: AsyncConnection,
    person_id: UUID,
    site: str,
    chosen: Collection[Role],
    source: str = BY_HAND,
) -> None:
    """Replace the roles that somebody was given by one ``source``; those of others stay."""
    await connection.execute(
        delete(MembershipRow).where(
            MembershipRow.person_id == person_id,
            MembershipRow.site == site,
            MembershipRow.source == source,
        )
    )
    if chosen:
        await connection.execute(
            insert(MembershipRow),
            [
                {"person_id": person_id, "site": site, "role": role, "source": source}
                for role in chosen
            ],
        )


async def sites(connection: AsyncConnection, person_id: UUID) -> tuple[str, ...]:
    """Return the sites at which somebody has a role, in alphabetical order."""
    query = select(MembershipRow.site).where(MembershipRow.person_id == person_id).distinct()
    return tuple(sorted(await connection.scalars(query)))


async def managed(connection: AsyncConnection, person_id: UUID) -> tuple[str, ...]:
    """Return the sites that somebody is an administrator of, in alphabetical order."""
    query = select(MembershipRow.site).where(
        MembershipRow.person_id == person_id, MembershipRow.role == "administrator"
    )
    return tuple(sorted(await connection.scalars(query)))


async def administrators(connection: AsyncConnection, site: str) -> set[UUID]:
    """Return those who can manage accounts of ``site``: disabled ones cannot."""
    query = (
        select(MembershipRow.person_id)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(
            MembershipRow.site == site,
            MembershipRow.role == "administrator",
            PersonRow.disabled_at.is_(None),
        )
    )
    return set(await connection.scalars(query))
