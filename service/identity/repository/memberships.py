"""Roles of people at sites in SQL."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import Role
from service.identity.schemas import in_order
from service.storage.tables import MembershipRow, PersonRow


async def roles(connection: AsyncConnection, person_id: UUID, site: str) -> tuple[Role, ...]:
    query = select(MembershipRow.role).where(
        MembershipRow.person_id == person_id, MembershipRow.site == site
    )
    return in_order(set(await connection.scalars(query)))


async def set_roles(
    connection: AsyncConnection, person_id: UUID, site: str, chosen: Collection[Role]
) -> None:
    await connection.execute(
        delete(MembershipRow).where(
            MembershipRow.person_id == person_id, MembershipRow.site == site
        )
    )
    if chosen:
        await connection.execute(
            insert(MembershipRow),
            [{"person_id": person_id, "site": site, "role": role} for role in chosen],
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
