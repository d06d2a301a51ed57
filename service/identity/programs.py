"""Keys of programs: made, renewed, revoked, and whose a key is."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from service.clock import now
from service.identity import secrets
from service.identity.actor import Actor, Role
from service.identity.attempts import Attempts
from service.identity.events import KeyAdded, KeyRenewed, KeyRevoked, ProgramEnded, SignInFailed
from service.identity.repository import keys
from service.identity.schemas import ApiKey, TooOftenError
from service.storage.errors import StorageError
from service.storage.transaction import Transaction, Transactions

DAYS: Final = 365
"""How long a key is good for."""

OVERLAP: Final = timedelta(days=7)
"""How long the old key of a renewed one stays good."""


class Programs:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions, attempts: Attempts) -> None:
        self._transactions = transactions
        self._attempts = attempts

    async def find(self, key: str, address: str | None) -> Actor | None:
        """Return the program whose key it is; None where it opens nothing.

        Raises :class:`~service.identity.schemas.TooOftenError` where an address has tried too many
        that do not: a key that does is never refused for that.
        """
        if not secrets.is_api_key(key):
            return None
        hash = secrets.hashed("key", key)
        found = await self._transactions.read_sync(
            lambda connection: keys.by_hash(connection, hash)
        )
        at = now()
        if found is None or found.revoked_at is not None or found.ends_at <= at:
            await self._wrong(found, address)
            return None
        if found.used_on != at.date().isoformat():
            await self._note(found.id)
        return _program(found, address)

    async def add(self, actor: Actor, name: str, role: Role, days: int = DAYS) -> tuple[UUID, str]:
        """Return the id of a new key at the actor's site, and the key, which is shown once."""
        key, id, program_id = secrets.api_key(), uuid4(), uuid4()

        async def work(transaction: Transaction) -> None:
            await keys.add(
                transaction.connection,
                id=id,
                program_id=program_id,
                name=name,
                site=actor.site,
                role=role,
                sha256=secrets.hashed("key", key),
                created_at=now(),
                ends_at=now() + timedelta(days=days),
            )
            await transaction.emit(
                KeyAdded(actor=actor, key_id=id, program_id=program_id, role=role)
            )

        await self._transactions.write(work)
        return id, key

    async def renew(self, actor: Actor, key_id: UUID, days: int = DAYS) -> str | None:
        """Return a second key of the same program; the old one ends within :data:`OVERLAP`.

        None where there is no such key, or it opens nothing any more.
        """
        key, id = secrets.api_key(), uuid4()

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            old = next(iter(await keys.all(connection, actor.site, key_id)), None)
            if old is None or old.revoked_at is not None or old.ends_at <= now():
                return False
            await keys.shorten(connection, old.id, now() + OVERLAP)
            await keys.add(
                connection,
                id=id,
                program_id=old.program_id,
                name=old.name,
                site=old.site,
                role=old.role,
                sha256=secrets.hashed("key", key),
                created_at=now(),
                ends_at=now() + timedelta(days=days),
            )
            await transaction.emit(
                KeyRenewed(actor=actor, key_id=id, program_id=old.program_id, role=old.role)
            )
            return True

        return key if await self._transactions.write(work) else None

    async def revoke(self, actor: Actor, key_id: UUID) -> bool:
        """End a key at once; False where there is none at the actor's site."""

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            found = next(iter(await keys.all(connection, actor.site, key_id)), None)
            if found is None:
                return False
            if await keys.revoke(connection, key_id, now()):
                program_id = found.program_id
                await transaction.emit(
                    KeyRevoked(actor=actor, key_id=key_id, program_id=program_id)
                )
                if not await keys.opens(connection, program_id, now()):
                    await transaction.emit(ProgramEnded(actor=actor, account_id=program_id))
            return True

        return await self._transactions.write(work)

    async def all(self, actor: Actor) -> tuple[ApiKey, ...]:
        """Return the keys of the actor's site, the newest first."""
        async with self._transactions.read() as connection:
            return await keys.all(connection, actor.site)

    async def _wrong(self, found: ApiKey | None, address: str | None) -> None:
        actor = Actor(address=address)
        if found is not None:
            actor = Actor(site=found.site, id=found.program_id, key=found.id, address=address)
        try:
            await self._attempts.begin(None, address)
        except TooOftenError:
            event = SignInFailed(actor=actor, person_id=None, reason="too_often")
            await self._attempts.refusals.note(event)
            raise
        event = SignInFailed(actor=actor, person_id=None, reason="key")
        await self._transactions.emit(event)

    async def _note(self, key_id: UUID) -> None:
        try:
            await self._transactions.write(
                lambda transaction: keys.used(transaction.connection, key_id, now())
            )
        except StorageError:
            return


def _program(found: ApiKey, address: str | None) -> Actor:
    return Actor(
        site=found.site,
        id=found.program_id,
        name=found.name,
        roles=frozenset({found.role}),
        key=found.id,
        address=address,
    )
