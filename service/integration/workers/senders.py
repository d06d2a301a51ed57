"""Who sends to which kind of destination: one interface, an implementation a kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

import anyio.to_thread
from pydicom.uid import EncapsulatedPDFStorage
from typing_extensions import override

from service.integration.compose import bundle, oru
from service.integration.compose.source import Made
from service.integration.destinations import (
    AnyDestination,
    DicomDestination,
    DicomWebDestination,
    FhirDestination,
    Hl7Destination,
)
from service.integration.dicom import sender as dicom
from service.integration.dicomweb import client as dicomweb
from service.integration.fhir.client import Client
from service.integration.hl7 import client as hl7
from service.integration.ledger.schemas import Delivery, Outgoing, Result, Sent

Making = Callable[[], Awaitable[Made]]
"""Returns what a message is composed of, which is read only where there is one to compose."""
PURGED = Sent(objects={}, reason="purged", passes=False)
"""What was removed with the study's other bytes, and restarted all the same."""


class Sender(ABC):
    """One destination."""

    in_order = False
    """Whether nothing may overtake what waits."""

    @abstractmethod
    async def outgoing(self, making: Making) -> Outgoing:
        """Return what is to be delivered: composed now, sent as often as need be."""

    @abstractmethod
    async def send(self, delivery: Delivery, results: Sequence[Result]) -> Sent:
        """Send it; return what became of it. It takes less time than a lease."""


class DicomSender(Sender):
    """Sends the case's objects by C-STORE."""

    def __init__(self, destination: DicomDestination) -> None:
        self._destination = destination

    @override
    async def outgoing(self, making: Making) -> Outgoing:
        return await _objects(self._destination, making)

    @override
    async def send(self, delivery: Delivery, results: Sequence[Result]) -> Sent:
        wanted, before = _wanted(self._destination, results), dict(delivery.objects)
        if not wanted:
            return PURGED
        return await anyio.to_thread.run_sync(dicom.send, self._destination, wanted, before)


class DicomWebSender(Sender):
    """Sends the case's objects by STOW-RS."""

    def __init__(self, destination: DicomWebDestination) -> None:
        self._destination = destination
        self._client = dicomweb.Client(destination)

    @override
    async def outgoing(self, making: Making) -> Outgoing:
        return await _objects(self._destination, making)

    @override
    async def send(self, delivery: Delivery, results: Sequence[Result]) -> Sent:
        wanted = _wanted(self._destination, results)
        return await self._client.send(wanted, delivery.objects) if wanted else PURGED


class Hl7Sender(Sender):
    """Sends ORU^R01 by MLLP."""

    def __init__(self, destination: Hl7Destination) -> None:
        self._destination = destination
        self.in_order = destination.in_order

    @override
    async def outgoing(self, making: Making) -> Outgoing:
        destination, made = self._destination, await making()
        refused = oru.refusal(destination, made)
        message = await anyio.to_thread.run_sync(oru.compose, destination, made)
        return Outgoing(
            destination=destination.name,
            message=message,
            refused=refused,
            held=_held(destination, made),
        )

    @override
    async def send(self, delivery: Delivery, results: Sequence[Result]) -> Sent:
        if delivery.message is None:
            return PURGED
        return await hl7.send(self._destination, delivery.message, delivery.objects)


class FhirSender(Sender):
    """Sends a transaction Bundle."""

    def __init__(self, destination: FhirDestination) -> None:
        self._destination = destination
        self._client = Client(destination)

    @override
    async def outgoing(self, making: Making) -> Outgoing:
        destination, made = self._destination, await making()
        refused = bundle.refusal(made)
        message = await anyio.to_thread.run_sync(bundle.compose, destination, made)
        return Outgoing(
            destination=destination.name,
            message=message,
            refused=refused,
            held=_held(destination, made),
        )

    @override
    async def send(self, delivery: Delivery, results: Sequence[Result]) -> Sent:
        return PURGED if delivery.message is None else await self._client.send(delivery.message)


async def _objects(destination: DicomDestination | DicomWebDestination, making: Making) -> Outgoing:
    held = not destination.unsigned and _held(destination, await making())
    return Outgoing(destination=destination.name, held=held)


def _wanted(
    destination: DicomDestination | DicomWebDestination, results: Sequence[Result]
) -> list[Result]:
    pdf = destination.pdf
    return [one for one in results if pdf or one.sop_class_uid != EncapsulatedPDFStorage]


def _held(destination: AnyDestination, made: Made) -> bool:
    return not destination.unsigned and made.standing == "preliminary"


def sender(destination: AnyDestination) -> Sender:
    """Return who sends to ``destination``."""
    match destination:
        case DicomDestination():
            return DicomSender(destination)
        case DicomWebDestination():
            return DicomWebSender(destination)
        case Hl7Destination():
            return Hl7Sender(destination)
        case FhirDestination():
            return FhirSender(destination)
        case _:
            assert_never(destination)
