"""Associations that the gateway opens: to a PACS, or back to a scanner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, _config, build_role
from pynetdicom.association import Association

from service.integration.archives import Asked
from service.integration.destinations import DicomDestination
from service.integration.dicom import (
    sockets,  # noqa: F401 - mends them
    tls,
)
from service.integration.statuses import NO_CONTEXT

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0
SYNTAXES: Final = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


@dataclass(frozen=True, kw_only=True)
class Called:
    """Whom an association is opened to; ``authorities`` None: without TLS."""

    host: str
    port: int
    called: str
    calling: str
    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def called(one: DicomDestination | Asked) -> Called:
    """Return where associations to ``one`` of the file of peers go."""
    return Called(
        host=one.host,
        port=one.port,
        called=one.called,
        calling=one.calling,
        authorities=one.authorities,
        certificate=one.certificate,
        key=one.key,
    )


class NotConnectedError(Exception):
    """There is no association; ``passes``: another attempt may succeed."""

    def __init__(self, reason: str, *, passes: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passes = passes


@contextmanager
def associated(
    to: Called,
    sop_classes: Sequence[str],
    *,
    handlers: Sequence[Any] = (),
    as_scp: bool = False,
    stored: Sequence[tuple[str, Sequence[str]]] = (),
    answer_seconds: float = ANSWER_SECONDS,
) -> Iterator[Association]:
    """Yield an association that has at least one of ``sop_classes``.

    ``as_scp``: the gateway is their provider on it. ``stored``: SOP classes and transfer syntaxes
    in which the other side may send objects on it. Raises :class:`NotConnectedError`.
    """
    _config.LOG_HANDLER_LEVEL = "none"
    ae = AE(to.calling)
    ae.connection_timeout = CONNECT_SECONDS
    ae.acse_timeout = CONNECT_SECONDS
    ae.dimse_timeout = ae.network_timeout = answer_seconds
    for sop_class in sop_classes:
        ae.add_requested_context(sop_class, SYNTAXES)
    for sop_class, syntaxes in stored:
        ae.add_requested_context(sop_class, list(syntaxes))
    provided = [*(sop_classes if as_scp else ()), *dict(stored)]
    secured: Any = None
    if to.authorities is not None:
        try:
            secured = tls.client_context(to.authorities, to.certificate, to.key), to.host
        except OSError:
            # A file that was there at the start, and is replaced, perhaps.
            raise NotConnectedError("tls_files") from None
    association = ae.associate(
        to.host,
        to.port,
        ae_title=to.called,
        ext_neg=[build_role(one, scp_role=True) for one in provided] or None,
        evt_handlers=list(handlers),
        tls_args=secured,
    )
    if not association.is_established:
        if association.is_rejected:
            raise NotConnectedError("rejected")
        if association.acceptor.primitive is not None and not association.accepted_contexts:
            raise NotConnectedError(NO_CONTEXT, passes=False)
        raise NotConnectedError("unreachable")
    try:
        yield association
    finally:
        if association.is_established:
            association.release()
