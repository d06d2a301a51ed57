"""C-ECHO and C-STORE SCP: an object is acknowledged once the ledger holds it, and never before.

::

    0000   the ledger holds it, or held the same before     A700   it could not be stored now
    A900   it is not what its request says                  C000   it is no DICOM data set
    C001   it is larger than OSTEOSERVE_GATEWAY_OBJECT_BYTES

pynetdicom gives each association a thread; what waits for the database waits there, and the ledger
runs in the event loop.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, _config, build_context, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from listener.server import EVERYWHERE
from service.integration.destinations import DicomDestination
from service.integration.dicom.bounds import Bounds, Budget
from service.integration.dicom.bridge import Bridge
from service.integration.dicom.commitment import SOP_CLASS as COMMITMENT
from service.integration.dicom.committer import Committer
from service.integration.dicom.pace import Pace
from service.integration.dicom.receiver import (
    NOT_STORED,
    STORED,
    TRANSFER_SYNTAXES,
    Receiver,
    status,
)
from service.integration.dicom.server import Server, name_in
from service.integration.ledger.schemas import MANUFACTURER
from service.integration.ledger.service import Ledger
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peer, Peers, title
from service.integration.settings import GatewaySettings
from telemetry.journal import log

PDU: Final = 2**17
"""Bytes of the largest P-DATA that peers are asked to send."""
CROWD: Final = 4
"""Connections as a multiple of associations: those beyond are closed without a word."""
OBJECTS: Final = 4
"""Unfinished objects of the largest size that are held at a time; of smaller ones more."""
NOT_AUTHORISED: Final = 0x0124
_CALLING_UNKNOWN, _CALLED_UNKNOWN = 0x03, 0x07
_TEMPORARY: Final = (0x02, 0x03, 0x01)
"""Rejected, transient, by the presentation provider: temporary congestion (PS3.8 section 9.3.4)."""
_FULL: Final = (0x02, 0x03, 0x02)
_NO_IPV6: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


@dataclass(eq=False)
class _Sender:
    """One association: who it is, and which cases it has sent to.

    A PACS that results go to may report on it, and if it is a peer as well, send.
    """

    bounds: Bounds
    peer: Peer | None = None
    destination: DicomDestination | None = None
    cases: set[UUID] = field(default_factory=set)


class Listener:
    """Made, started and stopped in the event loop that the ledger runs in."""

    def __init__(
        self,
        settings: GatewaySettings,
        peers: Peers,
        ledger: Ledger,
        committer: Committer,
        metrics: GatewayMetrics,
        patience: float,
    ) -> None:
        """``patience``: seconds after which an object counts as not stored."""
        self._settings = settings
        self._peers = peers
        self._ledger = ledger
        self._committer = committer
        self._bridge = Bridge(patience)
        self._receiver = Receiver(peers, ledger, self._bridge, metrics)
        self._metrics = metrics
        self._budget = Budget(OBJECTS * settings.gateway_object_bytes)
        self._senders: dict[Association, _Sender] = {}
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("not started")
        return int(self._server.server_address[1])

    def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen from now on. Raises :class:`OSError` where that cannot be."""
        _config.LOG_HANDLER_LEVEL = "none"
        settings = self._settings
        ae = AE(MANUFACTURER.upper())
        # Ours is counted, and comes first.
        ae.maximum_associations = 2 * CROWD * settings.gateway_associations
        ae.maximum_pdu_size = PDU
        ae.acse_timeout = min(10.0, settings.gateway_idle_seconds)
        ae.dimse_timeout = ae.network_timeout = settings.gateway_idle_seconds
        ae.supported_contexts = []
        for one in offered():
            ae.add_supported_context(
                str(one.abstract_syntax), one.transfer_syntax, one.scu_role, one.scp_role
            )
        self._server = self._bound(ae, tls)
        ae._servers.append(self._server)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _bound(self, ae: AE, tls: ssl.SSLContext | None) -> Server:
        """Return the server; ``::`` is all addresses, of those families that this machine has."""
        host, port = self._settings.gateway_host, self._settings.gateway_dicom_port
        handlers = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_C_ECHO, lambda _: STORED),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_N_ACTION, self._asked),
            (evt.EVT_N_EVENT_REPORT, self._reported),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]
        try:
            return Server(self, ae, (host, port), tls, handlers)
        except OSError as error:
            if host != EVERYWHERE or error.errno not in _NO_IPV6:
                raise
            return Server(self, ae, ("0.0.0.0", port), tls, handlers)  # noqa: S104 - as was asked

    async def stop(self) -> None:
        """Reject new associations for now, let open ones end for a while, then cut them off."""
        if self._server is None:
            return
        self._is_stopping = True
        end = time.monotonic() + self._settings.gateway_drain_seconds
        while self._open() and time.monotonic() < end:  # noqa: ASYNC110 - threads have no event
            await asyncio.sleep(0.05)
        await asyncio.to_thread(self._server.ae.shutdown)

    def _open(self) -> int:
        self._sweep()
        return len(self._senders)

    def admit(self, address: str) -> bool:
        """Whether somebody from ``address`` may connect; counted where not."""
        self._sweep()
        if not self._peers.known(address):
            self._metrics.rejected("address")
        elif len(self._senders) >= CROWD * self._settings.gateway_associations:
            self._metrics.rejected("crowd")
        else:
            return True
        return False

    def entered(self, association: Association) -> None:
        settings = self._settings
        bounds = Bounds(
            association,
            self._budget,
            settings.gateway_object_bytes,
            settings.gateway_idle_seconds,
        )
        Pace(association)
        self._senders[association] = _Sender(bounds)
        self._committer.attach(association, self._bridge.wait)
        self._metrics.associations(len(self._senders))

    def not_secured(self) -> None:
        self._metrics.rejected("tls")

    def _requested(self, event: evt.Event) -> None:
        """Reject whoever is not known, and more than there is room for."""
        association, request = event.assoc, event.assoc.requestor.primitive
        sender = self._senders.get(association)
        if sender is None or request is None:
            association.abort()
            return
        calling, called = request.calling_ae_title, request.called_ae_title
        address = str(association.requestor.address)
        sender.peer = self._peers.match(calling, called, address, name_in(association))
        sender.destination = self._peers.reporter(calling, called, address)
        if sender.peer is None and sender.destination is None:
            calling_known = title(calling) in self._peers.callers
            reason = _CALLED_UNKNOWN if calling_known else _CALLING_UNKNOWN
            self._metrics.rejected("peer")
            log(logging.WARNING, "association rejected", address=address, diagnostic=reason)
            association.acse.send_reject(0x01, 0x01, reason)
            association.kill()
        elif self._is_stopping:
            self._metrics.rejected("stopping")
            association.acse.send_reject(*_TEMPORARY)
            association.kill()
        elif len(self._senders) > self._settings.gateway_associations:
            self._metrics.rejected("crowd")
            association.acse.send_reject(*_FULL)
            association.kill()

    def _closed(self, event: evt.Event) -> None:
        self._ended(event.assoc)

    def _sweep(self) -> None:
        """Forget associations that have ended in another way than by closing."""
        for one in list(self._senders):
            if one.ident is not None and not one.is_alive():
                self._ended(one)

    def _ended(self, association: Association) -> None:
        sender = self._senders.pop(association, None)
        self._metrics.associations(len(self._senders))
        self._committer.forget(association)
        if sender is not None:
            sender.bounds.close()
            if sender.cases:
                # Where this fails, they settle by themselves a little later.
                self._bridge.later(self._ledger.released(frozenset(sender.cases)))

    def _asked(self, event: evt.Event) -> tuple[int, Dataset | None]:
        sender = self._senders.get(event.assoc)
        if sender is None:
            return NOT_AUTHORISED, None
        sender.bounds.settled()
        return self._committer.action(event, sender.peer, self._bridge.wait)

    def _reported(self, event: evt.Event) -> tuple[int, Dataset | None]:
        sender = self._senders.get(event.assoc)
        if sender is None:
            return NOT_AUTHORISED, None
        sender.bounds.settled()
        return self._committer.event(event, sender.destination, self._bridge.wait)

    def _store(self, event: evt.Event) -> Dataset:
        sender = self._senders.get(event.assoc)
        if sender is None:
            return status(NOT_STORED, "The association has ended.")
        if sender.peer is None:
            sender.bounds.settled()
            return status(NOT_AUTHORISED, "It may report here, and not store.")
        return self._receiver.store(event, sender.bounds, sender.peer, sender.cases)


def offered() -> Iterator[PresentationContext]:
    """Yield what peers may ask for, with the roles that they may take on it."""
    yield build_context(Verification)
    # In either role: peers ask us, and destinations report to us.
    reports = build_context(COMMITMENT)
    reports.scu_role = reports.scp_role = True
    yield reports
    for one in AllStoragePresentationContexts:
        yield build_context(str(one.abstract_syntax), list(TRANSFER_SYNTAXES))
