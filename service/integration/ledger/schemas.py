"""What the ledger speaks of: objects that arrive, cases, results, deliveries."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid5

from service.integration.rules import Action

CaseState = Literal[
    "receiving", "settling", "ready", "judged", "composed", "delivering", "done",
    "ignored", "quarantined", "superseded",
]  # fmt: skip
DeliveryState = Literal[
    "waiting", "sending", "committing", "accepted", "committed", "dead", "discarded", "held",
]  # fmt: skip
CommitmentState = Literal["waiting", "reported", "dead", "discarded"]
PullState = Literal["asked", "fetching", "done", "dead", "discarded"]
WorkitemState = Literal["scheduled", "in_progress", "completed", "canceled"]
ArrivalState = Literal["held", "ignored", "quarantined", "discarded", "reading", "read"]
Received = Literal["accepted", "duplicate", "ignored", "quarantined"]
"""What became of an object that was sent: all four are acknowledged."""

OPEN: Final[tuple[CaseState, ...]] = ("receiving", "settling", "ready")
"""States in which one more object of the study joins the case."""
WORKED_ON: Final[tuple[CaseState, ...]] = (*OPEN, "judged", "composed")
UNDER_WAY: Final[tuple[DeliveryState, ...]] = ("waiting", "sending")
IN_PROGRESS: Final[tuple[DeliveryState, ...]] = (*UNDER_WAY, "committing", "held")
"""What is held waits for a signature, what is committing for its destination's word."""
DELIVERED: Final[tuple[DeliveryState, ...]] = ("accepted", "committed")
"""Accepted, and where a destination is asked for it, committed to."""

MANUFACTURER: Final = "osteoserve"
"""As our own objects say: what comes back with it is ours."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An object as it was received; ``data`` is the file, its data set as the sender encoded it."""

    site: str
    peer: str
    sop_uid: str
    sop_class_uid: str
    series_uid: str
    study_uid: str
    patient: str
    sha256: str
    is_image: bool
    is_own: bool
    data: bytes = dataclasses.field(repr=False)
    action: Action = "judge"
    rule: str | None = None
    """Which rule says so, as the ledger tells it."""
    destinations: tuple[str, ...] | None = None
    """Where its rule has the result go; None: to every destination."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on a row until somebody else has a higher ``fence``."""

    id: UUID
    fence: int
    attempts: int


@dataclass(frozen=True, kw_only=True)
class Case(Lease):
    """A case that is worked on."""

    site: str
    peer: str
    study_uid: str
    revision: int
    state: CaseState
    objects: int
    judged: tuple[tuple[str, UUID], ...]
    """SHA-256 of each object that was judged, and the prediction on it."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """An object of a study that a result is made of."""

    id: UUID
    sha256: str
    patient: str
    """Number and issuer of whom it is now: a hospital may have merged patients since."""
    data: bytes = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A scanner's own report, whose numbers are to be taken."""

    id: UUID
    site: str
    peer: str
    study_uid: str
    data: bytes = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Result:
    """A DICOM object of ours, as a file."""

    sop_uid: str
    sop_class_uid: str
    series_uid: str
    data: bytes = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A delivery that is to be made; ``message`` None: it is the case's objects that are sent."""

    destination: str
    message: bytes | None = dataclasses.field(default=None, repr=False)
    refused: str | None = None
    """Why it is not to be sent, and waits for a person's decision."""
    held: bool = False
    """Whether it is not to be sent before somebody has signed."""


@dataclass(frozen=True, kw_only=True)
class Delivery(Lease):
    """A delivery that is being sent; ``objects``: what became of each before."""

    case_id: UUID
    destination: str
    objects: Mapping[str, str]
    message: bytes | None = dataclasses.field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of an attempt to deliver; ``reason`` None: all objects were accepted."""

    objects: Mapping[str, str]
    reason: str | None
    passes: bool = True
    """Whether another attempt may succeed."""
    detail: str | None = None
    """What the other side said, without what the message says of the patient; in no log."""


Reference = tuple[str, str]
"""SOP class and SOP Instance UID of an object."""


@dataclass(frozen=True, kw_only=True)
class Commitment(Lease):
    """A peer's question whether what it sent is stored."""

    site: str
    peer: str
    transaction_uid: str
    objects: tuple[Reference, ...]


@dataclass(frozen=True, kw_only=True)
class Question(Lease):
    """A delivery of which the destination is asked whether it commits to the objects."""

    case_id: UUID
    objects: tuple[Reference, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """An answer to such a question; ``failed`` with a failure reason (PS3.3 C.14)."""

    transaction_uid: str
    committed: tuple[Reference, ...]
    failed: tuple[tuple[Reference, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row as operators see it: no name, no number of a patient."""

    id: UUID
    kind: Literal["case", "object", "delivery", "commitment", "pull"]
    state: str
    reason: str | None
    since: datetime
    about: str
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What became of all objects that were ever acknowledged; each is counted once."""

    accepted: int
    delivered: int = 0
    superseded: int = 0
    ignored: int = 0
    quarantined: int = 0
    discarded: int = 0
    dead: int = 0
    read: int = 0
    in_progress: int = 0

    @property
    def unaccounted(self) -> int:
        """Objects of which the ledger cannot say what becomes of them: anything but 0 is a bug."""
        counts: dict[str, int] = dataclasses.asdict(self)
        return 2 * self.accepted - sum(counts.values())


def delivery_id(case_id: UUID, destination: str) -> UUID:
    """Return the number of a case's delivery, the same whenever it is asked for."""
    return uuid5(case_id, destination)


class LeaseLostError(Exception):
    """Somebody else works on the row, or a person has decided on it: what was done is dropped."""


class NotDecidedError(Exception):
    """There is nothing to decide: no such row, or not in a state to be restarted or discarded."""
