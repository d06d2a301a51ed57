"""Has a study sent by an archive: by C-MOVE to our listener, or by C-GET on one association."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final
from uuid import UUID

from pynetdicom import evt

from models.reading.syntaxes import EXPLICIT_LITTLE
from service.integration.archives import Archive
from service.integration.dicom.bounds import Bounds, Budget
from service.integration.dicom.bridge import Bridge
from service.integration.dicom.outgoing import NotConnectedError, associated, called
from service.integration.dicom.query import GET, MOVE, Patience, retrieve
from service.integration.dicom.receiver import TRANSFER_SYNTAXES, Receiver
from service.integration.peers import Peer
from service.integration.pulls.schemas import Fetched, Study

Released = Callable[[frozenset[UUID]], Coroutine[Any, Any, None]]
"""Has cases settle whose sender has gone."""

_IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
_PLAIN: Final = (EXPLICIT_LITTLE, _IMPLICIT_LITTLE)
_COMPRESSED: Final = tuple(one for one in TRANSFER_SYNTAXES if one not in _PLAIN)
_IMAGES: Final = (
    "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
    "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray, for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray, for processing
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.1",  # Multi-frame single bit
    "1.2.840.10008.5.1.4.1.1.7.2",  # Multi-frame grayscale byte
    "1.2.840.10008.5.1.4.1.1.7.3",  # Multi-frame grayscale word
    "1.2.840.10008.5.1.4.1.1.7.4",  # Multi-frame true color
    "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic
)
_REPORTS: Final = (
    "1.2.840.10008.5.1.4.1.1.88.11",  # Basic Text SR
    "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
    "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
    "1.2.840.10008.5.1.4.1.1.88.35",  # Extensible SR
)
STORED: Final = tuple(
    (sop_class, syntaxes)
    for syntaxes, classes in ((_PLAIN, (*_IMAGES, *_REPORTS)), (_COMPRESSED, _IMAGES))
    for sop_class in classes
)
"""What is taken by C-GET, where an association has room for 128 contexts: the images that are
judged, the reports that numbers are taken of. Each class once plain and once compressed, since of
one context's transfer syntaxes only one is agreed on."""


class Fetcher:
    """Called in a thread of its own."""

    def __init__(self, receiver: Receiver, bridge: Bridge, released: Released, most: int) -> None:
        """``most``: bytes of an object."""
        self._receiver = receiver
        self._bridge = bridge
        self._released = released
        self._most = most

    def fetch(self, archive: Archive, peer: Peer, study: Study, patience: Patience) -> Fetched:
        """Have a study sent; return what became of it. Objects are ``peer``'s."""
        try:
            if archive.retrieve == "get":
                return self._get(archive, peer, study, patience)
            with associated(called(archive), [MOVE]) as association:
                return retrieve(association, MOVE, study, peer.called, patience)
        except NotConnectedError as error:
            return Fetched(reason=error.reason, passes=error.passes)

    def _get(self, archive: Archive, peer: Peer, study: Study, patience: Patience) -> Fetched:
        cases: set[UUID] = set()
        bounds: Bounds | None = None

        def store(event: evt.Event) -> Any:
            if bounds is None:
                raise RuntimeError("an object comes before anybody has asked for one")
            return self._receiver.store(event, bounds, peer, cases)

        handlers = [(evt.EVT_C_STORE, store)]
        try:
            with associated(
                called(archive), [GET], handlers=handlers, stored=STORED
            ) as association:
                bounds = Bounds(
                    association, Budget(self._most), self._most, association.network_timeout or 30.0
                )
                return retrieve(association, GET, study, peer.called, patience)
        finally:
            if cases:
                # Where this fails, they settle by themselves a little later.
                self._bridge.later(self._released(frozenset(cases)))
