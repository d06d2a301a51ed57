"""The ledger: nothing that was acknowledged is ever without a state, a reason or a next step."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from service.clock import now
from service.exams import service as measuring
from service.exams.densitometer.report import SOP_CLASSES as REPORTS
from service.exams.measurements import Measured
from service.identity.actor import Actor, Within
from service.integration.events import LedgerDecided
from service.integration.ledger import balance, deliveries, reports, repository
from service.integration.ledger.schemas import (
    OPEN,
    Arrival,
    Balance,
    Case,
    CaseState,
    Delivery,
    Held,
    Line,
    NotDecidedError,
    Outgoing,
    Received,
    Reported,
    Result,
    Sent,
)
from service.integration.settings import GatewaySettings
from service.storage.group_commit import GroupCommit
from service.storage.tables.ledger import CaseRow, DeliveryRow
from service.storage.transaction import Transaction, Transactions

FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 15 * 60.0
DAY: Final = timedelta(days=1)
MOST: Final = 16
"""Objects that are kept in one transaction."""

Kept = tuple[Received, UUID | None]
"""What became of an object, and the case that it joined."""


class Ledger:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must.

    Those that take a lease raise
    :class:`~service.integration.ledger.schemas.LeaseLostError` where it has passed to another.
    """

    def __init__(self, settings: GatewaySettings, transactions: Transactions) -> None:
        self._settings = settings
        self._transactions = transactions
        self._lease = timedelta(seconds=settings.gateway_lease_seconds)
        self._receiving: GroupCommit[Arrival, Kept] = GroupCommit(transactions, self._keep, MOST)

    async def receive(self, one: Arrival) -> tuple[Received, UUID | None]:
        """Keep an object, and return what became of it and the case that it joined.

        It is durable then. The same object again changes nothing.
        """
        return await self._receiving(one)

    async def _keep(self, transaction: Transaction, arrived: Sequence[Arrival]) -> list[Kept]:
        connection = transaction.connection
        every = [await repository.of_survivor(connection, one) for one in arrived]
        keys = [one.site + uid for one in every for uid in (one.sop_uid, one.study_uid)]
        await repository.alone(connection, *keys)
        return [await self._arrive(transaction, one) for one in every]

    async def _arrive(self, transaction: Transaction, one: Arrival) -> Kept:
        connection = transaction.connection
        earlier = await repository.hashes(connection, one.site, one.sop_uid)
        if one.sha256 in earlier:
            return "duplicate", None
        is_report = not one.is_image and one.sop_class_uid in REPORTS
        ours = await repository.is_ours(connection, one.sop_uid, one.series_uid)
        rule = "own_result" if one.is_own or ours else None
        if rule is None and one.action == "ignore":
            rule = one.rule
        reason = "other_bytes" if earlier else None
        if rule is None and reason is None and not one.is_image and not is_report:
            rule = "not_an_image"
        if rule is not None:
            await repository.add(connection, one, None, "ignored", rule)
            return "ignored", None
        if reason is None and await repository.other_patient(connection, one):
            reason = "other_patient"
        if reason is not None:
            await repository.add(connection, one, None, "quarantined", reason)
            return "quarantined", None
        if is_report:
            await repository.add(connection, one, None, "reading", None)
            return "accepted", None
        case_id = await self._case_for(transaction, one)
        await repository.add(connection, one, case_id, "held", None)
        if one.action == "hold":
            await repository.hold(connection, case_id, one.rule)
        return "accepted", case_id

    async def _case_for(self, transaction: Transaction, one: Arrival) -> UUID:
        """Return the case that ``one`` joins: a new revision where its study has been judged."""
        connection, due = transaction.connection, self._in(self._settings.gateway_receive_seconds)
        last = await repository.latest(connection, one.site, one.study_uid)
        if last is not None and last.state in (*OPEN, "quarantined"):
            state = None if last.state == "quarantined" else "receiving"
            await repository.join(connection, last.id, state, due)
            found: UUID = last.id
            return found
        since = now() - DAY
        made = await repository.made_since(connection, one.site, one.study_uid, since)
        over = made >= self._settings.gateway_judgements
        state, reason = ("quarantined", "too_many_results") if over else ("receiving", None)
        revision = 0 if last is None else last.revision + 1
        case_id = await repository.begin(connection, one, revision, state, reason)
        await repository.join(connection, case_id, None if over else state, due)
        return case_id

    async def released(self, cases: Iterable[UUID]) -> None:
        """Have cases settle whose sender has gone."""
        due = self._in(self._settings.gateway_settle_seconds)
        await self._transactions.write(
            lambda transaction: repository.settle(transaction.connection, cases, due)
        )

    async def next_case(self) -> Case | None:
        """Return a case that something is to be done about, leased; None where there is none."""
        return await self._transactions.write(
            lambda transaction: repository.claim_case(transaction.connection, self._lease)
        )

    async def next_delivery(self, destination: str, in_order: bool = False) -> Delivery | None:
        """Return a delivery that is due, leased; None where there is none.

        ``in_order``: none overtakes what was made before it.
        """
        return await self._transactions.write(
            lambda transaction: deliveries.claim_next(
                transaction.connection, destination, self._lease, in_order
            )
        )

    async def held(self, case: Case) -> tuple[Held, ...]:
        """Return the objects of a case's study, the earlier revisions' included."""
        async with self._transactions.read() as connection:
            return await repository.held(connection, case.site, case.study_uid)

    async def destinations(self, case: Case) -> frozenset[str] | None:
        """Return where a case's result goes by the rules of its images; None: everywhere."""
        async with self._transactions.read() as connection:
            return await repository.destinations(connection, case.site, case.study_uid)

    async def renew(self, case: Case) -> None:
        """Begin the lease anew: one image more has been done."""
        until = now() + self._lease
        await self._transactions.write(
            lambda one: repository.change(one.connection, CaseRow, case, leased_until=until)
        )

    async def put_aside(self, case: Case, one: Held, reason: str) -> None:
        """Put an object that cannot be judged into quarantine."""

        async def work(transaction: Transaction) -> None:
            await repository.change(transaction.connection, CaseRow, case)
            await repository.set_arrival(transaction.connection, one.id, "quarantined", reason)

        await self._transactions.write(work)

    async def ready(self, case: Case) -> None:
        if case.state != "ready":
            await self._transactions.write(lambda one: self._move(one, case, "ready"))

    async def judged(
        self, case: Case, judged: Sequence[tuple[str, UUID]], by: Actor | None = None
    ) -> bool:
        """Keep what was judged; False where another object has come since, and the case waits.

        What the scanner's reports on the study have told goes into the exams, ``by`` who sent it.
        """
        actor = by or Actor(site=case.site)

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            # Before a row is held, as whoever receives does: else each would wait for the other.
            await repository.alone(connection, case.site + case.study_uid)
            kept = [[sha256, str(prediction)] for sha256, prediction in judged]
            still = CaseRow.objects == case.objects
            if await self._move(transaction, case, "judged", still, judged=kept, attempts=0):
                ids = {prediction for _, prediction in judged}
                await repository.belong(connection, case.id, ids)
                told = await reports.of_study(connection, case.site, case.study_uid)
                await self._enter(transaction, actor, sorted(ids), told)
                return True
            # Its due time is that of the object that came.
            await repository.change(transaction.connection, CaseRow, case, leased_until=None)
            return False

        return await self._transactions.write(work)

    async def next_report(self) -> Reported | None:
        """Return a scanner's report that is to be read; None where there is none."""
        async with self._transactions.read() as connection:
            return await reports.waiting(connection)

    async def measured(self, actor: Actor, one: Reported, key: str, told: Measured) -> None:
        """Keep what a report told, and enter it into exams of its study that are there."""

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await repository.alone(connection, one.site + one.study_uid)
            if await reports.keep(connection, one, key, told):
                ids = await reports.predictions(connection, one.site, one.study_uid)
                await self._enter(transaction, actor, ids, {key: told})

        await self._transactions.write(work)

    async def not_measured(self, one: Reported, reason: str, *, ignored: bool) -> None:
        """Take nothing of a report: by a rule, or as what a person should look at."""
        state = "ignored" if ignored else "quarantined"
        await self._transactions.write(
            lambda transaction: reports.refuse(transaction.connection, one, state, reason)
        )

    @staticmethod
    async def _enter(
        transaction: Transaction,
        actor: Actor,
        predictions: Iterable[UUID],
        told: Mapping[str, Measured],
    ) -> None:
        for id in predictions if told else ():
            await measuring.enter(transaction, actor, Within(site=actor.site), id, told)

    async def predecessor(self, case: Case) -> tuple[str, str, str] | None:
        """Return class, series and UID of the report that ``case`` supersedes."""
        async with self._transactions.read() as connection:
            row = await deliveries.predecessor(connection, case)
        return None if row is None else (row.sop_class_uid, row.series_uid, row.sop_uid)

    async def composed(self, case: Case, results: Sequence[Result]) -> None:
        """Keep what was made of a case: from here on these bytes are sent and no others."""

        async def work(transaction: Transaction) -> None:
            await self._move(transaction, case, "composed")
            await deliveries.keep(transaction.connection, case.id, results)
            await deliveries.supersede(transaction.connection, case)

        await self._transactions.write(work)

    async def deliver(self, case: Case, outgoing: Iterable[Outgoing]) -> None:
        """Have a case's results sent, each to its destination."""

        async def work(transaction: Transaction) -> None:
            await self._move(transaction, case, "delivering", leased_until=None)
            await deliveries.deliver_to(transaction.connection, case.id, outgoing)

        await self._transactions.write(work)

    async def quarantine(self, case: Case, reason: str) -> None:
        await self._transactions.write(
            lambda one: self._move(one, case, "quarantined", reason=reason, leased_until=None)
        )

    async def postpone(self, case: Case) -> None:
        """Let go of a case that nothing can be done about now."""
        due = self._in(pause(case.attempts))
        await self._transactions.write(
            lambda one: repository.change(
                one.connection, CaseRow, case, due_at=due, leased_until=None
            )
        )

    async def results(self, case_id: UUID) -> tuple[Result, ...]:
        """Return what was made of a case; none where its bytes have been removed."""
        async with self._transactions.read() as connection:
            return await deliveries.results(connection, case_id)

    async def sent(
        self, delivery: Delivery, sent: Sent, budget: int, *, commits: bool = False
    ) -> str:
        """Write down what became of an attempt; return the delivery's state.

        ``commits``: the destination is yet to be asked whether it commits to what it accepted.
        """
        again = sent.reason is not None and sent.passes and delivery.attempts < budget
        state = "waiting" if again else "dead"
        if sent.reason is None:
            state = "committing" if commits else "accepted"
        due = self._in(0.0 if sent.reason is None else pause(delivery.attempts))

        async def work(transaction: Transaction) -> str:
            connection = transaction.connection
            await repository.change(
                connection, DeliveryRow, delivery, state=state, reason=sent.reason,
                objects={**delivery.objects, **sent.objects}, leased_until=None,
                due_at=due, transaction_uid=None, detail=sent.detail and sent.detail[:400],
            )  # fmt: skip
            await repository.note(connection, delivery.case_id, state, sent.reason, delivery.id)
            await deliveries.finish(connection, delivery.case_id)
            return state

        return await self._transactions.write(work)

    async def restart(self, actor: Actor, id: UUID, site: str | None = None) -> None:
        """Try a dead delivery, or a case in quarantine, again. Raises :class:`NotDecidedError`.

        With ``site`` nothing of another is there, as for :meth:`discard`.
        """
        await self._decide(actor, id, "restart", None, site)

    async def discard(self, actor: Actor, id: UUID, reason: str, site: str | None = None) -> None:
        """Give up a delivery that is dead or waits, or a case or an object in quarantine.

        Raises :class:`NotDecidedError`.
        """
        await self._decide(actor, id, "discard", reason, site)

    async def _decide(
        self, actor: Actor, id: UUID, act: Any, reason: str | None, site: str | None
    ) -> None:
        async def work(transaction: Transaction) -> None:
            what = await balance.decide(transaction.connection, id, act, reason, site)
            if what is None:
                raise NotDecidedError
            await transaction.emit(LedgerDecided(actor=actor, id=id, what=what, act=act))

        await self._transactions.write(work)

    async def balance(self, site: str | None = None) -> Balance:
        """Return what became of everything that was acknowledged, at one site or all."""
        async with self._transactions.read() as connection:
            return await balance.of(connection, site)

    async def waiting(self, most: int = 200, site: str | None = None) -> tuple[Line, ...]:
        """Return what is not done: in quarantine, dead, waiting or in progress, oldest first."""
        async with self._transactions.read() as connection:
            return await balance.lines(connection, most, site)

    async def states(self) -> Mapping[tuple[str, str], int]:
        """Return how many cases and deliveries are in each state."""
        async with self._transactions.read() as connection:
            return await balance.states(connection)

    async def oldest(self) -> Mapping[str, float]:
        """Return for how many seconds the oldest case and delivery have been in progress."""
        async with self._transactions.read() as connection:
            return await balance.oldest(connection)

    async def purge(self) -> int:
        """Remove bytes that nobody needs any more; return of how many objects."""
        before = now() - timedelta(hours=self._settings.gateway_retain_hours)
        return await self._transactions.write(
            lambda transaction: deliveries.purge(transaction.connection, before), frees=True
        )

    async def _move(
        self, transaction: Transaction, case: Case, state: CaseState, *conditions: Any,
        **values: Any,
    ) -> bool:  # fmt: skip
        connection = transaction.connection
        if not await repository.change(
            connection, CaseRow, case, *conditions, state=state, **values
        ):
            return False
        await repository.note(connection, case.id, state, values.get("reason"))
        return True

    @staticmethod
    def _in(seconds: float) -> Any:
        return now() + timedelta(seconds=seconds)


def pause(attempts: int) -> float:
    """Return the seconds before the next attempt, twice as long each time, and never the same."""
    whole = min(FIRST_PAUSE * 2.0 ** min(max(attempts - 1, 0), 20), LONGEST_PAUSE)
    return random.uniform(0.8 * whole, whole)  # noqa: S311 - no secret
