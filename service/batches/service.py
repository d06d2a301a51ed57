"""Beginning, recording and ending a batch. Any front can read one; one of them works on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from service.batches import repository
from service.batches.events import BatchEnded, BatchLinesAdded, BatchStarted
from service.batches.schemas import Batch, BatchState, Checked, Line, Outcome, Sent
from service.identity.actor import Actor
from service.storage.transaction import Transaction, Transactions


class Batches:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def start(self, actor: Actor, total: int) -> Batch:
        """Return a new batch of ``total`` images, which is running."""

        async def work(transaction: Transaction) -> Batch:
            batch = await repository.create(transaction.connection, actor, total)
            await transaction.emit(BatchStarted(actor=actor, batch_id=batch.id, total=total))
            return batch

        return await self._transactions.write(work)

    async def record(
        self,
        actor: Actor,
        batch_id: UUID,
        item: int,
        prediction_id: UUID | None = None,
        problem: Mapping[str, str] | None = None,
    ) -> bool:
        """Write the next line; False when no further item is to be begun.

        What was in hand when a batch was cancelled still gets its line.
        """
        return await self.record_all(actor, batch_id, [Outcome(item, prediction_id, problem)])

    async def record_all(self, actor: Actor, batch_id: UUID, outcomes: Sequence[Outcome]) -> bool:
        """Write the next lines together, as :meth:`record` writes one."""

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            counted = await repository.count(connection, batch_id, len(outcomes))
            if counted is None:
                return False
            first, state = counted
            kept = await repository.add(connection, batch_id, first, outcomes)
            await transaction.emit(
                BatchLinesAdded(
                    actor=actor, batch_id=batch_id, first=first, prediction_ids=tuple(kept)
                )
            )
            return state == "running"

        return await self._transactions.write(work)

    async def touch(self, batch_id: UUID) -> bool:
        """Say that it is still being worked on; False when it is not running any more."""
        return await self._transactions.write(
            lambda transaction: repository.change(transaction.connection, batch_id)
        )

    async def cancel(self, actor: Actor, batch_id: UUID) -> bool:
        """Begin no further image of it; wherever it is worked on, that front will see.

        False where it had ended, or is not the actor's to see.
        """
        if await self.get(actor, batch_id) is None:
            return False
        return await self.end(actor, batch_id, "cancelled")

    async def end(self, actor: Actor, batch_id: UUID, state: BatchState) -> bool:
        """Leave the state running; False when it had been left before."""

        async def work(transaction: Transaction) -> bool:
            if not await repository.change(transaction.connection, batch_id, state):
                return False
            await transaction.emit(BatchEnded(actor=actor, batch_id=batch_id, state=state))
            return True

        return await self._transactions.write(work)

    async def get(self, actor: Actor, batch_id: UUID) -> Batch | None:
        """Return a batch; None where there is none that the actor may see."""
        async with self._transactions.read() as connection:
            return await repository.get(connection, actor.within, batch_id)

    async def lines(self, actor: Actor, batch_id: UUID, after: int, limit: int) -> tuple[Line, ...]:
        """Return at most ``limit`` lines with a number above ``after``, lowest first."""
        async with self._transactions.read() as connection:
            return await repository.lines(connection, actor.within, batch_id, after, limit)

    async def checked(
        self, actor: Actor, batch_id: UUID, after: int, limit: int
    ) -> tuple[Checked, ...]:
        """Return at most ``limit`` lines of images behind the one at ``after``, as they were sent.

        Before the first is −1.
        """
        async with self._transactions.read() as connection:
            return await repository.checked(connection, actor.within, batch_id, after, limit)

    async def names(self, actor: Actor, batch_id: UUID) -> Mapping[int, str]:
        """Return what the actor called the files of a batch that have a result, by position.

        Nothing where another sent it.
        """
        async with self._transactions.read() as connection:
            return await repository.names(connection, actor, batch_id)

    async def judged(self, actor: Actor, batch_id: UUID) -> frozenset[str]:
        """Return the SHA-256 of each file of a batch that has a result."""
        async with self._transactions.read() as connection:
            return await repository.judged(connection, actor.within, batch_id)

    async def sent(self, actor: Actor, limit: int) -> tuple[Sent, ...]:
        """Return at most ``limit`` batches that the actor sent, the newest first."""
        async with self._transactions.read() as connection:
            return await repository.sent(connection, actor, limit)
