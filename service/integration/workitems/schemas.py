"""Work items: their states, what may become of them, and how one is kept (PS3.4 annex CC)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from service.errors import ServiceError
from service.integration.ledger.schemas import Reference, WorkitemState

PUSH: Final = "1.2.840.10008.5.1.4.34.6.1"
"""Unified Procedure Step - Push SOP Class, which every item is of."""

WORDS: Final[Mapping[WorkitemState, str]] = {
    "scheduled": "SCHEDULED",
    "in_progress": "IN PROGRESS",
    "completed": "COMPLETED",
    "canceled": "CANCELED",
}
"""How DICOM writes the states."""
FINAL: Final[tuple[WorkitemState, ...]] = ("completed", "canceled")

Item = dict[str, Any]
"""A data set in the DICOM JSON model (PS3.18 annex F): elements by their tags."""

Place = tuple[Literal["ae", "url"], str]
"""The AE title of a PACS, or the base of one by DICOMweb."""

Verdict = Literal["change", "already", "missing", "incorrect", "inconsistent"]

MISSING: Final = "The Transaction UID is missing."
INCORRECT: Final = "The Transaction UID is incorrect."
INCONSISTENT: Final = "The submitted request is inconsistent with the state of the UPS Instance."
NOT_UPDATED: Final = "The submitted request is inconsistent with the current state of the Workitem."
NOT_CLAIMED: Final = "The target URI did not reference a claimed Workitem."
MODIFIED: Final = "The Workitem was created with modifications."
IS_CANCELED: Final = "The UPS is already in the requested state of CANCELED."
IS_COMPLETED: Final = "The UPS is already in the requested state of COMPLETED."
COMPLETED: Final = "The UPS is already COMPLETED."
NOT_CHOSEN: Final = "Performer chooses not to cancel."
NO_CONTACT: Final = "The performer cannot be contacted."
NO_FILTER: Final = "Filtered Worklist Subscriptions are not supported."
"""What the header Warning says (PS3.18 sections 11.4 to 11.10)."""


def verdict(now: WorkitemState, wanted: WorkitemState, owned: bool | None) -> Verdict:
    """Return what becomes of the request that an item which is ``now`` be ``wanted``.

    ``owned``: whether it names the transaction UID that the item was claimed by; None: it names
    none. As PS3.4 table CC.1.1-2.
    """
    if owned is None:
        return "missing"
    if wanted == "in_progress":
        # Whoever claims brings a new transaction UID.
        return "change" if now == "scheduled" else "inconsistent"
    if now == "scheduled":
        return "inconsistent"
    if not owned:
        return "incorrect"
    if now == wanted:
        return "already"
    return "change" if now == "in_progress" else "inconsistent"


@dataclass(frozen=True, kw_only=True)
class Workitem:
    """An item as it is kept."""

    id: UUID
    uid: str
    site: str
    state: WorkitemState
    document: Item = dataclasses.field(repr=False)
    """All that its creator and, where it is not we, its performer have said of it."""
    study_uid: str | None = None
    """The one study that its input is of."""
    transaction_uid: str | None = None
    case_id: UUID | None = None
    """The case that it is the handle of; None: it is not we who perform it."""
    places: Mapping[str, Place] = dataclasses.field(default_factory=dict)
    """Where its output can be retrieved from, by the names of destinations."""
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Output:
    """A series of results of an item's case, as far as a destination has it, or we."""

    study_uid: str
    series_uid: str
    objects: tuple[Reference, ...]
    destinations: tuple[str, ...]
    """Those that have accepted all of ``objects``."""
    kept: bool
    """Whether all of them can be retrieved here."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """An item with what its case has come to."""

    item: Workitem
    outputs: tuple[Output, ...]


class RefusedError(ServiceError):
    """A request about an item that is not done.

    ``warning`` is how the standard says why; None: it has no words for it.
    """

    def __init__(self, code: str, detail: str, warning: str | None = None) -> None:
        super().__init__(code, detail)
        self.warning = warning


def conflict(warning: str, detail: str = "") -> RefusedError:
    """Return that the item's state does not allow it."""
    return RefusedError("workitem_conflict", detail or warning, warning)


def invalid(detail: str, warning: str | None = None) -> RefusedError:
    """Return that the request is none that can be done."""
    return RefusedError("invalid_workitem", detail, warning)


def nothing() -> ServiceError:
    return ServiceError("not_found", "No work item has this address.")
