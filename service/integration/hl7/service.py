"""What is heard of patients and orders: each message in one transaction, before it is acknowledged.

::

    ADT^A08             sex and age go into the patient's exams that have none
    ADT^A40             exams of MRG-1 are those of PID-3 from now on, and so is who comes by MRG-1
    ORM^O01, OMI^O23    an order is known by its accession number
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import exists, insert, select

from service.clock import now
from service.exams import service as exams
from service.exams.schemas import Sex
from service.identity.actor import Actor
from service.integration.events import OrderReceived
from service.integration.feeds import Feed
from service.integration.hl7 import orders
from service.integration.hl7.message import Message, MessageError, Segment
from service.integration.ledger import repository as ledger
from service.integration.orders import Order
from service.integration.settings import GatewaySettings
from service.patients import service as patients
from service.storage.tables.feeds import FeedMessageRow
from service.storage.transaction import Transaction, Transactions

Identity = tuple[str, str]
"""A patient's number, and the authority that gave it."""

TAKEN: Final = ("ADT^A08", "ADT^A40", "ORM^O01", "OMI^O23")
_SEXES: Final[Mapping[str, Sex]] = {"F": "female", "M": "male"}
_CANCELLED: Final = ("CA", "DC", "OC", "CR")
_LONGEST: Final = 64


class Feeds:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, settings: GatewaySettings, transactions: Transactions) -> None:
        self._days = timedelta(days=settings.gateway_hl7_days)
        self._transactions = transactions

    async def take(self, feed: Feed, actor: Actor, message: Message, data: bytes) -> bool:
        """Do what ``message`` says; False where the same has been done already.

        Raises :class:`~service.integration.hl7.message.MessageError`, and
        :class:`~service.holds.schemas.HeldError` where a legal hold is on whom it merges.
        """
        _supported(message)
        digest = hashlib.sha256(data).hexdigest()

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            # One after the other, whichever gateway took them.
            await ledger.alone(connection, f"{feed.site}/feed/{feed.name}")
            known = exists().where(
                FeedMessageRow.sha256 == digest,
                FeedMessageRow.site == feed.site,
                FeedMessageRow.feed == feed.name,
            )
            if await connection.scalar(select(known)):
                return False
            await _apply(transaction, feed, actor, message)
            await connection.execute(
                insert(FeedMessageRow).values(
                    id=uuid4(), site=feed.site, feed=feed.name, sha256=digest,
                    kind=message.head.name, received_at=now(),
                )
            )  # fmt: skip
            return True

        return await self._transactions.write(work)

    async def order(self, site: str, accession: str, study_uid: str) -> Order | None:
        """Return the order that a study's images answer; None: none is known.

        Without an accession number that is the one order which names the study.
        """
        async with self._transactions.read() as connection:
            if not accession:
                return await orders.of_study(connection, site, study_uid)
            return await orders.get(connection, site, accession, study_uid)

    async def learn(self, actor: Actor, order: Order) -> None:
        """Keep an order that a worklist has."""

        async def work(transaction: Transaction) -> None:
            await orders.keep(transaction.connection, actor.site, order)
            await transaction.emit(OrderReceived(actor=actor, cancelled=False, kind="MWL"))

        await self._transactions.write(work)

    async def purge(self) -> int:
        """Remove orders that nothing came of, and messages that nobody sends again."""
        before = now() - self._days
        return await self._transactions.write(
            lambda transaction: orders.purge(transaction.connection, before), frees=True
        )


def _supported(message: Message) -> None:
    head = message.head
    if not head.control_id:
        raise MessageError("101", "MSH-10 is empty.", head)
    if not head.version.startswith("2."):
        raise MessageError("203", "MSH-12 is no version 2 of HL7.", head)
    if head.processing != "P":
        raise MessageError("202", "MSH-11 is not P: patients here are no test.", head)
    if head.name not in TAKEN:
        raise MessageError("200", f"Taken are {', '.join(TAKEN)}.", head)


