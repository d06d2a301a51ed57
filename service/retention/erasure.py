"""Erasing a patient for good: what shows or names them goes, also from what a backup brings back.

What is left is a tombstone: a keyed hash of site, issuer and identifier, by which whoever has the
key and a list of patients can tell who is meant, and nobody else. A restore is given the tombstones
and erases again whom its backup knew.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid4

from service.clock import now
from service.holds import repository as holds
from service.holds.schemas import HeldError
from service.identity.actor import Actor, Within
from service.predictions import deletion
from service.retention import repository
from service.retention.events import ErasureReason, PatientErased
from service.retention.repository import Tombstone
from service.storage.transaction import Transaction, Transactions

TYPED: Final = ""
"""The issuer of identifiers that somebody has typed."""


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What an erasure removed; all zero: nobody was kept under this name."""

    tombstone: Tombstone
    deleted: int = 0
    unlinked: int = 0
    """Signed results, which stay as they were signed and say of nobody whose they are."""
    received: int = 0
    """Objects of the gateway."""


class Erasure:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions, key: bytes) -> None:
        """``key``: what seals the trail; hashes are made with one that is derived from it."""
        self._transactions = transactions
        self._key = hmac.new(key, b"erasure", hashlib.sha256).digest()

    def hash(self, site: str, issuer: str, identifier: str) -> str:
        """Return what is kept of a patient who was erased (HMAC-SHA-256 in hexadecimal)."""
        made = hmac.new(self._key, digestmod=hashlib.sha256)
        for field in (site, issuer, identifier):
            text = field.encode()
            made.update(len(text).to_bytes(4, "big") + text)
        return made.hexdigest()

    async def name_of(self, actor: Actor, patient_key: UUID) -> tuple[str, str] | None:
        """Return issuer and identifier of a patient of the actor's site; None without them."""
        async with self._transactions.read() as connection:
            return await repository.patient(connection, actor.site, patient_key)

    async def erase(
        self, actor: Actor, identifier: str, issuer: str, reason: ErasureReason
    ) -> Erased:
        """Remove all of a patient of the actor's site, and see that no backup brings it back.

        Nobody of this name is no error: a backup may know them. Results that nobody has signed
        are deleted, those whose signature was withdrawn as well; signed ones stay as they were
        signed, without image, file name, exam and patient. What the gateway has received of them
        goes too, and what it has under way with it is given up.

        Raises :class:`~service.holds.schemas.HeldError`, and then nothing is removed.
        """
        tombstone = Tombstone(
            id=uuid4(),
            site=actor.site,
            hash=self.hash(actor.site, issuer, identifier),
            erased_at=now(),
        )

        async def work(transaction: Transaction) -> Erased:
            return await self._erase(transaction, actor, identifier, issuer, tombstone, reason)

        return await self._transactions.write(work, frees=True)

    async def again(self, actor: Actor, tombstones: Collection[Tombstone]) -> int:
        """Erase whom a restored backup knows again; return of how many anything was found.

        A hold of that day is none any more: it was released before they were erased.
        """
        async with self._transactions.read() as connection:
            done = {one.id for one in await repository.tombstones(connection)}
        found = 0
        for one in sorted(tombstones, key=lambda it: (it.erased_at, str(it.id))):
            if one.id not in done:
                found += await self._again(replace(actor, site=one.site), one)
        return found

    async def _again(self, actor: Actor, one: Tombstone) -> bool:
        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            names = {(issuer, name) for _, issuer, name in await repository.patients(
                connection, one.site
            )}  # fmt: skip
            for text in await repository.received(connection, one.site):
                name, _, issuer = text.partition("\\")
                names.add((issuer, name))
            theirs = [it for it in names if hmac.compare_digest(one.hash, self.hash(one.site, *it))]
            if not theirs:
                await repository.bury(connection, one)
                return False
            ((issuer, name),) = theirs
            await self._erase(transaction, actor, name, issuer, one, None)
            return True

        return await self._transactions.write(work)

    async def _erase(
        self,
        transaction: Transaction,
        actor: Actor,
        identifier: str,
        issuer: str,
        tombstone: Tombstone,
        reason: ErasureReason | None,
    ) -> Erased:
        """``reason`` is None where it is done again: no hold counts then."""
        connection, site = transaction.connection, actor.site
        key = await repository.known_by(connection, site, issuer, identifier)
        keys = () if key is None else (key,)
        arrived = f"{identifier}\\{issuer}"
        results = await repository.results_of(connection, Within(site=site), keys, arrived)
        if reason is not None:
            held = [await holds.is_result_held(connection, id) for id, _ in results]
            if any(held) or (key is not None and await holds.is_patient_held(connection, key)):
                raise HeldError
        received = await repository.forget_received(connection, site, arrived)
        for id, signed in results:
            if signed:
                await deletion.unlink(transaction, actor, id)
            else:
                await deletion.delete(
                    transaction, actor, id, "erasure", most="withdrawn", held=True
                )
        await repository.forget(connection, keys)
        await repository.bury(connection, tombstone)
        unlinked = sum(signed for _, signed in results)
        erased = Erased(
            tombstone=tombstone,
            deleted=len(results) - unlinked,
            unlinked=unlinked,
            received=received,
        )
        await transaction.emit(
            PatientErased(
                actor=actor,
                erasure_id=tombstone.id,
                patient_keys=keys,
                reason=reason,
                deleted=erased.deleted,
                unlinked=erased.unlinked,
                received=erased.received,
                again=reason is None,
            )
        )
        return erased
