"""Flagging, assigning and retiring a result. None of it changes what was judged or signed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from service.clock import now
from service.events import Event
from service.identity.actor import Actor
from service.storage.transaction import Transaction, Transactions
from service.worklist import repository
from service.worklist.events import (
    ResultAssigned,
    ResultFlagged,
    ResultRestored,
    ResultRetired,
)
from service.worklist.schemas import Entry, NoReaderError, Reader, RetirementReason

Change = Callable[[Transaction, Entry], Awaitable[Event | None]]
"""Writes what is to change of an entry, and returns what there is to tell; None: nothing."""


class Worklist:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must.

    Those that change something return what stands then, None where there is no such result for the
    actor; where it stood before, nothing is written and nobody told.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def of(self, actor: Actor, prediction_id: UUID) -> Entry | None:
        """Return what was done with a result; None where the actor sees none."""
        async with self._transactions.read() as connection:
            return await repository.get(connection, actor.within, prediction_id)

    async def readers(self, actor: Actor) -> tuple[Reader, ...]:
        """Return whom results can be assigned to at the actor's site."""
        async with self._transactions.read() as connection:
            return await repository.readers(connection, actor.site)

    async def flag(self, actor: Actor, prediction_id: UUID, flagged: bool) -> Entry | None:
        """Mark a result for everybody at the site, or take the mark away."""
        event = ResultFlagged(actor=actor, prediction_id=prediction_id, flagged=flagged)

        async def change(transaction: Transaction, before: Entry) -> Event | None:
            if (before.flagged_at is not None) == flagged:
                return None
            await repository.put(
                transaction.connection,
                prediction_id,
                flagged_at=now() if flagged else None,
                flagged_by=actor.id if flagged else None,
            )
            return event

        return await self._write(actor, prediction_id, change)

    async def assign(
        self, actor: Actor, prediction_id: UUID, person_id: UUID | None
    ) -> Entry | None:
        """Say who is to read a result; None: whoever comes first.

        Raises :class:`~service.worklist.schemas.NoReaderError` for somebody who may not sign here.
        """
        event = ResultAssigned(actor=actor, prediction_id=prediction_id, person_id=person_id)

        async def change(transaction: Transaction, before: Entry) -> Event | None:
            if before.assigned_to == person_id:
                return None
            connection = transaction.connection
            if person_id is not None:
                known = await repository.readers(connection, actor.site)
                if person_id not in {one.id for one in known}:
                    raise NoReaderError
            await repository.put(
                connection,
                prediction_id,
                assigned_to=person_id,
                assigned_at=now() if person_id else None,
                assigned_by=actor.id if person_id else None,
            )
            return event

        return await self._write(actor, prediction_id, change)

    async def retire(
        self, actor: Actor, prediction_id: UUID, reason: RetirementReason
    ) -> Entry | None:
        """Take a result out of lists, signed or not; it is kept and can be restored."""
        event = ResultRetired(actor=actor, prediction_id=prediction_id, reason=reason)

        async def change(transaction: Transaction, before: Entry) -> Event | None:
            if before.retired_at is not None and before.retired_reason == reason:
                return None
            await repository.put(
                transaction.connection,
                prediction_id,
                retired_at=now(),
                retired_by=actor.id,
                retired_reason=reason,
            )
            return event

        return await self._write(actor, prediction_id, change)

    async def restore(self, actor: Actor, prediction_id: UUID) -> Entry | None:
        """Have a retired result listed again."""
        event = ResultRestored(actor=actor, prediction_id=prediction_id)

        async def change(transaction: Transaction, before: Entry) -> Event | None:
            if before.retired_at is None:
                return None
            nothing = dict.fromkeys(("retired_at", "retired_by", "retired_reason"))
            await repository.put(transaction.connection, prediction_id, **nothing)
            return event

        return await self._write(actor, prediction_id, change)

    async def _write(self, actor: Actor, prediction_id: UUID, change: Change) -> Entry | None:
        async def work(transaction: Transaction) -> Entry | None:
            connection = transaction.connection
            if not await repository.lock(connection, actor.within, prediction_id):
                return None
            before = await repository.get(connection, actor.within, prediction_id)
            event = await change(transaction, before or Entry())
            if event is None:
                return before
            await transaction.emit(event)
            return await repository.get(connection, actor.within, prediction_id)

        return await self._transactions.write(work)
