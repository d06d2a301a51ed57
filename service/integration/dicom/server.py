"""pynetdicom's server with a door: no thread waits for who may not come in."""

from __future__ import annotations

import logging
import socket
import ssl
from copy import copy
from typing import Any, Protocol

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from service.integration.dicom import sockets  # noqa: F401 - mends them
from telemetry.journal import log


class Door(Protocol):
    """Who decides on connections."""

    def admit(self, address: str) -> bool:
        """Whether somebody from ``address`` may connect."""

    def entered(self, association: Association) -> None:
        """Hear of an association that begins."""

    def not_secured(self) -> None:
        """Hear of a connection on which no TLS came about."""


class _Contexts(list[PresentationContext]):
    """Those that are offered. pynetdicom makes a deep copy for each connection, though negotiation
    changes none; of 170 with their syntaxes it takes 30 ms, of the contexts alone 0.3."""

    def __deepcopy__(self, _: object) -> list[PresentationContext]:
        return [copy(one) for one in self]


class _Handler(RequestHandler):
    server: Server

    def _create_association(self) -> Association:
        association = super()._create_association()
        self.server.door.entered(association)
        return association


class Server(ThreadedAssociationServer):
    """Hands what it accepts to a door, and nobody waits for somebody else's handshake."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        door: Door,
        ae: AE,
        address: tuple[str, int],
        tls: ssl.SSLContext | None,
        handlers: list[Any],
    ) -> None:
        self.door = door
        offered = _Contexts(ae.supported_contexts)
        super().__init__(ae, address, ae.ae_title, offered, tls, handlers, _Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            # Whatever the machine's default is: "::" takes IPv4 as well.
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # type: ignore[union-attr]  # made by now
        super().server_bind()

    def get_request(self) -> Any:
        # Not pynetdicom's, which shakes hands here, and lets everybody wait for whoever does not.
        request, address = self.socket.accept()  # type: ignore[union-attr]  # it listens
        return request, address

    def verify_request(self, request: Any, client_address: Any) -> bool:
        del request
        return self.door.admit(str(client_address[0]))

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.ssl_context is not None:
            request.settimeout(10.0)
            try:
                request = self.ssl_context.wrap_socket(request, server_side=True)
            except OSError:
                self.door.not_secured()
                self.shutdown_request(request)
                return
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        del request, client_address
        log(logging.ERROR, "bug", route="dicom")


def name_in(association: Association) -> str | None:
    """Return the common name of the certificate that a TLS peer has proven."""
    wrapped = association.dul.socket
    found = None if wrapped is None else wrapped.socket
    if not isinstance(found, ssl.SSLSocket):
        return None
    certificate = found.getpeercert() or {}
    subject: Any = certificate.get("subject", ())
    names = {key: value for part in subject for key, value in part}
    return names.get("commonName")
