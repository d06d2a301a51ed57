"""Group commit: what waits while a transaction is written goes together in the next.

Each transaction waits for the disk, and on SQLite for every other one: of forty predictions at once
each takes 0.9 ms of a processor instead of 6.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from service.flow.batching import DynamicBatcher, PendingItem
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from service.storage.database import RETRY_AFTER
from service.storage.errors import StorageFullError, StorageUnavailableError, translated
from service.storage.transaction import Transaction, Transactions

T = TypeVar("T")
R = TypeVar("R")

Work = Callable[[Transaction, Sequence[T]], Awaitable[Sequence[R]]]
"""Writes some items in the transaction; returns what each has become."""


class GroupCommit(Generic[T, R]):
    """Writes items one transaction at a time, each with at most ``most`` of them."""

    def __init__(self, transactions: Transactions, work: Work[T, R], most: int) -> None:
        self._transactions = transactions
        self._work = work
        self._writer: DynamicBatcher[T, R] = DynamicBatcher(
            self._together, max_items=most, max_calls=1, max_deferral=0.0
        )

    async def __call__(self, item: T) -> R:
        """Return what ``item`` has become, once that is written.

        Raises :class:`~service.storage.errors.StorageError`, or what the work raises for it alone.
        """
        with translated(RETRY_AFTER):
            deadline = Deadline.after(self._transactions.longest_wait)
            return await self._writer(item, deadline, Priority.PERSON)

    async def close(self) -> None:
        """Break off what is being written."""
        await self._writer.close()

    async def _together(self, waiting: Sequence[PendingItem[T, R]]) -> Sequence[R | Exception]:
        items = [one.item for one in waiting]
        try:
            return await self._written(items)
        except (StorageUnavailableError, StorageFullError):
            raise
        except Exception:
            if len(items) == 1:
                raise
            # It is one of them that cannot be written; the others are.
            return [await self._alone(one) for one in items]

    async def _alone(self, item: T) -> R | Exception:
        try:
            (found,) = await self._written([item])
        except Exception as error:
            return error
        return found

    async def _written(self, items: Sequence[T]) -> Sequence[R]:
        return await self._transactions.write(lambda transaction: self._work(transaction, items))
