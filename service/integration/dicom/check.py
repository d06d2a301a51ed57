"""Looks whether a PACS can be sent results, or be asked, and says in a sentence what is wrong."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.transport import AddressInformation

from service.integration.archives import Archive, Asked, Worklist
from service.integration.destinations import DicomDestination
from service.integration.dicom import tls
from service.integration.dicom.commitment import SOP_CLASS as COMMITMENT
from service.integration.dicom.outgoing import CONNECT_SECONDS, SYNTAXES
from service.integration.dicom.query import FIND, GET, MOVE
from service.integration.dicom.worklist import SOP_CLASS as WORKLIST
from service.integration.line import FaultError, Line, reach, unknown

ANSWER_SECONDS: Final = 10.0
ECHO: Final = "1.2.840.10008.1.1"
RESULTS: Final = {
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture",
}
"""What is sent to every PACS."""
SHEETS: Final = {"1.2.840.10008.5.1.4.1.1.104.1": "Encapsulated PDF"}
"""And where ``pdf`` asks for it."""

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


def check(destination: DicomDestination | Asked) -> str | None:
    """Return what is wrong with ``destination``, beginning with its name; None: nothing."""
    try:
        _reach(destination)
        _associate(destination)
    except FaultError as fault:
        return f"{destination.name} {fault}."
    return None


def _reach(destination: DicomDestination | Asked) -> None:
    try:
        address = AddressInformation(destination.host, destination.port)
    except OSError:
        raise unknown(destination.host) from None
    authorities = destination.authorities
    reach(
        Line(
            host=destination.host,
            port=destination.port,
            address=address.as_tuple[:2],
            context=None if authorities is None else partial(_context, destination, authorities),
            authorities=authorities,
            certificate=destination.certificate,
            key=destination.key,
        )
    )


def _context(destination: DicomDestination | Asked, authorities: Path) -> ssl.SSLContext:
    return tls.client_context(authorities, destination.certificate, destination.key)


def _associate(destination: DicomDestination | Asked) -> None:
    _config.LOG_HANDLER_LEVEL = "none"
    ae = AE(destination.calling)
    ae.connection_timeout = CONNECT_SECONDS
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = ANSWER_SECONDS
    wanted = [ECHO, *_wanted(destination)]
    for sop_class in wanted:
        ae.add_requested_context(sop_class, SYNTAXES)
    secured: Any = None
    if destination.authorities is not None:
        secured = _context(destination, destination.authorities), destination.host
    association = ae.associate(
        destination.host, destination.port, ae_title=destination.called, tls_args=secured
    )
    try:
        _established(destination, association)
        status = association.send_c_echo() if ECHO in _taken(association) else None
        if status is not None and status.get("Status") != 0x0000:
            raise FaultError("takes the association, and does not answer C-ECHO with success")
        missing = list(_missing(destination, association))
        if missing:
            raise FaultError(f"answers, but takes no {', and no '.join(missing)}")
    finally:
        if association.is_established:
            association.release()


def _established(destination: DicomDestination | Asked, association: Association) -> None:
    if association.is_established:
        return
    answer: Any = association.acceptor.primitive
    if association.is_rejected:
        said = _REJECTED.get((answer.result_source, answer.diagnostic), "rejects associations")
        raise FaultError(said.format(calling=destination.calling, called=destination.called))
    if answer is not None and not association.accepted_contexts:
        if isinstance(destination, Asked):
            raise FaultError(f"takes no {', and no '.join(_wanted(destination).values())}")
        raise FaultError("takes nothing of what is sent: neither reports nor captures")
    plain = "" if destination.authorities is not None else ": does it speak TLS alone?"
    raise FaultError(f"takes connections and answers no association{plain}")


def _wanted(destination: DicomDestination | Asked) -> Mapping[str, str]:
    """Return what it has to take, each with what it is called."""
    match destination:
        case Archive():
            retrieve = GET if destination.retrieve == "get" else MOVE
            return {
                FIND: "C-FIND of studies",
                retrieve: f"C-{destination.retrieve.upper()} of them",
            }
        case Worklist():
            return {WORKLIST: "modality worklist"}
        case DicomDestination():
            asked = {COMMITMENT: "storage commitment, which commitment asks for"}
            return {
                **RESULTS,
                **(SHEETS if destination.pdf else {}),
                **(asked if destination.commitment else {}),
            }
        case _:
            return {}


def _taken(association: Association) -> set[str]:
    return {str(one.abstract_syntax) for one in association.accepted_contexts}


def _missing(
    destination: DicomDestination | Asked, association: Association
) -> Iterator[str]:  # fmt: skip
    taken = _taken(association)
    yield from (name for uid, name in _wanted(destination).items() if uid not in taken)
