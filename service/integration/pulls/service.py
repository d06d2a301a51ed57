"""Questions to archives: what is asked, what was found, and what became of each study.

::

    asked ──▶ fetching ──▶ done          all that was found has been sent, or is here
      ▲           ├──────▶ asked         not all of it: tried again after a pause
      │           └──────▶ dead          refused for good, or attempts are used up
      └── restarted by a person          who may give it up at any time before it is done

What an archive sends is acknowledged, judged and delivered as anything that is pushed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from service.clock import now
from service.identity.actor import Actor
from service.integration.archives import Archive
from service.integration.events import PullAsked
from service.integration.ledger import repository as ledger
from service.integration.ledger.service import pause
from service.integration.pulls import repository
from service.integration.pulls.schemas import (
    UNDER_WAY,
    Fetched,
    Progress,
    Pull,
    Question,
    Study,
)
from service.integration.settings import GatewaySettings
from service.storage.tables.ledger import PullRow
from service.storage.transaction import Transaction, Transactions

KEPT_DAYS: Final = 7.0
"""What ended is known so much longer than archives are asked back for by the clock."""


class Pulls:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must.

    Those that take a question raise
    :class:`~service.integration.ledger.schemas.LeaseLostError` where it has passed to another, or
    a person has given it up.
    """

    def __init__(self, settings: GatewaySettings, transactions: Transactions) -> None:
        self._transactions = transactions
        self.lease = timedelta(seconds=settings.gateway_lease_seconds)

    async def ask(self, actor: Actor, archive: str, question: Question) -> UUID:
        """Have ``archive`` asked; return the question's number. It is durable then."""

        async def work(transaction: Transaction) -> UUID:
            id = await repository.keep(
                transaction.connection, actor.site, archive, question, scheduled=False
            )
            await transaction.emit(PullAsked(actor=actor, id=id, archive=archive))
            return id

        return await self._transactions.write(work)

    async def schedule(self, site: str, archive: Archive) -> bool:
        """Have ``archive`` asked for what is new where it is time; return whether it was."""
        if archive.every_minutes is None:
            return False
        pause = timedelta(minutes=archive.every_minutes)

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            # Once, however many gateways there are.
            await ledger.alone(connection, f"{site}/archive/{archive.name}")
            last = await repository.latest(connection, site, archive.name)
            if last is not None and (last[1] in UNDER_WAY or last[0] > now() - pause):
                return False
            await repository.replace(connection, site, archive.name)
            question = Question.lately(archive)
            await repository.keep(connection, site, archive.name, question, scheduled=True)
            return True

        return await self._transactions.write(work)

    async def next(self, site: str, archive: str) -> Pull | None:
        """Return a question to ``archive`` that is due, leased; None where there is none."""
        return await self._transactions.write(
            lambda one: repository.next_of(one.connection, site, archive, self.lease)
        )

    async def holds(self, pull: Pull) -> bool:
        """Whether ``pull`` is still to be worked on by whoever holds it."""
        async with self._transactions.read() as connection:
            return await repository.holds(connection, pull)

    async def renew(self, pull: Pull) -> None:
        until = now() + self.lease
        await self._transactions.write(
            lambda one: ledger.change(one.connection, PullRow, pull, leased_until=until)
        )

    async def found(self, pull: Pull, studies: Sequence[Study], peer: str) -> None:
        """Keep what the archive has of it, which sends as ``peer``."""
        await self._transactions.write(
            lambda one: repository.found(one.connection, pull, studies, peer)
        )

    async def left(self, pull: Pull) -> tuple[Study, ...]:
        """Return the studies that are still to be fetched."""
        async with self._transactions.read() as connection:
            return await repository.left(connection, pull)

    async def fetched(self, pull: Pull, study_uid: str, what: Fetched) -> None:
        await self._transactions.write(
            lambda one: repository.fetched(one.connection, pull, study_uid, what)
        )

    async def ended(
        self, pull: Pull, reason: str | None, *, passes: bool = False, budget: int = 1
    ) -> str:
        """Let go of a question, for ``reason`` where not all came of it; return its state.

        ``passes``: it may be tried again, ``budget`` times in all.
        """
        again = passes and pull.attempts < budget
        state = "done" if reason is None else "asked" if again else "dead"
        due = now() + timedelta(seconds=pause(pull.attempts) if again else 0.0)
        await self._transactions.write(
            lambda one: repository.end(one.connection, pull, state, reason, due)
        )
        return state

    async def release(self, pull: Pull) -> None:
        """Let another gateway go on with it."""
        await self._transactions.write(lambda one: repository.release(one.connection, pull))

    async def progress(self, id: UUID) -> Progress | None:
        """Return how far a question has come; None: there is none of this number."""
        async with self._transactions.read() as connection:
            return await repository.progress(connection, id)

    async def purge(self, back_days: float) -> None:
        """Forget what ended so long ago that nobody is asked back for it any more."""
        before = now() - timedelta(days=back_days + KEPT_DAYS)
        await self._transactions.write(lambda one: repository.purge(one.connection, before))
