"""Archives and worklists that answer as a test has them answer, by pynetdicom; real ones are in
:mod:`tests.service.integration.counterparts`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from service.integration.dicom.outgoing import Called
from service.integration.dicom.query import FIND, MOVE

SC = "1.2.840.10008.5.1.4.1.1.7"


def answer(**more: Any) -> Dataset:
    """Return what C-FIND answers of one match."""
    found = Dataset()
    for name, value in more.items():
        setattr(found, name, value)
    return found


@dataclass
class Archive:
    """Answers C-FIND with what ``answers`` returns, data sets or the status that ends it."""

    answers: Callable[[Dataset], Sequence[Dataset | int]] = lambda _: ()
    knows: str = "OSTEOSERVE"
    """The only title that it sends to. It sends nothing, until it is told to give up."""
    asked: list[Dataset] = field(default_factory=list)
    moved: list[Dataset] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    silent: bool = False
    """Whether C-FIND is not answered before it is cancelled."""
    port: int = 0

    @property
    def called(self) -> Called:
        return Called(host="127.0.0.1", port=self.port, called="VNA", calling="OSTEOSERVE")

    def find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        self.asked.append(event.identifier)
        while self.silent:
            if event.is_cancelled:
                self.cancelled.set()
                yield 0xFE00, None
                return
            time.sleep(0.02)
        for one in self.answers(event.identifier):
            yield (one, None) if isinstance(one, int) else (0xFF00, one)

    def move(self, event: evt.Event) -> Iterator[Any]:
        self.moved.append(event.identifier)
        if event.move_destination != self.knows:
            yield None, None
            return
        yield "127.0.0.1", self.port
        yield 1
        while not event.is_cancelled:
            time.sleep(0.02)
        self.cancelled.set()
        yield 0xFE00, None


@contextmanager
def serving(archive: Archive, models: Sequence[str] = (FIND, MOVE)) -> Iterator[Archive]:
    ae = AE("VNA")
    for model in (*models, SC):
        ae.add_supported_context(model)
    # What it would send to whoever it is told to.
    ae.add_requested_context(SC)
    handlers: list[Any] = [(evt.EVT_C_FIND, archive.find), (evt.EVT_C_MOVE, archive.move)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    assert server.socket is not None
    archive.port = server.socket.getsockname()[1]
    try:
        yield archive
    finally:
        server.shutdown()
