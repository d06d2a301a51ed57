"""Work items: what programs ask of the worklist (PS3.18 section 11).

::

    scheduled ──▶ in progress ──▶ completed       by us, as the item's case goes: performing.py
        │             └─────────▶ canceled        or by whoever has claimed it
        └── canceled, through in progress, at the request of whoever made it

An item is the handle of a case: what has arrived, what was made of it and where it was sent stand
in the ledger alone, and are told with the item.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydicom.uid import generate_uid
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.identity.actor import Actor
from service.identity.events import WasRead
from service.identity.reading import Reading
from service.integration.events import WorkitemChanged
from service.integration.ledger import repository as ledger
from service.integration.ledger.schemas import WorkitemState
from service.integration.peers import by_key
from service.integration.web.metrics import DicomWebMetrics
from service.integration.web.repository import Seen
from service.integration.workitems import repository, requirements
from service.integration.workitems.query import Sought
from service.integration.workitems.schemas import (
    COMPLETED,
    FINAL,
    INCONSISTENT,
    INCORRECT,
    IS_CANCELED,
    IS_COMPLETED,
    MISSING,
    NO_CONTACT,
    NOT_CHOSEN,
    NOT_CLAIMED,
    NOT_UPDATED,
    Item,
    Told,
    Workitem,
    conflict,
    invalid,
    nothing,
    verdict,
)
from service.storage.transaction import Transaction, Transactions

Act = Literal["create", "update", "claim", "complete", "cancel"]


class Workitems:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must, and
    :class:`~service.errors.ServiceError` where what is asked is not done.

    A program sees the items that it has made; those of others are not there.
    """

    def __init__(
        self, transactions: Transactions, reading: Reading, metrics: DicomWebMetrics
    ) -> None:
        self._transactions = transactions
        self._reading = reading
        self._metrics = metrics

    async def create(self, actor: Actor, uid: str | None, item: Item) -> tuple[str, bool]:
        """Keep a new item; return its UID, and whether anything of it was filled in."""
        kept, modified = requirements.created(item)
        named = uid or str(generate_uid(prefix=None))

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await ledger.alone(connection, f"{actor.site}/workitem/{named}")
            id = await repository.add(connection, actor.site, by_key(actor), named, kept)
            if id is None:
                raise conflict(INCONSISTENT, "There is a work item of this UID.")
            await transaction.emit(WorkitemChanged(actor=actor, id=id, act="create"))

        await self._transactions.write(work)
        self._metrics.workitem("create")
        return named, modified

    async def get(self, actor: Actor, uid: str, route: str) -> Told:
        """Return an item, and note that it was read."""
        async with self._transactions.read() as connection:
            item = await repository.get(connection, _seen(actor), uid)
            if item is None:
                raise nothing()
            found = await _told(connection, item)
        await self._note(actor, item.id, route)
        return found

    async def search(self, actor: Actor, sought: Sought, route: str) -> tuple[Told, ...]:
        """Return the items that match, and note that they were read."""
        async with self._transactions.read() as connection:
            items = await repository.find(connection, _seen(actor), sought)
            found = tuple([await _told(connection, one) for one in items])
        for one in items:
            await self._note(actor, one.id, route)
        return found

    async def update(self, actor: Actor, uid: str, changes: Item, given: str | None) -> None:
        """Change what an item says; ``given`` is the transaction UID of whoever performs it."""

        async def work(transaction: Transaction) -> None:
            item = await _held(transaction, actor, uid)
            if item.state in FINAL:
                raise invalid(NOT_UPDATED, NOT_UPDATED)
            if item.state == "scheduled" and given is not None:
                raise invalid(NOT_CLAIMED, NOT_CLAIMED)
            if item.state == "in_progress" and given is None:
                raise invalid(MISSING, MISSING)
            if item.state == "in_progress" and given != item.transaction_uid:
                raise invalid(INCORRECT, INCORRECT)
            document = requirements.updated(item.document, item.state, changes)
            # What it waits for may be another now.
            await repository.save(transaction.connection, item, document, due_at=now())
            await transaction.emit(WorkitemChanged(actor=actor, id=item.id, act="update"))

        await self._transactions.write(work)
        self._metrics.workitem("update")

    async def change(
        self, actor: Actor, uid: str, wanted: WorkitemState, given: str | None
    ) -> str | None:
        """Have an item be ``wanted``; return the warning where it is so already."""

        async def work(transaction: Transaction) -> str | None:
            item = await _held(transaction, actor, uid)
            owned = None if given is None else given == item.transaction_uid
            match verdict(item.state, wanted, owned):
                case "missing":
                    raise invalid(MISSING, MISSING)
                case "incorrect":
                    raise invalid(INCORRECT, INCORRECT)
                case "inconsistent":
                    raise conflict(INCONSISTENT)
                case "already":
                    return IS_CANCELED if wanted == "canceled" else IS_COMPLETED
                case "change":
                    await self._move(transaction, actor, item, wanted, given)
            return None

        warning = await self._transactions.write(work)
        if warning is None:
            self._metrics.workitem(_act(wanted))
        return warning

    async def cancel(self, actor: Actor, uid: str, said: Item) -> str | None:
        """Cancel an item that nobody has begun; return the warning where it is canceled already.

        ``said``: the reason, and whom to ask. What we perform goes on: its images are judged
        whether there is an item or not.
        """

        async def work(transaction: Transaction) -> str | None:
            item = await _held(transaction, actor, uid)
            if item.state == "canceled":
                return IS_CANCELED
            if item.state == "completed":
                raise conflict(COMPLETED)
            if item.state == "in_progress":
                raise conflict(NO_CONTACT if item.case_id is None else NOT_CHOSEN)
            document = requirements.canceled(item.document, said=said)
            moment = now()
            values: dict[str, Any] = {"started_at": moment, "ended_at": moment}
            await repository.save(
                transaction.connection, item, document, state="canceled", **values
            )
            await transaction.emit(WorkitemChanged(actor=actor, id=item.id, act="cancel"))
            return None

        warning = await self._transactions.write(work)
        if warning is None:
            self._metrics.workitem("cancel")
        return warning

    @staticmethod
    async def _move(
        transaction: Transaction,
        actor: Actor,
        item: Workitem,
        wanted: WorkitemState,
        given: str | None,
    ) -> None:
        connection = transaction.connection
        if wanted == "in_progress":
            await repository.save(
                connection, item, state=wanted, transaction_uid=given, started_at=now()
            )
        else:
            document = requirements.ended(item.document, wanted)
            await repository.save(connection, item, document, state=wanted, ended_at=now())
        await transaction.emit(WorkitemChanged(actor=actor, id=item.id, act=_act(wanted)))

    async def _note(self, actor: Actor, id: UUID, route: str) -> None:
        await self._reading.note(WasRead(actor=actor, what="workitem", id=str(id), route=route))


def _act(wanted: WorkitemState) -> Act:
    acts: dict[WorkitemState, Act] = {
        "in_progress": "claim", "completed": "complete", "canceled": "cancel",
    }  # fmt: skip
    return acts[wanted]


def _seen(actor: Actor) -> Seen:
    """A program that only sends sees what it has made itself."""
    within = actor.within
    return Seen(within.site, None if within.made_by is None else by_key(actor))


async def _held(transaction: Transaction, actor: Actor, uid: str) -> Workitem:
    """Return an item, held until the transaction ends."""
    item = await repository.get(transaction.connection, _seen(actor), uid, alone=True)
    if item is None:
        raise nothing()
    return item


async def _told(connection: AsyncConnection, item: Workitem) -> Told:
    done = item.case_id is not None and item.state == "completed"
    outputs = await repository.outputs(connection, item.case_id) if done and item.case_id else ()
    return Told(item=item, outputs=outputs)
