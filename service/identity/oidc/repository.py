"""Sign-ins under way at the identity provider, its people, and what its groups give, in SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.oidc.grants import Grant
from service.identity.repository import accounts
from service.identity.repository.memberships import BY_GROUPS
from service.storage.tables.identity import (
    IdentityRow,
    MembershipRow,
    PersonRow,
    SessionRow,
    SignInFlowRow,
    UsedTokenRow,
)


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A sign-in that was sent to the provider."""

    browser: str
    nonce: str
    verifier: str
    next: str
    session: str | None
    created_at: datetime
    ends_at: datetime


async def add_flow(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(SignInFlowRow).values(**values))


async def flows_from(connection: AsyncConnection, address: str | None) -> int:
    """Return how many sign-ins are under way that began at an address."""
    query = select(func.count()).where(SignInFlowRow.address == address)
    return int(await connection.scalar(query) or 0)


async def end_old_flows(connection: AsyncConnection, at: datetime) -> None:
    await connection.execute(delete(SignInFlowRow).where(SignInFlowRow.ends_at <= at))


async def flow(connection: AsyncConnection, hash: str) -> Flow | None:
    row = (
        await connection.execute(
            select(
                SignInFlowRow.browser, SignInFlowRow.nonce, SignInFlowRow.verifier,
                SignInFlowRow.next, SignInFlowRow.session, SignInFlowRow.created_at,
                SignInFlowRow.ends_at,
            ).where(SignInFlowRow.hash == hash)
        )
    ).one_or_none()  # fmt: skip
    return None if row is None else Flow(**row._mapping)


async def end_flow(connection: AsyncConnection, hash: str) -> bool:
    """Use a flow up; False where somebody else has, meanwhile."""
    statement = delete(SignInFlowRow).where(SignInFlowRow.hash == hash)
    return (await connection.execute(statement)).rowcount > 0


@dataclass(frozen=True, kw_only=True)
class Arrived:
    id: UUID
    name: str
    disabled: bool


async def person(connection: AsyncConnection, issuer: str, subject: str) -> Arrived | None:
    """Return whose account it is that the provider knows by ``subject``."""
    query = (
        select(PersonRow.id, PersonRow.name, PersonRow.disabled_at)
        .join(IdentityRow, IdentityRow.person_id == PersonRow.id)
        .where(IdentityRow.issuer == issuer, IdentityRow.subject == subject)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Arrived(id=row.id, name=row.name, disabled=row.disabled_at is not None)


async def add_identity(
    connection: AsyncConnection, issuer: str, subject: str, person_id: UUID, at: datetime
) -> None:
    values = {"issuer": issuer, "subject": subject, "person_id": person_id, "created_at": at}
    await connection.execute(insert(IdentityRow).values(values))


async def add_person(
    connection: AsyncConnection, issuer: str, subject: str, login: str, name: str, at: datetime
) -> UUID:
    """Return the id of a new account, of whoever the provider knows by ``subject``."""
    digest = hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()
    made = None
    # Somebody may have the name already, and is somebody else.
    for one in (login, f"{login}+{digest[:7]}", digest):
        made = await accounts.add(connection, one, name, None, at)
        if made is not None:
            break
    if made is None:
        raise RuntimeError("two people of one digest")
    await add_identity(connection, issuer, subject, made, at)
    return made


async def set_name(connection: AsyncConnection, person_id: UUID, name: str) -> None:
    await connection.execute(update(PersonRow).where(PersonRow.id == person_id).values(name=name))


async def given(connection: AsyncConnection, person_id: UUID) -> frozenset[Grant]:
    """Return the roles that the provider's groups gave somebody last."""
    query = select(MembershipRow.site, MembershipRow.role).where(
        MembershipRow.person_id == person_id, MembershipRow.source == BY_GROUPS
    )
    return frozenset((row.site, row.role) for row in await connection.execute(query))


async def give(connection: AsyncConnection, person_id: UUID, grants: Collection[Grant]) -> None:
    """Replace the roles that the provider's groups give somebody; those by hand stay."""
    await connection.execute(
        delete(MembershipRow).where(
            MembershipRow.person_id == person_id, MembershipRow.source == BY_GROUPS
        )
    )
    rows = [
        {"person_id": person_id, "site": site, "role": role, "source": BY_GROUPS}
        for site, role in sorted(grants)
    ]
    if rows:
        await connection.execute(insert(MembershipRow), rows)


async def has_role(connection: AsyncConnection, person_id: UUID) -> bool:
    query = select(MembershipRow.role).where(MembershipRow.person_id == person_id)
    return await connection.scalar(query.limit(1)) is not None


async def id_token(connection: AsyncConnection, session: str) -> str | None:
    """Return the token by which the provider knows whose session it is, where it was kept."""
    query = select(SessionRow.id_token).where(SessionRow.hash == session)
    return await connection.scalar(query)


async def end_sessions(
    connection: AsyncConnection, issuer: str, sub: str | None, sid: str | None
) -> tuple[tuple[UUID, str], ...]:
    """End sessions that the provider began: all of ``sub``, or without one that of ``sid``.

    Return whose they were, and at which site.
    """
    which = SessionRow.idp_sub == sub if sub is not None else SessionRow.idp_sid == sid
    statement = (
        delete(SessionRow)
        .where(SessionRow.issuer == issuer, which)
        .returning(SessionRow.person_id, SessionRow.site)
    )
    return tuple((row.person_id, row.site) for row in await connection.execute(statement))


async def use_once(connection: AsyncConnection, hash: str, at: datetime, ends_at: datetime) -> bool:
    """Remember a token until ``ends_at``; False where it was used before."""
    await connection.execute(delete(UsedTokenRow).where(UsedTokenRow.ends_at <= at))
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = (
        make(UsedTokenRow)
        .values(hash=hash, ends_at=ends_at)
        .on_conflict_do_nothing(index_elements=["hash"])
        .returning(UsedTokenRow.hash)
    )
    return (await connection.execute(statement)).scalar_one_or_none() is not None
