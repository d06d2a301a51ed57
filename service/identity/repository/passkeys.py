"""Passkeys in SQL, and what they are asked to sign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, func, insert, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.tables.identity import PasskeyChallengeRow, PasskeyRow


@dataclass(frozen=True, kw_only=True)
class Passkey:
    id: UUID
    person_id: UUID
    credential: bytes
    public_key: bytes
    counter: int
    synced: bool
    name: str
    created_at: datetime
    used_at: datetime | None


_FIELDS: Final = (
    "id", "person_id", "credential", "public_key", "counter", "synced", "name", "created_at",
    "used_at",
)  # fmt: skip
_COLUMNS: Final = tuple(getattr(PasskeyRow, name) for name in _FIELDS)


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(**{name: getattr(row, name) for name in _FIELDS})


async def of(connection: AsyncConnection, person_id: UUID) -> tuple[Passkey, ...]:
    """Return somebody's passkeys, the oldest first."""
    statement = (
        select(*_COLUMNS)
        .where(PasskeyRow.person_id == person_id)
        .order_by(PasskeyRow.created_at, PasskeyRow.id)
    )
    return tuple(_passkey(row) for row in await connection.execute(statement))


async def by_hash(connection: AsyncConnection, hash: str) -> Passkey | None:
    row = (await connection.execute(select(*_COLUMNS).where(PasskeyRow.hash == hash))).one_or_none()
    return None if row is None else _passkey(row)


async def count(connection: AsyncConnection, person_id: UUID) -> int:
    statement = select(func.count()).where(PasskeyRow.person_id == person_id)
    return int(await connection.scalar(statement) or 0)


async def add(connection: AsyncConnection, hash: str, **values: Any) -> UUID | None:
    """Return the id of a new passkey; None where it is somebody's already."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = (
        make(PasskeyRow)
        .values(id=uuid4(), hash=hash, **values)
        .on_conflict_do_nothing(index_elements=["hash"])
        .returning(PasskeyRow.id)
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def use(connection: AsyncConnection, key: Passkey, counter: int, at: datetime) -> bool:
    """Note a use; False where a counter that should have risen has not, or the passkey is gone.

    Devices that hold one together count each for itself, and some do not count at all.
    """
    counts = key.counter > 0 or counter > 0
    risen = PasskeyRow.counter < counter if counts and not key.synced else true()
    statement = (
        update(PasskeyRow).where(PasskeyRow.id == key.id, risen).values(counter=counter, used_at=at)
    )
    return (await connection.execute(statement)).rowcount > 0


async def remove(connection: AsyncConnection, person_id: UUID, passkey_id: UUID) -> bool:
    statement = delete(PasskeyRow).where(
        PasskeyRow.id == passkey_id, PasskeyRow.person_id == person_id
    )
    return (await connection.execute(statement)).rowcount > 0


async def remove_all(connection: AsyncConnection, person_id: UUID) -> tuple[UUID, ...]:
    """Remove somebody's passkeys, and return their ids."""
    statement = delete(PasskeyRow).where(PasskeyRow.person_id == person_id).returning(PasskeyRow.id)
    return tuple((await connection.execute(statement)).scalars())


async def add_challenge(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(PasskeyChallengeRow).values(**values))


async def end_challenges(connection: AsyncConnection, at: datetime) -> None:
    """Remove those that nobody can answer any more."""
    await connection.execute(delete(PasskeyChallengeRow).where(PasskeyChallengeRow.ends_at <= at))


async def waiting(connection: AsyncConnection, address: str | None) -> int:
    """Return how many challenges of an address wait for their answers."""
    of_address = (
        PasskeyChallengeRow.address.is_(None)
        if address is None
        else PasskeyChallengeRow.address == address
    )
    return int(await connection.scalar(select(func.count()).where(of_address)) or 0)


async def take_challenge(
    connection: AsyncConnection,
    hash: str,
    purpose: str,
    bound: str,
    person_id: UUID | None,
    at: datetime,
) -> bool:
    """Use a challenge up: whether it was made for this, and for this browser and person."""
    statement = (
        delete(PasskeyChallengeRow)
        .where(PasskeyChallengeRow.hash == hash)
        .returning(
            PasskeyChallengeRow.purpose,
            PasskeyChallengeRow.bound,
            PasskeyChallengeRow.person_id,
            PasskeyChallengeRow.ends_at,
        )
    )
    row = (await connection.execute(statement)).one_or_none()
    return (
        row is not None
        and (row.purpose, row.bound, row.person_id) == (purpose, bound, person_id)
        and row.ends_at > at
    )
