"""People and groups of the hospital's directory in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import Role
from service.identity.repository.memberships import BY_SCIM
from service.identity.scim.filters import Filter
from service.identity.scim.schemas import Changes, Group, Named, User, name_for
from service.storage.tables.identity import (
    DirectoryGroupRow,
    DirectoryMemberRow,
    DirectoryUserRow,
    MembershipRow,
    PersonRow,
)

_AT_ONCE: Final = 500
"""Ids in one statement: databases have a limit for those."""

_USER: Final = (
    DirectoryUserRow.person_id, DirectoryUserRow.user_name, DirectoryUserRow.external_id,
    DirectoryUserRow.formatted, DirectoryUserRow.given_name, DirectoryUserRow.family_name,
    DirectoryUserRow.display_name, DirectoryUserRow.email, DirectoryUserRow.created_at,
    DirectoryUserRow.changed_at, PersonRow.disabled_at,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What there is of an account in the directory's table, whichever site's."""

    site: str
    is_deleted: bool
    disabled_at: datetime | None
    """When the directory disabled the account, where it did."""


async def kept(connection: AsyncConnection, person_id: UUID) -> Kept | None:
    query = select(
        DirectoryUserRow.site, DirectoryUserRow.user_name, DirectoryUserRow.disabled_at
    ).where(DirectoryUserRow.person_id == person_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Kept(site=row.site, is_deleted=row.user_name is None, disabled_at=row.disabled_at)


async def site_of(connection: AsyncConnection, person_id: UUID) -> str | None:
    """Return the site that somebody was sent for; None: the directory has not sent them."""
    found = await kept(connection, person_id)
    return None if found is None or found.is_deleted else found.site


async def put_user(
    connection: AsyncConnection, person_id: UUID, *, is_new: bool, **values: Any
) -> None:
    if is_new:
        await connection.execute(insert(DirectoryUserRow).values(person_id=person_id, **values))
        return
    which = DirectoryUserRow.person_id == person_id
    await connection.execute(update(DirectoryUserRow).where(which).values(**values))


async def user_is_taken(
    connection: AsyncConnection, site: str, changes: Changes, but: UUID | None = None
) -> str | None:
    """Return which of the attributes in ``changes`` somebody else has."""
    for column, name, value in (
        (DirectoryUserRow.user_key, "userName", changes.get("user_name", "").lower()),
        (DirectoryUserRow.external_id, "externalId", changes.get("external_id", "")),
    ):
        query = select(DirectoryUserRow.person_id).where(
            DirectoryUserRow.site == site, column == value
        )
        if value and (await connection.scalar(query)) not in (None, but):
            return name
    return None


async def users(
    connection: AsyncConnection, site: str, which: Filter = (), skip: int = 0, most: int = 1
) -> tuple[int, tuple[User, ...]]:
    """Return how many users ``which`` finds, and those of a page without their groups."""
    wanted: list[ColumnElement[bool]] = [
        DirectoryUserRow.site == site, DirectoryUserRow.user_name.is_not(None)
    ]  # fmt: skip
    wanted += [_of_user(name, value) for name, value in which]
    count = (
        select(func.count())
        .select_from(DirectoryUserRow)
        .join(PersonRow, PersonRow.id == DirectoryUserRow.person_id)
        .where(*wanted)
    )
    page = (
        select(*_USER)
        .join(PersonRow, PersonRow.id == DirectoryUserRow.person_id)
        .where(*wanted)
        .order_by(DirectoryUserRow.created_at, DirectoryUserRow.person_id)
        .offset(skip)
        .limit(most)
    )
    total = int(await connection.scalar(count) or 0)
    found = (await connection.execute(page)).all() if most else ()
    return total, tuple(_user(row) for row in found)


async def user(connection: AsyncConnection, site: str, person_id: UUID) -> User | None:
    _, found = await users(connection, site, (("id", str(person_id)),))
    return found[0] if found else None


async def who_are(
    connection: AsyncConnection, site: str, people: Collection[UUID]
) -> frozenset[UUID]:
    """Return which of ``people`` are users of a site."""
    found: set[UUID] = set()
    for some in _parts(people):
        query = select(DirectoryUserRow.person_id).where(
            DirectoryUserRow.site == site,
            DirectoryUserRow.user_name.is_not(None),
            DirectoryUserRow.person_id.in_(some),
        )
        found.update(await connection.scalars(query))
    return frozenset(found)


async def groups_of(
    connection: AsyncConnection, people: Collection[UUID]
) -> dict[UUID, tuple[Group, ...]]:
    """Return the groups that each of ``people`` is in, without who else is."""
    found: dict[UUID, list[Group]] = {}
    for some in _parts(people):
        query = (
            select(DirectoryMemberRow.person_id, *DirectoryGroupRow.__table__.c)
            .join(DirectoryGroupRow, DirectoryGroupRow.id == DirectoryMemberRow.group_id)
            .where(DirectoryMemberRow.person_id.in_(some))
            .order_by(DirectoryGroupRow.display_key, DirectoryGroupRow.id)
        )
        for row in await connection.execute(query):
            found.setdefault(row.person_id, []).append(_group(row))
    return {person_id: tuple(groups) for person_id, groups in found.items()}


async def roles_of(
    connection: AsyncConnection, site: str, people: Collection[UUID]
) -> dict[UUID, set[Role]]:
    """Return the roles that the directory's groups gave each of ``people`` last."""
    found: dict[UUID, set[Role]] = {}
    for some in _parts(people):
        query = select(MembershipRow.person_id, MembershipRow.role).where(
            MembershipRow.site == site,
            MembershipRow.source == BY_SCIM,
            MembershipRow.person_id.in_(some),
        )
        for row in await connection.execute(query):
            found.setdefault(row.person_id, set()).add(row.role)
    return found


async def add_group(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(DirectoryGroupRow).values(**values))


async def change_group(connection: AsyncConnection, id: UUID, **values: Any) -> None:
    which = DirectoryGroupRow.id == id
    await connection.execute(update(DirectoryGroupRow).where(which).values(**values))


async def remove_group(connection: AsyncConnection, id: UUID) -> None:
    await connection.execute(delete(DirectoryMemberRow).where(DirectoryMemberRow.group_id == id))
    await connection.execute(delete(DirectoryGroupRow).where(DirectoryGroupRow.id == id))


async def group_is_taken(
    connection: AsyncConnection, site: str, name: str, but: UUID | None = None
) -> bool:
    query = select(DirectoryGroupRow.id).where(
        DirectoryGroupRow.site == site, DirectoryGroupRow.display_key == name.lower()
    )
    return (await connection.scalar(query)) not in (None, but)


async def groups(
    connection: AsyncConnection,
    site: str,
    which: Filter = (),
    skip: int = 0,
    most: int = 1,
    *,
    members: bool = True,
) -> tuple[int, tuple[Group, ...]]:
    """Return how many groups ``which`` finds, and those of a page, with who is in them."""
    wanted: list[ColumnElement[bool]] = [DirectoryGroupRow.site == site]
    wanted += [_of_group(name, value) for name, value in which]
    count = select(func.count()).select_from(DirectoryGroupRow).where(*wanted)
    page = (
        select(*DirectoryGroupRow.__table__.c)
        .where(*wanted)
        .order_by(DirectoryGroupRow.created_at, DirectoryGroupRow.id)
        .offset(skip)
        .limit(most)
    )
    total = int(await connection.scalar(count) or 0)
    rows = (await connection.execute(page)).all() if most else ()
    inside = await _members(connection, [row.id for row in rows]) if members else {}
    return total, tuple(_group(row, tuple(inside.get(row.id, ()))) for row in rows)


async def group(connection: AsyncConnection, site: str, id: UUID) -> Group | None:
    _, found = await groups(connection, site, (("id", str(id)),))
    return found[0] if found else None


async def add_members(
    connection: AsyncConnection, group_id: UUID, people: Collection[UUID]
) -> None:
    if people:
        rows = [{"group_id": group_id, "person_id": one} for one in sorted(people)]
        await connection.execute(insert(DirectoryMemberRow), rows)


async def remove_members(
    connection: AsyncConnection, group_id: UUID, people: Collection[UUID]
) -> None:
    for some in _parts(people):
        await connection.execute(
            delete(DirectoryMemberRow).where(
                DirectoryMemberRow.group_id == group_id, DirectoryMemberRow.person_id.in_(some)
            )
        )


async def _members(connection: AsyncConnection, groups: Sequence[UUID]) -> dict[UUID, list[Named]]:
    query = (
        select(DirectoryMemberRow.group_id, *_USER)
        .join(DirectoryUserRow, DirectoryUserRow.person_id == DirectoryMemberRow.person_id)
        .join(PersonRow, PersonRow.id == DirectoryMemberRow.person_id)
        .where(DirectoryMemberRow.group_id.in_(groups))
        .order_by(DirectoryMemberRow.person_id)
    )
    found: dict[UUID, list[Named]] = {}
    for row in await connection.execute(query):
        named = Named(id=row.person_id, name=name_for(row._asdict()))
        found.setdefault(row.group_id, []).append(named)
    return found


def _of_user(name: str, value: str | bool) -> ColumnElement[bool]:
    match name, value:
        case "active", bool():
            disabled = PersonRow.disabled_at
            return disabled.is_(None) if value else disabled.is_not(None)
        case "id", str():
            return DirectoryUserRow.person_id == _id(value)
        case "user_name", str():
            return DirectoryUserRow.user_key == value.lower()
        case "external_id", str():
            return DirectoryUserRow.external_id == value
        case "email", str():
            return func.lower(DirectoryUserRow.email) == value.lower()
    return PersonRow.id.is_(None)


def _of_group(name: str, value: str | bool) -> ColumnElement[bool]:
    match name, value:
        case "id", str():
            return DirectoryGroupRow.id == _id(value)
        case "display_name", str():
            return DirectoryGroupRow.display_key == value.lower()
        case "external_id", str():
            return DirectoryGroupRow.external_id == value
        case "members", str():
            inside = select(DirectoryMemberRow.group_id).where(
                DirectoryMemberRow.person_id == _id(value)
            )
            return DirectoryGroupRow.id.in_(inside)
    return DirectoryGroupRow.id.is_(None)


def _id(text: str) -> UUID:
    """Return ``text`` as an id; what is none is nobody's."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _user(row: Any) -> User:
    return User(
        id=row.person_id,
        user_name=row.user_name,
        external_id=row.external_id,
        formatted=row.formatted,
        given_name=row.given_name,
        family_name=row.family_name,
        display_name=row.display_name,
        email=row.email,
        active=row.disabled_at is None,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _group(row: Any, members: tuple[Named, ...] = ()) -> Group:
    return Group(
        id=row.id,
        display_name=row.display_name,
        external_id=row.external_id,
        created_at=row.created_at,
        changed_at=row.changed_at,
        members=members,
    )


def _parts(ids: Collection[UUID]) -> Iterator[list[UUID]]:
    listed = sorted(ids)
    for first in range(0, len(listed), _AT_ONCE):
        yield listed[first : first + _AT_ONCE]
