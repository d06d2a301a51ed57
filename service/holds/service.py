"""Placing and releasing legal holds: what is held is removed by nothing and nobody."""

from __future__ import annotations

from uuid import UUID, uuid4

from service.clock import now
from service.holds import repository
from service.holds.events import HoldPlaced, HoldReleased
from service.holds.schemas import Hold, ObjectKind, reason
from service.identity.actor import Actor
from service.storage.transaction import Transaction, Transactions


class Holds:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def all(self, actor: Actor, *, released: bool = False) -> tuple[Hold, ...]:
        """Return the holds of the actor's site that are open, or also those ``released``."""
        async with self._transactions.read() as connection:
            return await repository.all(connection, actor.site, released=released)

    async def place(self, actor: Actor, kind: ObjectKind, id: UUID, why: str) -> Hold | None:
        """Return a new hold on a patient or a result of the actor's site; None: there is none.

        Raises :class:`~service.errors.ServiceError` for a reason that is none.
        """
        hold = Hold(
            id=uuid4(),
            object_kind=kind,
            object_id=id,
            reason=reason(why),
            placed_at=now(),
            placed_by=actor.id,
        )

        async def work(transaction: Transaction) -> Hold | None:
            if not await repository.lock(transaction.connection, actor.site, kind, id):
                return None
            await repository.add(transaction.connection, actor.site, hold)
            event = HoldPlaced(actor=actor, hold_id=hold.id, object_kind=kind, object_id=id)
            await transaction.emit(event)
            return hold

        return await self._transactions.write(work)

    async def release(self, actor: Actor, hold_id: UUID) -> bool:
        """End a hold; False where none of this number is open at the actor's site."""

        async def work(transaction: Transaction) -> bool:
            found = await repository.release(
                transaction.connection, actor.site, hold_id, now(), actor.id
            )
            if found is None:
                return False
            kind, id = found
            event = HoldReleased(actor=actor, hold_id=hold_id, object_kind=kind, object_id=id)
            await transaction.emit(event)
            return True

        return await self._transactions.write(work)
