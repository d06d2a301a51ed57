"""Looks whether a destination can be reached by DICOM, and says in a sentence what is wrong."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.transport import AddressInformation

from service.integration.dicom import tls
from service.integration.dicom.commitment import SOP_CLASS as COMMITMENT
from service.integration.dicom.outgoing import CONNECT_SECONDS, SYNTAXES
from service.integration.peers import Destination

ANSWER_SECONDS: Final = 10.0
ECHO: Final = "1.2.840.10008.1.1"
RESULTS: Final = {
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture",
}
"""What is sent to every PACS."""

# Codes of OpenSSL's X509_V_ERR.
_EXPIRED, _NOT_YET, _NAME, _ADDRESS = 10, 9, 62, 64
_REJECTED: Final = {
    (1, 1): "rejects associations and gives no reason",
    (1, 2): "does not take this application context",
    (1, 3): "does not know {calling} as a calling AE title: enter it there, or correct calling",
    (1, 7): "is not called {called}: correct called",
    (2, 1): "rejects associations and gives no reason",
    (2, 2): "takes no such version of the protocol",
    (3, 1): "is congested for the time being",
    (3, 2): "has as many associations as it takes",
}
"""By source and diagnostic (PS3.8 table 9-21)."""


class _FaultError(Exception):
    """The sentence, without its subject."""


def check(destination: Destination) -> str | None:
    """Return what is wrong with ``destination``, beginning with its name; None: nothing."""
    try:
        _reach(destination)
        _associate(destination)
    except _FaultError as fault:
        return f"{destination.name} {fault}."
    return None


def _reach(destination: Destination) -> None:
    """Open a connection, and TLS on it, and close it again."""
    at = f"{destination.host}:{destination.port}"
    try:
        address = AddressInformation(destination.host, destination.port)
    except OSError:
        raise _FaultError(f"has a host, {destination.host}, that no DNS here knows") from None
    try:
        line = socket.create_connection(address.as_tuple[:2], CONNECT_SECONDS)
    except TimeoutError:
        raise _FaultError(
            f"does not answer at {at}: it is away, or a firewall or network policy is between"
        ) from None
    except ConnectionRefusedError:
        raise _FaultError(f"does not listen at {at}: another port, or it is not running") from None
    except OSError as error:
        raise _FaultError(f"cannot be reached at {at}: {error.strerror or 'no route'}") from None
    with closing(line):
        if destination.authorities is not None:
            _shake(destination, line)


def _shake(destination: Destination, line: socket.socket) -> None:
    for path in (destination.authorities, destination.certificate, destination.key):
        if path is not None and not os.access(path, os.R_OK):
            raise _FaultError(f"needs {path}, which cannot be read")
    try:
        context = tls.client_context(
            destination.authorities,  # type: ignore[arg-type]  # is there, or there is no TLS
            destination.certificate,
            destination.key,
        )
    except OSError:
        raise _FaultError(
            "has authorities, certificate or key that are no PEM files, or no pair"
        ) from (None)
    try:
        # What a server says of our certificate comes with the end of the handshake.
        context.wrap_socket(line, server_hostname=destination.host).close()
    except ssl.SSLCertVerificationError as error:
        match error.verify_code:
            case code if code in (_NAME, _ADDRESS):
                said = f"is not for {destination.host}"
            case code if code in (_EXPIRED, _NOT_YET):
                said = "has expired, or is not valid yet"
            case _:
                said = f"is signed by nobody in {destination.authorities}"
        raise _FaultError(f"shows a certificate that {said}") from None
    except TimeoutError:
        raise _FaultError(
            "does not speak TLS: leave authorities out, or take its TLS port"
        ) from None
    except OSError:
        if destination.certificate is None:
            why = "it speaks none, no TLS 1.2, or asks for a certificate and none is set"
        else:
            why = "it speaks none, no TLS 1.2, or does not take our certificate"
        raise _FaultError(f"ends the handshake of TLS: {why}") from None


def _associate(destination: Destination) -> None:
    _config.LOG_HANDLER_LEVEL = "none"
    ae = AE(destination.calling)
    ae.connection_timeout = CONNECT_SECONDS
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = ANSWER_SECONDS
    wanted = [ECHO, *RESULTS, *([COMMITMENT] if destination.commitment else [])]
    for sop_class in wanted:
        ae.add_requested_context(sop_class, SYNTAXES)
    secured: Any = None
    if destination.authorities is not None:
        context = tls.client_context(
            destination.authorities, destination.certificate, destination.key
        )
        secured = context, destination.host
    association = ae.associate(
        destination.host, destination.port, ae_title=destination.called, tls_args=secured
    )
    try:
        _established(destination, association)
        status = association.send_c_echo() if ECHO in _taken(association) else None
        if status is not None and status.get("Status") != 0x0000:
            raise _FaultError("takes the association, and does not answer C-ECHO with success")
        missing = list(_missing(destination, association))
        if missing:
            raise _FaultError(f"answers, but takes no {', and no '.join(missing)}")
    finally:
        if association.is_established:
            association.release()


def _established(destination: Destination, association: Association) -> None:
    if association.is_established:
        return
    answer: Any = association.acceptor.primitive
    if association.is_rejected:
        said = _REJECTED.get((answer.result_source, answer.diagnostic), "rejects associations")
        raise _FaultError(said.format(calling=destination.calling, called=destination.called))
    if answer is not None and not association.accepted_contexts:
        raise _FaultError("takes nothing of what is sent: neither reports nor captures")
    plain = "" if destination.authorities is not None else ": does it speak TLS alone?"
    raise _FaultError(f"takes connections and answers no association{plain}")


def _taken(association: Association) -> set[str]:
    return {str(one.abstract_syntax) for one in association.accepted_contexts}


def _missing(destination: Destination, association: Association) -> Iterator[str]:
    taken = _taken(association)
    yield from (name for uid, name in RESULTS.items() if uid not in taken)
    if destination.commitment and COMMITMENT not in taken:
        yield "storage commitment, which commitment asks for"
