"""Storage commitment on associations that others open: questions of peers, reports of destinations.

A question is answered once it is durable. Its report goes to where the peer says that it hears
reports, or else on the association that it has asked on, behind the answer: pynetdicom's own
thread of the association sends it, and takes what the peer says of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from functools import partial
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.dsutils import encode

from service.integration.destinations import DicomDestination
from service.integration.dicom import commitment
from service.integration.dicom.commitment import CommitmentError
from service.integration.ledger.commitments import Commitments
from service.integration.ledger.schemas import Commitment, LeaseLostError
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peer
from telemetry.journal import fault, log

Await = Callable[[Coroutine[Any, Any, Any]], Any]
"""Returns in one thread what a coroutine returns in the event loop's."""

SUCCESS: Final = 0x0000
PROCESSING_FAILURE, NO_SUCH_INSTANCE, INVALID_ARGUMENT = 0x0110, 0x0112, 0x0115
NO_SUCH_ACTION, NOT_AUTHORISED = 0x0123, 0x0124
_MESSAGE: Final = 1

Answer = tuple[int, Dataset | None]


class Committer:
    """Knows of each association which questions it is yet to be told of."""

    def __init__(self, commitments: Commitments, metrics: GatewayMetrics) -> None:
        self._commitments = commitments
        self._metrics = metrics
        self._due: dict[Association, UUID] = {}
        self._told: dict[Association, Commitment] = {}

    def attach(self, association: Association, wait: Await) -> None:
        """Look at what comes on ``association`` before pynetdicom does."""
        served = association._serve_request
        # It is called by the association's own thread, and no other. There is no hook.
        association._serve_request = partial(  # type: ignore[method-assign]
            self._serve, association, served, wait
        )

    def forget(self, association: Association) -> None:
        self._due.pop(association, None)
        self._told.pop(association, None)

    def action(self, event: evt.Event, peer: Peer | None, wait: Await) -> Answer:
        """Take a peer's question; it is durable when this is answered by success."""
        if peer is None:
            return NOT_AUTHORISED, None
        request: Any = event.request
        if str(request.RequestedSOPInstanceUID) != commitment.INSTANCE:
            return NO_SUCH_INSTANCE, None
        if request.ActionTypeID != commitment.ACTION:
            return NO_SUCH_ACTION, None
        try:
            uid, objects = commitment.read_question(
                request.ActionInformation, event.context.transfer_syntax
            )
            id = wait(self._commitments.ask(peer.site, peer.name, uid, objects))
        except CommitmentError as error:
            return error.status, None
        except Exception as error:
            log(logging.ERROR, "question not kept", peer=peer.name, fault=fault(error))
            return PROCESSING_FAILURE, None
        if peer.report_host is None:
            self._due[event.assoc] = id
        return SUCCESS, None

    def event(self, event: evt.Event, destination: DicomDestination | None, wait: Await) -> Answer:
        """Take a destination's report of what it commits to."""
        if destination is None:
            return NOT_AUTHORISED, None
        request: Any = event.request
        try:
            report = commitment.read_report(request.EventInformation, event.context.transfer_syntax)
            state = wait(self._commitments.heard(destination.name, report, destination.attempts))
        except CommitmentError as error:
            return error.status, None
        except Exception as error:
            log(logging.ERROR, "report not kept", destination=destination.name, fault=fault(error))
            return PROCESSING_FAILURE, None
        if state is None:
            # Nobody waits for it: it was answered before, or given up.
            return INVALID_ARGUMENT, None
        self._metrics.attempted(state)
        return SUCCESS, None

    def _serve(
        self, association: Association, served: Any, wait: Await, message: Any, number: int
    ) -> None:
        if isinstance(message, N_EVENT_REPORT) and message.MessageIDBeingRespondedTo is not None:
            self._taken(association, message, wait)
            return
        served(message, number)
        id = self._due.pop(association, None)
        if id is not None and association.is_established:
            try:
                self._tell(association, id, wait)
            except Exception as error:
                # It stays where it is, and is given up as one whose peer has left.
                log(logging.ERROR, "peer not told", fault=fault(error))

    def _tell(self, association: Association, id: UUID, wait: Await) -> None:
        number = commitment.context_of(association)
        about = wait(self._commitments.waiting(id))
        if about is None or number is None:
            return
        report = wait(self._commitments.answer(about.site, about))
        kind, told = commitment.answer(report)
        syntax = association._accepted_cx[number].transfer_syntax[0]
        body = encode(told, syntax.is_implicit_VR, syntax.is_little_endian)
        if body is None:
            raise ValueError("a report could not be encoded")
        message = N_EVENT_REPORT()
        message.MessageID = _MESSAGE
        message.AffectedSOPClassUID = commitment.SOP_CLASS
        message.AffectedSOPInstanceUID = commitment.INSTANCE
        message.EventTypeID = kind
        message.EventInformation = BytesIO(body)
        self._told[association] = about
        association.dimse.send_msg(message, number)

    def _taken(self, association: Association, message: Any, wait: Await) -> None:
        about = self._told.pop(association, None)
        if about is None:
            return
        status = Dataset()
        if message.Status is not None:
            status.Status = message.Status
        try:
            wait(self._commitments.reported(about, commitment.taken(status)))
        except LeaseLostError:
            # It was asked again meanwhile.
            return
        except Exception as error:
            log(logging.ERROR, "answer not kept", fault=fault(error))
