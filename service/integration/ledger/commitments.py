"""Storage commitment: only what the ledger holds is committed to; no question is forgotten.

::

    a peer asks        waiting ──▶ reported            the peer has taken the answer
                          └──────▶ dead                nowhere to answer to, or never taken
    we ask             committing ──▶ committed        the destination says that it has all objects
                          ├─────────▶ waiting          it has not: they are sent again
                          └─────────▶ dead             it never said, as often as it was asked
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from service.clock import now
from service.integration.ledger import deliveries, questions, repository
from service.integration.ledger.schemas import Commitment, Question, Reference, Report
from service.integration.ledger.service import pause
from service.integration.settings import GatewaySettings
from service.storage.tables.ledger import CommitmentRow, DeliveryRow
from service.storage.transaction import Transaction, Transactions

NO_SUCH_OBJECT: Final = 0x0112
CLASS_CONFLICT: Final = 0x0119
"""Failure reasons (PS3.3 C.14.1.1): there is no such object; it is of another SOP class."""
REPORTS: Final = 100
"""Attempts to tell a peer; then a person decides."""
STAY_SECONDS: Final = 60.0
"""How long a peer that is answered on its own association has to take the answer."""

Peers = Iterable[tuple[str, str]]
"""Site and name of each."""


class Commitments:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must.

    Those that take a lease raise
    :class:`~service.integration.ledger.schemas.LeaseLostError` where it has passed to another.
    """

    def __init__(self, settings: GatewaySettings, transactions: Transactions) -> None:
        self._settings = settings
        self._transactions = transactions
        self._lease = timedelta(seconds=settings.gateway_lease_seconds)

    async def ask(
        self, site: str, peer: str, transaction_uid: str, objects: Sequence[Reference]
    ) -> UUID:
        """Keep a peer's question; it is durable then."""
        return await self._transactions.write(
            lambda one: questions.keep(
                one.connection, site, peer, transaction_uid, objects, now()
            )
        )  # fmt: skip

    async def answer(self, site: str, about: Commitment) -> Report:
        """Return which of the objects the ledger holds now."""
        async with self._transactions.read() as connection:
            held = await questions.held(connection, site, [uid for _, uid in about.objects])
        committed, failed = [], []
        for one in about.objects:
            sop_class, uid = one
            if held.get(uid) == sop_class:
                committed.append(one)
            else:
                failed.append((one, CLASS_CONFLICT if uid in held else NO_SUCH_OBJECT))
        return Report(
            transaction_uid=about.transaction_uid, committed=tuple(committed), failed=tuple(failed)
        )

    async def waiting(self, id: UUID) -> Commitment | None:
        """Return a question that is not answered yet."""
        async with self._transactions.read() as connection:
            return await questions.commitment(connection, id)

    async def next_commitment(self, peers: Peers) -> Commitment | None:
        """Return a question that one of ``peers`` is to be told about, leased."""
        return await self._transactions.write(
            lambda one: questions.claim_commitment(one.connection, peers, self._lease)
        )

    async def give_up(self, peers: Peers) -> None:
        """Give up questions of ``peers``, who are answered on their own association, and left."""
        before = now() - timedelta(seconds=STAY_SECONDS)
        await self._transactions.write(
            lambda one: questions.unanswerable(one.connection, peers, before)
        )

    async def reported(self, about: Commitment, reason: str | None) -> None:
        """Write down that a peer has taken the answer, or why not."""
        again = about.attempts < REPORTS
        state = "reported" if reason is None else "waiting" if again else "dead"

        async def work(transaction: Transaction) -> None:
            await repository.change(
                transaction.connection, CommitmentRow, about, state=state, reason=reason,
                leased_until=None, due_at=now() + timedelta(seconds=pause(about.attempts)),
            )  # fmt: skip
            await repository.note(transaction.connection, None, state, reason, about.id)

        await self._transactions.write(work)

    async def next_question(self, destination: str) -> Question | None:
        """Return a delivery of which ``destination`` is to be asked, leased."""
        return await self._transactions.write(
            lambda one: questions.claim_question(one.connection, destination, self._lease)
        )

    async def asking(self, about: Question, transaction_uid: str) -> None:
        """Keep what the destination is about to be asked by: its report may come at once."""
        await self._transactions.write(
            lambda one: repository.change(
                one.connection, DeliveryRow, about, transaction_uid=transaction_uid
            )
        )

    async def asked(self, about: Question, reason: str | None, patience: float, budget: int) -> str:
        """Write down that a question was asked, or why it was not; return the state.

        After ``patience`` seconds without a report it is due to be asked again.
        """
        is_over = reason is not None and about.attempts >= budget
        state = "dead" if is_over else "committing"
        wait = patience if reason is None else pause(about.attempts)

        async def work(transaction: Transaction) -> str:
            connection = transaction.connection
            await repository.change(
                connection, DeliveryRow, about, state=state, reason=reason, leased_until=None,
                due_at=now() + timedelta(seconds=wait),
            )  # fmt: skip
            await repository.note(connection, about.case_id, state, reason, about.id)
            return state

        return await self._transactions.write(work)

    async def heard(self, destination: str, report: Report, budget: int) -> str | None:
        """Write down a destination's report; return the delivery's state, None: not asked for.

        An object that it does not name counts as one that it has not.
        """
        has = {uid for _, uid in report.committed}

        async def work(transaction: Transaction) -> str | None:
            connection = transaction.connection
            row = await questions.asked_by(connection, destination, report.transaction_uid)
            if row is None:
                return None
            missing = set(row.objects) - has
            if not missing:
                state, reason = "committed", None
            else:
                state, reason = "waiting" if row.attempts < budget else "dead", "not_committed"
            objects = {
                uid: "not_committed" if uid in missing else status
                for uid, status in row.objects.items()
            }
            due = now() + timedelta(seconds=pause(row.attempts) if missing else 0)
            await questions.hear(
                connection, row.id, state=state, reason=reason, objects=objects, due_at=due
            )
            await repository.note(connection, row.case_id, state, reason, row.id)
            await deliveries.finish(connection, row.case_id)
            return state

        return await self._transactions.write(work)

    async def purge(self) -> None:
        """Forget what was answered long ago."""
        before = now() - timedelta(hours=self._settings.gateway_retain_hours)
        await self._transactions.write(lambda one: questions.purge(one.connection, before))
