"""What an administrator may know of their site's use: how much, and never of whom."""

from __future__ import annotations

from service.identity.actor import Actor
from service.storage.transaction import Transactions
from service.usage import repository
from service.usage.schemas import Period, Use


class Usage:
    """Raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def of(self, actor: Actor, period: Period) -> Use:
        """Return the use of the actor's site over a period."""
        async with self._transactions.read() as connection:
            return Use(
                months=await repository.months(connection, actor.within, period),
                versions=await repository.versions(connection, actor.within),
            )
