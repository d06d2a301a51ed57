"""What an item has to say when it is created, updated and ended (PS3.4 table CC.2.5-3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from service.clock import now
from service.integration.ledger.schemas import WorkitemState
from service.integration.workitems.document import code, element, tag, text, values
from service.integration.workitems.schemas import INCONSISTENT, PUSH, Item, conflict, invalid

LABEL: Final = "osteoserve"
"""The worklist of an item that names none."""

_NEEDED: Final = (
    "ScheduledProcedureStepPriority", "ProcedureStepLabel", "ScheduledProcedureStepStartDateTime",
    "InputReadinessState",
)  # fmt: skip
_MAY_BE_EMPTY: Final = (
    "ScheduledProcessingParametersSequence", "ScheduledStationNameCodeSequence",
    "ScheduledStationClassCodeSequence", "ScheduledStationGeographicLocationCodeSequence",
    "ScheduledWorkitemCodeSequence", "CommentsOnTheScheduledProcedureStep",
    "InputInformationSequence", "PatientName", "PatientID", "IssuerOfPatientID",
    "OtherPatientIDsSequence", "PatientBirthDate", "PatientSex", "AdmissionID",
    "IssuerOfAdmissionIDSequence", "AdmittingDiagnosesDescription",
    "AdmittingDiagnosesCodeSequence", "ReferencedRequestSequence",
)  # fmt: skip
_PROGRESS: Final = "ProcedureStepProgressInformationSequence"
_PERFORMED: Final = "UnifiedProcedureStepPerformedProcedureSequence"
_FIXED: Final = (
    "PatientName", "PatientID", "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence",
    "PatientBirthDate", "PatientSex", "AdmissionID", "IssuerOfAdmissionIDSequence",
    "AdmittingDiagnosesDescription", "AdmittingDiagnosesCodeSequence",
    "ReferencedRequestSequence", "ReplacedProcedureStepSequence", "ProcedureStepState",
)  # fmt: skip
"""What nobody changes once an item is there."""
_OURS: Final = (
    "SOPClassUID", "SOPInstanceUID", "ProcedureStepState", "TransactionUID",
    "ScheduledProcedureStepModificationDateTime",
)  # fmt: skip
"""What the worklist says of an item by itself."""
_CHOICES: Final = {
    "ScheduledProcedureStepPriority": ("HIGH", "MEDIUM", "LOW"),
    "InputReadinessState": ("READY", "UNAVAILABLE", "INCOMPLETE"),
}
_DONE: Final = (
    "PerformedStationNameCodeSequence", "PerformedProcedureStepStartDateTime",
    "PerformedWorkitemCodeSequence", "PerformedProcedureStepEndDateTime",
)  # fmt: skip
UNSPECIFIED: Final = ("110513", "Discontinued for unspecified reason")


def created(item: Item) -> tuple[Item, bool]:
    """Return ``item`` as it is kept, and whether anything was filled in.

    Raises :class:`~service.integration.workitems.schemas.RefusedError`.
    """
    _of_class(item)
    if text(item, "ProcedureStepState") != "SCHEDULED":
        raise invalid("ProcedureStepState is SCHEDULED in an item that is created.")
    for name in ("TransactionUID", _PROGRESS, _PERFORMED):
        if values(item, name):
            raise invalid(f"{name} is empty in an item that is created.")
    _filled(item, _NEEDED)
    _chosen(item)
    kept = _without(item, *_OURS)
    missing = [name for name in _MAY_BE_EMPTY if tag(name) not in kept]
    for name in missing:
        kept |= element(name)
    labelled = bool(text(kept, "WorklistLabel"))
    if not labelled:
        kept |= element("WorklistLabel", LABEL)
    return _stamped(kept), bool(missing) or not labelled


def updated(item: Item, state: WorkitemState, changes: Item) -> Item:
    """Return ``item`` with ``changes``. Raises as :func:`created`."""
    _of_class(changes)
    forbidden = [name for name in _FIXED if tag(name) in changes]
    if state == "scheduled":
        forbidden += [name for name in (_PROGRESS, _PERFORMED) if values(changes, name)]
    if forbidden:
        raise invalid(f"{forbidden[0]} is not changed by an update.")
    _filled(changes, [name for name in (*_NEEDED, "WorklistLabel") if tag(name) in changes])
    _chosen(changes)
    return _stamped({**item, **_without(changes, *_OURS)})


def ended(item: Item, wanted: WorkitemState) -> Item:
    """Return ``item`` as one whose performer says that it is ``wanted``, a final state.

    Raises :class:`~service.integration.workitems.schemas.RefusedError` where what is needed of a
    completed one is not there. Of a canceled one the worklist adds what nobody has said.
    """
    if wanted == "canceled":
        return canceled(item)
    performed = values(item, _PERFORMED)
    complete = len(performed) == 1 and all(values(performed[0], name) for name in _DONE)
    if not complete or tag("OutputInformationSequence") not in performed[0]:
        raise conflict(
            INCONSISTENT,
            "A completed item has one UnifiedProcedureStepPerformedProcedureSequence with "
            f"{', '.join(_DONE)} and OutputInformationSequence.",
        )
    return item


def canceled(
    item: Item,
    reason: str = "",
    discontinued: tuple[str, str] = UNSPECIFIED,
    said: Item | None = None,
) -> Item:
    """Return ``item`` as one that is canceled: when, for which ``reason``, and by which code.

    ``said``: what whoever asked for it says itself, which comes first.
    """
    found = values(item, _PROGRESS)
    progress: Item = dict(found[0]) if found else {}
    for name in (
        "ReasonForCancellation", "ProcedureStepDiscontinuationReasonCodeSequence",
        "ContactDisplayName", "ContactURI",
    ):  # fmt: skip
        if said is not None and values(said, name):
            progress[tag(name)] = said[tag(name)]
    if reason and not values(progress, "ReasonForCancellation"):
        progress |= element("ReasonForCancellation", reason)
    if not values(progress, "ProcedureStepDiscontinuationReasonCodeSequence"):
        value, meaning = discontinued
        progress |= element(
            "ProcedureStepDiscontinuationReasonCodeSequence", code(value, "DCM", meaning)
        )
    if not values(progress, "ProcedureStepCancellationDateTime"):
        progress |= element("ProcedureStepCancellationDateTime", moment(now()))
    return {**item, **element(_PROGRESS, progress)}


def moment(at: datetime) -> str:
    """Return a time as DICOM writes it (DT), with its zone."""
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f+0000")


def _of_class(item: Item) -> None:
    if text(item, "SOPClassUID") not in ("", PUSH):
        raise invalid("SOPClassUID is not that of a Unified Procedure Step.")


def _filled(item: Item, names: Iterable[str]) -> None:
    missing = [name for name in names if not values(item, name)]
    if missing:
        raise invalid(f"{', '.join(missing)}: an item is not taken without a value.")


def _chosen(item: Item) -> None:
    for name, known in _CHOICES.items():
        if tag(name) in item and text(item, name) not in known:
            raise invalid(f"{name} is one of {', '.join(known)}.")


def _without(item: Item, *names: str) -> Item:
    left = {tag(name) for name in names}
    return {name: it for name, it in item.items() if name not in left}


def _stamped(item: Item) -> Item:
    # JSON is UTF-8 (PS3.18 F.2.5), whatever the item was made of.
    told = {**item, **element("SpecificCharacterSet", "ISO_IR 192")}
    told |= element("ScheduledProcedureStepModificationDateTime", moment(now()))
    return dict(sorted(told.items()))
