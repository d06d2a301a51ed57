"""Storage Commitment Push Model (PS3.4 Annex J): its data sets, and the associations they go by."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dsutils import decode

from service.integration.dicom import head
from service.integration.dicom.outgoing import Called, NotConnectedError, associated
from service.integration.ledger.schemas import Reference, Report

SOP_CLASS: Final = "1.2.840.10008.1.20.1"
INSTANCE: Final = "1.2.840.10008.1.20.1.1"
ACTION: Final = 1
ALL_STORED, SOME_FAILED = 1, 2
"""Event types: every object is committed to, or not every one is."""
MOST_BYTES: Final = 4 * 2**20
MOST_OBJECTS: Final = 10_000
"""Of one question. A study of DXA has a dozen objects."""
STAY_SECONDS: Final = 2.0
"""How long the association that was asked on is kept for the report; later it comes on another."""
_PROCESSING_FAILURE: Final = 0x0110


class CommitmentError(Exception):
    """What was asked or reported cannot be understood; ``status`` is what to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


def question(transaction_uid: str, objects: Iterable[Reference]) -> Dataset:
    """Return the action information that asks for ``objects``."""
    asked = Dataset()
    asked.TransactionUID = transaction_uid
    asked.ReferencedSOPSequence = [_item(one) for one in objects]
    return asked


def answer(report: Report) -> tuple[int, Dataset]:
    """Return the event type and information that say ``report``."""
    told = Dataset()
    told.TransactionUID = report.transaction_uid
    if report.committed:
        told.ReferencedSOPSequence = [_item(one) for one in report.committed]
    if report.failed:
        failed = []
        for reference, reason in report.failed:
            item = _item(reference)
            item.FailureReason = reason
            failed.append(item)
        told.FailedSOPSequence = failed
    return SOME_FAILED if report.failed else ALL_STORED, told


def read_question(data: BytesIO | None, syntax: Any) -> tuple[str, tuple[Reference, ...]]:
    """Return transaction and objects of action information. Raises :class:`CommitmentError`."""
    found = _read(data, syntax)
    objects = _references(found, "ReferencedSOPSequence")
    if not objects:
        raise CommitmentError(0x0115)
    return _uid(found, "TransactionUID"), objects


def read_report(data: BytesIO | None, syntax: Any) -> Report:
    """Return what event information reports. Raises :class:`CommitmentError`."""
    found = _read(data, syntax)
    failed = [(one, 0) for one in _references(found, "FailedSOPSequence")]
    return Report(
        transaction_uid=_uid(found, "TransactionUID"),
        committed=_references(found, "ReferencedSOPSequence"),
        failed=tuple(failed),
    )


def _item(reference: Reference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = reference
    return item


def _read(data: BytesIO | None, syntax: Any) -> Dataset:
    body = b"" if data is None else data.getvalue()
    if len(body) > MOST_BYTES:
        # Resource limitation.
        raise CommitmentError(0x0213)
    head.hush()
    try:
        found = decode(BytesIO(body), syntax.is_implicit_VR, syntax.is_little_endian)
        # Read whole: what is damaged further in is found now.
        for element in found.iterall():
            del element
    except Exception:
        # Whatever a damaged value makes pydicom raise.
        raise CommitmentError(0x0115) from None
    return found


def _references(found: Dataset, name: str) -> tuple[Reference, ...]:
    items = found.get(name) or ()
    if len(items) > MOST_OBJECTS:
        raise CommitmentError(0x0213)
    references = (
        (_uid(item, "ReferencedSOPClassUID"), _uid(item, "ReferencedSOPInstanceUID"))
        for item in items
    )
    return tuple(dict.fromkeys(references))


def _uid(found: Dataset, name: str) -> str:
    try:
        return head.uid(head.text(found, name))
    except head.HeadError:
        # Invalid argument value.
        raise CommitmentError(0x0115) from None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What became of a question; ``reason`` None: it was taken, ``report`` may be there already."""

    reason: str | None
    report: Report | None = None


def ask(to: Called, transaction_uid: str, objects: Iterable[Reference]) -> Asked:
    """Ask a PACS whether it commits to ``objects``."""
    heard: list[Report] = []
    is_there = threading.Event()

    def event(one: evt.Event) -> tuple[int, None]:
        request: Any = one.request
        try:
            report = read_report(request.EventInformation, one.context.transfer_syntax)
        except CommitmentError as error:
            return error.status, None
        if report.transaction_uid == transaction_uid:
            heard.append(report)
            is_there.set()
        return 0x0000, None

    try:
        handlers = [(evt.EVT_N_EVENT_REPORT, event)]
        with associated(to, [SOP_CLASS], handlers=handlers) as association:
            status, _ = association.send_n_action(
                question(transaction_uid, objects), ACTION, SOP_CLASS, INSTANCE
            )
            if "Status" not in status:
                return Asked(reason="cut off")
            if status.Status != 0x0000:
                return Asked(reason=f"refused {int(status.Status):04X}")
            is_there.wait(STAY_SECONDS)
    except NotConnectedError as error:
        return Asked(reason=error.reason)
    return Asked(reason=None, report=heard[0] if heard else None)


def tell(to: Called, report: Report) -> str | None:
    """Tell a peer ``report`` on an association of its own; return why that failed."""
    try:
        with associated(to, [SOP_CLASS], as_scp=True) as association:
            kind, told = answer(report)
            status, _ = association.send_n_event_report(told, kind, SOP_CLASS, INSTANCE)
            return taken(status)
    except NotConnectedError as error:
        return error.reason


def taken(status: Dataset) -> str | None:
    """Return why a report was not taken; None: it was."""
    if "Status" not in status:
        return "cut off"
    return None if status.Status == 0x0000 else f"refused {int(status.Status):04X}"


def context_of(association: Association) -> int | None:
    """Return the presentation context that reports go by; None where there is none."""
    for one in association.accepted_contexts:
        if str(one.abstract_syntax) == SOP_CLASS:
            return one.context_id
    return None