async def _apply(transaction: Transaction, feed: Feed, actor: Actor, message: Message) -> None:
    match message.head.name:
        case "ADT^A08":
            await _update(transaction, feed, actor, message)
        case "ADT^A40":
            for former, into in tuple(_merges(message)):
                for old, new in zip(feed.issuers(former[1]), feed.issuers(into[1]), strict=False):
                    await patients.merge(transaction, actor, (former[0], old), (into[0], new))
                    await ledger.rename(
                        transaction.connection, feed.site, (former[0], old), (into[0], new)
                    )
        case _:
            for order in tuple(_orders(message)):
                await orders.keep(transaction.connection, feed.site, order)
                await transaction.emit(
                    OrderReceived(actor=actor, cancelled=order.cancelled, kind=message.head.name)
                )


async def _update(transaction: Transaction, feed: Feed, actor: Actor, message: Message) -> None:
    pid = message.first("PID")
    sex, born = _SEXES.get(pid.text(8).upper()), _day(pid.text(7))
    for number, authority in _identities(pid, 3, message):
        for issuer in feed.issuers(authority):
            await exams.update_patient(transaction, actor, (number, issuer), sex, born)


def _merges(message: Message) -> Iterator[tuple[Identity, Identity]]:
    """Yield who is merged into whom: MRG-1 of each group into the PID-3 of the same authority."""
    pid: Segment | None = None
    found = False
    for one in message.segments:
        if one.fields[0] == "PID":
            pid = one
        elif one.fields[0] == "MRG":
            if pid is None:
                raise MessageError("100", "MRG comes without a PID before it.", message.head)
            found = True
            into = _identities(pid, 3, message)
            for former in _identities(one, 1, message):
                same = [it for it in into if it[1] == former[1]]
                if len(same) != 1:
                    raise MessageError(
                        "204", "PID-3 has not one number of the authority of MRG-1.", message.head
                    )
                yield former, same[0]
    if not found:
        raise MessageError("100", "There is no MRG.", message.head)


def _identities(segment: Segment, number: int, message: Message) -> tuple[Identity, ...]:
    found = []
    for parts in segment.repetitions(number):
        identifier = parts[0].strip()
        authority = parts[3].split("&")[0].strip() if len(parts) > 3 else ""
        if max(len(identifier), len(authority)) > _LONGEST:
            raise MessageError("102", "A patient's number is longer than 64.", message.head)
        if not (identifier + authority).isprintable() or "\\" in identifier + authority:
            raise MessageError("102", "A patient's number is not printable.", message.head)
        if identifier:
            found.append((identifier, authority))
    if not found:
        raise MessageError("101", "There is no patient's number.", message.head)
    return tuple(dict.fromkeys(found))


def _orders(message: Message) -> Iterator[Order]:
    """Yield the order of each OBR, with the ORC before it and the IPC behind it."""
    control: Segment | None = None
    groups: list[tuple[Segment | None, Segment, list[Segment]]] = []
    for one in message.segments:
        match one.fields[0]:
            case "ORC":
                control = one
            case "OBR":
                groups.append((control, one, []))
            case "IPC" | "ZDS" if groups:
                groups[-1][2].append(one)
    for orc, obr, more in groups:
        ipc = next((one for one in more if one.fields[0] == "IPC"), None)
        zds = next((one for one in more if one.fields[0] == "ZDS"), None)
        placer, filler = _number(orc, obr, 2), _number(orc, obr, 3)
        accession = (ipc.text(1) if ipc else "") or obr.text(18) or (filler[0] if filler else "")
        study = (ipc.text(3) if ipc else "") or (zds.text(1) if zds else "")
        if not accession or len(accession) > _LONGEST or not accession.isprintable():
            raise MessageError("101", "An order has no accession number.", message.head)
        status = orc.text(1).upper() if orc is not None else ""
        yield Order(
            accession=accession,
            placer=placer,
            filler=filler,
            study_uid=study if 0 < len(study) <= _LONGEST else None,
            cancelled=status in _CANCELLED,
        )
    if not groups:
        raise MessageError("100", "There is no OBR.", message.head)


def _number(orc: Segment | None, obr: Segment, field: int) -> tuple[str, ...]:
    for one in (orc, obr):
        found = one.repetitions(field) if one is not None else ()
        if found and found[0][0].strip():
            return found[0][:4]
    return ()


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) >= 8 else None
    except ValueError:
        return None
