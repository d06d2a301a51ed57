"""Accounts, sign-ins, links, keys and failed tries in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import Role
from service.identity.schemas import ApiKey, Person, in_order
from service.storage.tables import (
    ApiKeyRow,
    AttemptRow,
    ClaimRow,
    IdentityRow,
    MembershipRow,
    PersonRow,
    SessionRow,
)

BY_HAND: Final = "hand"
BY_GROUPS: Final = "idp"
"""Source of a role: an administrator or the command line, or groups of an identity provider."""


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


async def add_person(
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
    connection: AsyncConnection, person_id: UUID, site: str, chosen: Collection[Role]
) -> None:
    """Replace the roles that somebody was given by hand; those of a provider's groups stay."""
    await connection.execute(
        delete(MembershipRow).where(
            MembershipRow.person_id == person_id,
            MembershipRow.site == site,
            MembershipRow.source == BY_HAND,
        )
    )
    if chosen:
        await connection.execute(
            insert(MembershipRow),
            [
                {"person_id": person_id, "site": site, "role": role, "source": BY_HAND}
                for role in chosen
            ],
        )


async def sites(connection: AsyncConnection, person_id: UUID) -> tuple[str, ...]:
    """Return the sites at which somebody has a role, in alphabetical order."""
    query = select(MembershipRow.site).where(MembershipRow.person_id == person_id).distinct()
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


async def people(
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
        )
        for row, sites, roles, by_hand, by_groups in found.values()
        if site is None or not sites or site in sites
    )


async def add_session(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(SessionRow).values(**values))


async def session(connection: AsyncConnection, hash: str) -> Sequence[Any]:
    """Return a row for each role of the person at the session's site, or one without a role."""
    statement = (
        select(
            SessionRow.person_id, SessionRow.site, SessionRow.seen_at, SessionRow.ends_at,
            SessionRow.signed_in_at, SessionRow.issuer, PersonRow.name, PersonRow.disabled_at,
            PersonRow.sealed, MembershipRow.role,
        )
        .join(PersonRow, PersonRow.id == SessionRow.person_id)
        .outerjoin(
            MembershipRow,
            (MembershipRow.person_id == SessionRow.person_id)
            & (MembershipRow.site == SessionRow.site),
        )
        .where(SessionRow.hash == hash)
    )  # fmt: skip
    return (await connection.execute(statement)).all()


async def seen(connection: AsyncConnection, hash: str, at: datetime, least: timedelta) -> None:
    """Note that a session is used, where the note that is there is older than ``least``."""
    await connection.execute(
        update(SessionRow)
        .where(SessionRow.hash == hash, SessionRow.seen_at < at - least)
        .values(seen_at=at)
    )


async def change_session(connection: AsyncConnection, hash: str, **values: Any) -> bool:
    statement = update(SessionRow).where(SessionRow.hash == hash).values(**values)
    return (await connection.execute(statement)).rowcount > 0


async def end_session(connection: AsyncConnection, hash: str) -> UUID | None:
    """Return whose session it was; None where it had ended."""
    statement = delete(SessionRow).where(SessionRow.hash == hash).returning(SessionRow.person_id)
    return (await connection.execute(statement)).scalar_one_or_none()


async def end_sessions(connection: AsyncConnection, person_id: UUID) -> None:
    await connection.execute(delete(SessionRow).where(SessionRow.person_id == person_id))


async def end_old_sessions(connection: AsyncConnection, at: datetime, idle: timedelta) -> None:
    """Remove sessions that nobody can use any more."""
    over = (SessionRow.ends_at <= at) | (SessionRow.seen_at <= at - idle)
    await connection.execute(delete(SessionRow).where(over))


async def add_claim(
    connection: AsyncConnection, hash: str, person_id: UUID | None, ends_at: datetime
) -> None:
    """Keep a link; those made before for the same person, or for the first one, are void."""
    mine = ClaimRow.person_id.is_(None) if person_id is None else ClaimRow.person_id == person_id
    await connection.execute(delete(ClaimRow).where(mine))
    await connection.execute(
        insert(ClaimRow).values(hash=hash, person_id=person_id, ends_at=ends_at)
    )


async def use_claim(
    connection: AsyncConnection, hash: str, at: datetime
) -> tuple[bool, UUID | None]:
    """Use a link up: whether it could be used, and whose it is."""
    statement = (
        delete(ClaimRow)
        .where(ClaimRow.hash == hash)
        .returning(ClaimRow.person_id, ClaimRow.ends_at)
    )
    row = (await connection.execute(statement)).one_or_none()
    return (False, None) if row is None or row.ends_at <= at else (True, row.person_id)


