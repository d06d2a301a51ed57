"""Second factors in SQL, codes that stand in for them, and sign-ins that wait for one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.tables.identity import (
    PasskeyRow,
    RecoveryCodeRow,
    SecondFactorRow,
    SignInStepRow,
)

_COLUMNS: Final = (
    SecondFactorRow.person_id, SecondFactorRow.secret, SecondFactorRow.confirmed_at
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Factor:
    person_id: UUID
    secret: str
    """Sealed."""
    confirmed: bool


@dataclass(frozen=True, kw_only=True)
class Step:
    """A sign-in that waits for its second factor."""

    person_id: UUID
    next: str


async def of(connection: AsyncConnection, person_id: UUID) -> Factor | None:
    statement = select(*_COLUMNS).where(SecondFactorRow.person_id == person_id)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _factor(row)


async def all(connection: AsyncConnection) -> tuple[Factor, ...]:
    rows = await connection.execute(select(*_COLUMNS).order_by(SecondFactorRow.person_id))
    return tuple(_factor(row) for row in rows)


def _factor(row: Row[UUID, str, datetime | None]) -> Factor:
    return Factor(
        person_id=row.person_id, secret=row.secret, confirmed=row.confirmed_at is not None
    )


async def begin(connection: AsyncConnection, person_id: UUID, secret: str, at: datetime) -> bool:
    """Keep a new secret that is to be confirmed; False where a confirmed one is kept."""
    unconfirmed = SecondFactorRow.confirmed_at.is_(None)
    await connection.execute(
        delete(SecondFactorRow).where(SecondFactorRow.person_id == person_id, unconfirmed)
    )
    if await of(connection, person_id) is not None:
        return False
    await connection.execute(
        insert(SecondFactorRow).values(person_id=person_id, secret=secret, created_at=at)
    )
    return True


async def take(
    connection: AsyncConnection, person_id: UUID, step: int, confirmed_at: datetime | None = None
) -> bool:
    """Note that the code of ``step`` is used; False where it, or a later one, was before.

    ``confirmed_at``: it is the first one, which shows that the app has the secret.
    """
    unused = or_(SecondFactorRow.last_step.is_(None), SecondFactorRow.last_step < step)
    is_new = SecondFactorRow.confirmed_at.is_(None)
    statement = update(SecondFactorRow).where(SecondFactorRow.person_id == person_id, unused)
    if confirmed_at is None:
        statement = statement.where(~is_new).values(last_step=step)
    else:
        statement = statement.where(is_new).values(last_step=step, confirmed_at=confirmed_at)
    return (await connection.execute(statement)).rowcount > 0


async def reseal(connection: AsyncConnection, person_id: UUID, old: str, new: str) -> bool:
    """Put ``new`` in the place of ``old``; False where somebody has changed it meanwhile."""
    same = (SecondFactorRow.person_id == person_id, SecondFactorRow.secret == old)
    statement = update(SecondFactorRow).where(*same).values(secret=new)
    return (await connection.execute(statement)).rowcount > 0


async def remove(connection: AsyncConnection, person_id: UUID) -> bool:
    """Remove what an app makes codes of; False where there was none."""
    statement = delete(SecondFactorRow).where(SecondFactorRow.person_id == person_id)
    removed = (await connection.execute(statement)).rowcount > 0
    await end_codes(connection, person_id)
    return removed


async def end_codes(connection: AsyncConnection, person_id: UUID) -> None:
    """Remove recovery codes that stand in for nothing any more."""
    app = select(SecondFactorRow.person_id).where(
        SecondFactorRow.person_id == person_id, SecondFactorRow.confirmed_at.is_not(None)
    )
    key = select(PasskeyRow.id).where(PasskeyRow.person_id == person_id)
    await connection.execute(
        delete(RecoveryCodeRow).where(
            RecoveryCodeRow.person_id == person_id, ~app.exists(), ~key.exists()
        )
    )


async def set_codes(connection: AsyncConnection, person_id: UUID, hashes: Collection[str]) -> None:
    """Replace somebody's recovery codes."""
    await connection.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.person_id == person_id))
    await connection.execute(
        insert(RecoveryCodeRow), [{"hash": one, "person_id": person_id} for one in hashes]
    )


async def use_code(connection: AsyncConnection, person_id: UUID, hash: str) -> bool:
    """Use a recovery code up; False where there is no such one."""
    statement = delete(RecoveryCodeRow).where(
        RecoveryCodeRow.hash == hash, RecoveryCodeRow.person_id == person_id
    )
    return (await connection.execute(statement)).rowcount > 0


async def codes_left(connection: AsyncConnection, person_id: UUID) -> int:
    statement = select(func.count()).where(RecoveryCodeRow.person_id == person_id)
    return int(await connection.scalar(statement) or 0)


async def add_step(
    connection: AsyncConnection, hash: str, person_id: UUID, next: str, ends_at: datetime
) -> None:
    await connection.execute(
        insert(SignInStepRow).values(hash=hash, person_id=person_id, next=next, ends_at=ends_at)
    )


async def step(connection: AsyncConnection, hash: str, at: datetime) -> Step | None:
    statement = select(SignInStepRow.person_id, SignInStepRow.next).where(
        SignInStepRow.hash == hash, SignInStepRow.ends_at > at
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Step(person_id=row.person_id, next=row.next)


async def end_steps(connection: AsyncConnection, person_id: UUID, at: datetime) -> None:
    """Remove the sign-ins of a person that wait, and those that nobody can go on with."""
    over = or_(SignInStepRow.person_id == person_id, SignInStepRow.ends_at <= at)
    await connection.execute(delete(SignInStepRow).where(over))
