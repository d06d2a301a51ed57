"""Notes what is read, before it is answered: those that come together in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from service.flow.batching import DynamicBatcher, PendingItem
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from service.identity.events import WasRead
from service.storage.database import RETRY_AFTER
from service.storage.errors import translated
from service.storage.transaction import Transactions

MOST = 64
"""Reads noted in one transaction."""


class Reading:
    """``aclose`` it in the end."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._writer: DynamicBatcher[WasRead, None] = DynamicBatcher(
            self._together, max_items=MOST, max_calls=1, max_deferral=0.0
        )

    async def aclose(self) -> None:
        await self._writer.close()

    async def note(self, event: WasRead) -> None:
        """Return once it is kept. Raises :class:`~service.storage.errors.StorageError`."""
        with translated(RETRY_AFTER):
            deadline = Deadline.after(self._transactions.longest_wait)
            await self._writer(event, deadline, Priority.PERSON)

    async def _together(
        self, waiting: Sequence[PendingItem[WasRead, None]]
    ) -> Sequence[Exception | None]:
        # A full disk keeps nobody from reading: there is room laid aside for what is little.
        await self._transactions.emit(*(one.item for one in waiting), frees=True)
        return [None] * len(waiting)
