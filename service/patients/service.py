"""Finding a patient. They come and go with the exams that name them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from service.identity.actor import Actor
from service.patients import repository
from service.patients.events import PatientsMerged
from service.storage.transaction import Transaction, Transactions


class Patients:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @property
    def finds_parts(self) -> bool:
        """Whether a part of a reference finds a patient; of what is encrypted the whole does."""
        return not self._transactions.is_encrypting

    async def find(self, actor: Actor, reference: str, issuer: str | None = None) -> UUID | None:
        """Return the key of the actor's patient with exactly this reference.

        ``issuer``: who gave it; None: of several issuers' none counts.
        """
        async with self._transactions.read() as connection:
            return await repository.find(connection, actor.site, reference, issuer)

    async def search(self, actor: Actor, part: str, most: int) -> tuple[UUID, ...]:
        """Return keys of at most ``most`` of the actor's patients, by a part of their reference."""
        async with self._transactions.read() as connection:
            return await repository.search(connection, actor.site, part, most)

    async def references(self, actor: Actor, keys: Collection[UUID]) -> tuple[str, ...]:
        """Return the references of ``keys`` for people, those of other sites left out."""
        async with self._transactions.read() as connection:
            found = await repository.references(connection, actor.site, keys)
        return tuple(shown(reference, issuer) for reference, issuer in found)


async def merge(
    transaction: Transaction, actor: Actor, former: tuple[str, str], into: tuple[str, str]
) -> None:
    """Have one identifier and issuer be another from now on, within ``transaction``.

    The same once more changes nothing. Raises :class:`~service.holds.schemas.HeldError`.
    """
    connection, site = transaction.connection, actor.site
    if former == into or await repository.surviving(connection, site, *former) == into:
        return
    key, there = await repository.merge(connection, site, former, into)
    await transaction.emit(PatientsMerged(actor=actor, former=key, into=there))


def shown(reference: str, issuer: str | None) -> str:
    """Return a patient's reference for people, with its issuer where it has one."""
    return f"{reference} ({issuer})" if issuer else reference
