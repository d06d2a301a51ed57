"""Accounts in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.repository.memberships import BY_HAND
from service.identity.schemas import Person, in_order
from service.storage.tables.identity import (
    IdentityRow,
    MembershipRow,
    PasskeyRow,
    PersonRow,
    SecondFactorRow,
)


@dataclass(frozen=True, kw_only=True)
class Account:
    """What signing in goes by."""

    id: UUID
    login: str
    name: str
    password: str | None
    disabled: bool
    sealed: bool


_ACCOUNT: Final = (
    PersonRow.id, PersonRow.login, PersonRow.name, PersonRow.password, PersonRow.disabled_at,
    PersonRow.sealed,
)  # fmt: skip


_BY_PROVIDER: Final = (
    select(IdentityRow.person_id)
    .where(IdentityRow.person_id == PersonRow.id)
    .exists()
    .label("by_provider")
)


_HAS_SECOND: Final = or_(
    select(SecondFactorRow.person_id)
    .where(SecondFactorRow.person_id == PersonRow.id, SecondFactorRow.confirmed_at.is_not(None))
    .exists(),
    select(PasskeyRow.id).where(PasskeyRow.person_id == PersonRow.id).exists(),
).label("has_second")


async def alone(connection: AsyncConnection) -> None:
    """Have nobody else change accounts until the transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE person IN SHARE ROW EXCLUSIVE MODE"))


async def is_empty(connection: AsyncConnection) -> bool:
    """Whether there is no account at all."""
    return await connection.scalar(select(PersonRow.id).limit(1)) is None


async def by_login(connection: AsyncConnection, login: str) -> Account | None:
    return await _account(connection, PersonRow.login == login)


async def by_id(connection: AsyncConnection, person_id: UUID) -> Account | None:
    return await _account(connection, PersonRow.id == person_id)


async def _account(connection: AsyncConnection, which: Any) -> Account | None:
    row = (await connection.execute(select(*_ACCOUNT).where(which))).one_or_none()
    if row is None:
        return None
    return Account(
        id=row.id,
        login=row.login,
        name=row.name,
        password=row.password,
        disabled=row.disabled_at is not None,
        sealed=row.sealed,
    )


async def add(
    connection: AsyncConnection,
    login: str,
    name: str,
    password: str | None,
    at: datetime,
    *,
    sealed: bool = False,
) -> UUID | None:
    """Return the id of a new account; None where somebody has the ``login``."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = (
        make(PersonRow)
        .values(id=uuid4(), login=login, name=name, password=password, created_at=at, sealed=sealed)
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(PersonRow.id)
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def set_password(connection: AsyncConnection, person_id: UUID, password: str) -> None:
    await connection.execute(
        update(PersonRow).where(PersonRow.id == person_id).values(password=password)
    )


async def set_disabled(connection: AsyncConnection, person_id: UUID, at: datetime | None) -> bool:
    """Disable or enable; False where nothing changed."""
    is_now = PersonRow.disabled_at.is_(None) if at else PersonRow.disabled_at.is_not(None)
    statement = update(PersonRow).where(PersonRow.id == person_id, is_now).values(disabled_at=at)
    return (await connection.execute(statement)).rowcount > 0


async def disabled_at(connection: AsyncConnection, person_id: UUID) -> datetime | None:
    """Return when an account was disabled; None where it is not."""
    query = select(PersonRow.disabled_at).where(PersonRow.id == person_id)
    return await connection.scalar(query)


async def all(
    connection: AsyncConnection, site: str | None, person_id: UUID | None = None
) -> tuple[Person, ...]:
    """Return accounts by login: at ``site`` those with a role there or with none anywhere."""
    statement = (
        select(
            *_ACCOUNT,
            PersonRow.created_at,
            MembershipRow.site,
            MembershipRow.role,
            MembershipRow.source,
            _BY_PROVIDER,
            _HAS_SECOND,
        )
        .outerjoin(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .order_by(PersonRow.login)
    )
    if person_id is not None:
        statement = statement.where(PersonRow.id == person_id)
    found: dict[UUID, tuple[Any, set[str], set[str], set[str], set[str]]] = {}
    for row in await connection.execute(statement):
        nothing: tuple[Any, set[str], set[str], set[str], set[str]]
        nothing = (row, set(), set(), set(), set())
        _, sites, roles, by_hand, by_groups = found.setdefault(row.id, nothing)
        if row.site is not None:
            sites.add(row.site)
        if row.role is not None and site in (None, row.site):
            roles.add(row.role)
            (by_hand if row.source == BY_HAND else by_groups).add(row.role)
    return tuple(
        Person(
            id=row.id,
            login=row.login,
            name=row.name,
            created_at=row.created_at,
            disabled_at=row.disabled_at,
            has_password=row.password is not None,
            is_sealed=row.sealed,
            roles=in_order(roles),
            by_hand=in_order(by_hand),
            by_groups=in_order(by_groups),
            by_provider=row.by_provider,
            has_second=row.has_second,
        )
        for row, sites, roles, by_hand, by_groups in found.values()
        if site is None or not sites or site in sites
    )
