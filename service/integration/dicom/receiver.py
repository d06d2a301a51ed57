"""An object that comes by C-STORE, whoever has opened the association: into the ledger, durably.

pynetdicom calls this in the association's own thread, which waits for the database.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any, Final
from uuid import UUID

from pydicom.dataset import Dataset
from pynetdicom import evt

from models.reading.syntaxes import EXPLICIT_LITTLE, SYNTAXES
from service.integration.dicom import head
from service.integration.dicom.bounds import Bounds
from service.integration.dicom.bridge import Bridge
from service.integration.ledger.schemas import MANUFACTURER, Arrival
from service.integration.ledger.service import Ledger
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peer, Peers
from service.integration.rules import decide
from telemetry.journal import fault, log

STORED, NOT_STORED, MISMATCH, UNREADABLE, TOO_LARGE = 0x0000, 0xA700, 0xA900, 0xC000, 0xC001
TRANSFER_SYNTAXES: Final = [
    EXPLICIT_LITTLE,
    *(
        uid
        for uid, syntax in SYNTAXES.items()
        if syntax.little and not syntax.deflated and uid != EXPLICIT_LITTLE
    ),
]
"""What is kept as it was sent. Deflated is not: its head could not be read without inflating it."""


class Receiver:
    """Answers when the ledger has the object, and never before."""

    def __init__(
        self, peers: Peers, ledger: Ledger, bridge: Bridge, metrics: GatewayMetrics
    ) -> None:
        self._peers = peers
        self._ledger = ledger
        self._bridge = bridge
        self._metrics = metrics

    def store(self, event: evt.Event, bounds: Bounds, peer: Peer, cases: set[UUID]) -> Dataset:
        """Return the answer to an object of ``peer``; ``cases`` gets the case that it joins."""
        try:
            code, result, said = self._received(event, bounds, peer, cases)
        except Exception as error:
            log(logging.ERROR, "object not stored", peer=peer.name, fault=fault(error))
            code, result, said = NOT_STORED, "not_stored", "It cannot be stored now."
        finally:
            bounds.settled()
        self._metrics.received(result)
        return status(code, said)

    def _received(
        self, event: evt.Event, bounds: Bounds, peer: Peer, cases: set[UUID]
    ) -> tuple[int, str, str]:
        """Return the status of an object, what became of it, and what to say of that."""
        match bounds.overflow:
            case "too_large":
                return TOO_LARGE, "too_large", "It is larger than this receiver takes."
            case "crowded":
                return NOT_STORED, "not_stored", "Too much is received at the same time."
        data = event.encoded_dataset(include_meta=False)
        syntax = str(event.context.transfer_syntax)
        try:
            found = head.read(data, syntax)
        except head.HeadError as error:
            return UNREADABLE, "unreadable", str(error)
        request: Any = event.request
        asked = (request.AffectedSOPClassUID, request.AffectedSOPInstanceUID)
        if (found.sop_class_uid, found.sop_uid) != tuple(map(str, asked)):
            return MISMATCH, "mismatch", "Its SOP class or UID is not that of its request."
        rule = decide(self._peers.rule, peer.name, found.traits)
        one = Arrival(
            site=peer.site,
            peer=peer.name,
            sop_uid=found.sop_uid,
            sop_class_uid=found.sop_class_uid,
            series_uid=found.series_uid,
            study_uid=found.study_uid,
            patient=found.patient,
            sha256=hashlib.sha256(syntax.encode() + b"\0" + data).hexdigest(),
            is_image=found.is_image,
            is_own=found.manufacturer == MANUFACTURER,
            data=event.encoded_dataset(),
            action="judge" if rule is None else rule.then,
            rule=None if rule is None else rule.reason,
            destinations=None if rule is None else rule.to,
        )
        what, case_id = self._bridge.wait(self._ledger.receive(one))
        if case_id is not None:
            cases.add(case_id)
        return STORED, what, ""


def status(code: int, said: str) -> Dataset:
    """Return a status with what is to be said of it."""
    answer = Dataset()
    answer.Status = code
    if said:
        answer.ErrorComment = said[:64]
    return answer