async def claimed(connection: AsyncConnection, hash: str, at: datetime) -> bool:
    """Whether a link could be used, which is left as it is."""
    query = select(ClaimRow.hash).where(ClaimRow.hash == hash, ClaimRow.ends_at > at)
    return await connection.scalar(query) is not None


async def end_claims(connection: AsyncConnection, person_id: UUID | None) -> None:
    mine = ClaimRow.person_id.is_(None) if person_id is None else ClaimRow.person_id == person_id
    await connection.execute(delete(ClaimRow).where(mine))


async def add_key(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(ApiKeyRow).values(**values))


_KEY: Final = (
    ApiKeyRow.id, ApiKeyRow.program_id, ApiKeyRow.name, ApiKeyRow.role, ApiKeyRow.site,
    ApiKeyRow.created_at, ApiKeyRow.ends_at, ApiKeyRow.revoked_at, ApiKeyRow.used_on,
)  # fmt: skip


async def key_of(connection: AsyncConnection, sha256: str) -> ApiKey | None:
    """Return the key with this hash, whether or not it still opens anything."""
    row = (await connection.execute(select(*_KEY).where(ApiKeyRow.sha256 == sha256))).one_or_none()
    return None if row is None else _key(row)


async def keys(
    connection: AsyncConnection, site: str | None, key_id: UUID | None = None
) -> tuple[ApiKey, ...]:
    """Return keys, the newest first; those of every site where ``site`` is None."""
    statement = select(*_KEY).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
    if site is not None:
        statement = statement.where(ApiKeyRow.site == site)
    if key_id is not None:
        statement = statement.where(ApiKeyRow.id == key_id)
    return tuple(_key(row) for row in await connection.execute(statement))


async def opens(connection: AsyncConnection, program_id: UUID, at: datetime) -> bool:
    """Whether a program has a key that is good."""
    query = select(ApiKeyRow.id).where(
        ApiKeyRow.program_id == program_id,
        ApiKeyRow.revoked_at.is_(None),
        ApiKeyRow.ends_at > at,
    )
    return await connection.scalar(query.limit(1)) is not None


async def revoke(connection: AsyncConnection, key_id: UUID, at: datetime) -> bool:
    statement = (
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return (await connection.execute(statement)).rowcount > 0


async def shorten(connection: AsyncConnection, key_id: UUID, ends_at: datetime) -> None:
    """Have a key end at ``ends_at`` unless it ends before."""
    await connection.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.ends_at > ends_at)
        .values(ends_at=ends_at)
    )


async def used(connection: AsyncConnection, key_id: UUID, at: datetime) -> None:
    await connection.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
        .values(used_on=at.date())
    )


def _key(row: Any) -> ApiKey:
    return ApiKey(
        id=row.id,
        program_id=row.program_id,
        name=row.name,
        role=row.role,
        site=row.site,
        created_at=row.created_at,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        used_on=None if row.used_on is None else row.used_on.isoformat(),
    )


@dataclass(frozen=True, kw_only=True)
class Failures:
    count: int
    last_at: datetime


async def failures(
    connection: AsyncConnection, hashes: Collection[str], since: datetime
) -> dict[str, Failures]:
    """Return what is kept of failed tries, by hash; what is older than ``since`` is forgotten."""
    query = select(AttemptRow.hash, AttemptRow.failures, AttemptRow.last_at).where(
        AttemptRow.hash.in_(hashes), AttemptRow.last_at >= since
    )
    return {
        row.hash: Failures(count=row.failures, last_at=row.last_at)
        for row in await connection.execute(query)
    }


async def count_try(connection: AsyncConnection, hash: str, at: datetime, since: datetime) -> None:
    """Count a try as failed; one that turns out well is taken back."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(AttemptRow).values(hash=hash, failures=1, last_at=at)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["hash"],
            set_={"failures": AttemptRow.failures + 1, "last_at": at},
        )
    )
    await connection.execute(delete(AttemptRow).where(AttemptRow.last_at < since))


async def take_back(
    connection: AsyncConnection, forgotten: Collection[str], less: Collection[str]
) -> None:
    """Forget all failures under some hashes, and one under others."""
    await connection.execute(delete(AttemptRow).where(AttemptRow.hash.in_(forgotten)))
    await connection.execute(
        update(AttemptRow)
        .where(AttemptRow.hash.in_(less), AttemptRow.failures > 0)
        .values(failures=AttemptRow.failures - 1)
    )
