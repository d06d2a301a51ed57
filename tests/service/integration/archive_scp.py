"""A pynetdicom archive that answers as a test has it answer; a real one is in counterparts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt

from service.integration.dicom.query import FIND, GET, MOVE

WORKLIST = "1.2.840.10008.5.1.4.31"
Answers = Callable[[Dataset], Sequence[Dataset | int]]


def study(uid: str, **more: Any) -> Dataset:
    """Return a study as an archive answers it."""
    found = Dataset()
    found.StudyInstanceUID = uid
    for name, value in more.items():
        setattr(found, name, value)
    return found


@dataclass
class ArchiveScp:
    """``answers`` to C-FIND: data sets, or a status that ends it. ``moves``: statuses of C-MOVE."""

    answers: Answers = lambda _: ()
    move: tuple[int, int, int] = (0x0000, 1, 0)
    """The last status of C-MOVE, and how many objects were sent, and failed."""
    hangs: bool = False
    """Whether C-MOVE is not answered before it is cancelled."""
    asked: list[Dataset] = field(default_factory=list)
    moved: list[tuple[str, Dataset]] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        self.asked.append(event.identifier)
        for one in self.answers(event.identifier):
            if event.is_cancelled:
                self.cancelled.set()
                yield 0xFE00, None
                return
            if isinstance(one, int):
                yield one, None
                return
            yield 0xFF00, one

    def _serve(self, event: evt.Event) -> tuple[int, None]:
        """Answer C-MOVE by hand: pynetdicom's own service sends what it is given."""
        raise NotImplementedError


@contextmanager
def serving(scp: ArchiveScp, models: Sequence[str] = (FIND, MOVE, GET)) -> Iterator[ArchiveScp]:
    ae = AE("VNA")
    for model in models:
        ae.add_supported_context(model)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(str(context.abstract_syntax), scu_role=True, scp_role=True)

    def move(event: evt.Event) -> Iterator[Any]:
        identifier = event.identifier
        scp.moved.append((str(event.move_destination), identifier))
        code, _, _ = scp.move
        if code == 0xA801:
            yield None, None
            return
        yield "127.0.0.1", 1
        yield 1
        while scp.hangs and not scp.cancelled.wait(0.05):
            if event.is_cancelled:
                scp.cancelled.set()
                yield 0xFE00, None
                return
        yield code, None

    handlers = [(evt.EVT_C_FIND, scp._find), (evt.EVT_C_MOVE, move)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    scp.port = server.socket.getsockname()[1]
    try:
        yield scp
    finally:
        server.shutdown()
