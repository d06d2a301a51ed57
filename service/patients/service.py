"""Finding a patient. They come and go with the exams that name them."""

from __future__ import annotations

from uuid import UUID

from service.identity.actor import Actor
from service.patients import repository
from service.storage.transaction import Transactions


class Patients:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def find(self, actor: Actor, reference: str) -> UUID | None:
        """Return the key of the actor's patient with exactly this reference."""
        async with self._transactions.read() as connection:
            return await repository.find(connection, actor.site, reference)
