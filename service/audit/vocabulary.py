"""How each event stands in the trail: one row for each kind of event that there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import uuid4

from service.audit.schemas import Entry, Kind, ObjectKind, microseconds
from service.batches.events import BatchEnded, BatchLinesAdded, BatchStarted
from service.clock import now
from service.events import Event
from service.exams.events import ExamChanged, ExamMeasured
from service.holds.events import HoldPlaced, HoldReleased
from service.identity.events import (
    Denied,
    Exported,
    FactorAdded,
    FactorRemoved,
    GlassBroken,
    GlassClosed,
    GlassEnded,
    GroupAdded,
    GroupChanged,
    GroupRemoved,
    KeyAdded,
    KeyRenewed,
    KeyRevoked,
    LinkMade,
    LogoutRefused,
    MemberAdded,
    MemberRemoved,
    PasskeyAdded,
    PasskeyRemoved,
    PasswordChanged,
    PersonAdded,
    PersonChanged,
    PersonDisabled,
    PersonEnabled,
    ProgramEnded,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    RolesChanged,
    SealedAccountUsed,
    SignedIn,
    SignedInAgain,
    SignedOut,
    SignInFailed,
    SiteAdded,
    SiteRenamed,
    WasRead,
)
from service.integration.events import (
    CardAnswered,
    Launched,
    LaunchRefused,
    LedgerDecided,
    OrderReceived,
    PullAsked,
    WorkitemChanged,
)
from service.medicine.modalities.events import ModalityChanged
from service.medicine.morphometry.events import PointsKept
from service.patients.events import PatientsMerged, PatientUpdated
from service.predictions.events import (
    HeatMapMade,
    ImageRemoved,
    ListExported,
    PredictionDeleted,
    PredictionMade,
)
from service.retention.events import (
    BackedUp,
    DataExported,
    PatientErased,
    Restored,
    RetentionApplied,
    TrailCut,
)
from service.reviews.events import ReviewAdded
from service.worklist.events import (
    ResultAssigned,
    ResultFlagged,
    ResultRestored,
    ResultRetired,
)

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Told:
    """What of an event is kept beside who and when."""

    kind: Kind
    about: ObjectKind | None = None
    id: object = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def _account(kind: Kind) -> Callable[[Any], Told]:
    return lambda event: Told(kind, "account", event.person_id)


def _passkey(kind: Kind) -> Callable[[Any], Told]:
    return lambda event: Told(kind, "account", event.person_id, {"passkey": str(event.passkey_id)})


def _ended(kind: Kind) -> Callable[[Any], Told]:
    return lambda event: Told(kind, "account", event.account_id)


def _key(kind: Kind) -> Callable[[Any], Told]:
    return lambda event: Told(
        kind, "key", event.key_id, {"program": str(event.program_id), "role": event.role}
    )


def _exam(event: ExamChanged) -> Told:
    key = event.exam.patient_key
    detail = {} if key is None else {"patient": str(key)}
    return Told("exam_changed", "result", event.exam.prediction_id, detail)


def _measured(event: ExamMeasured) -> Told:
    key = event.exam.patient_key
    patient = {} if key is None else {"patient": str(key)}
    return Told("exam_measured", "result", event.exam.prediction_id, patient)


def _modality(event: ModalityChanged) -> Told:
    key = event.exam.patient_key
    patient = {} if key is None else {"patient": str(key)}
    detail = {"modality": event.modality, **patient}
    return Told("modality_changed", "result", event.exam.prediction_id, detail)


def _points(event: PointsKept) -> Told:
    kept = event.kept
    detail = {"number": kept.number, "vertebrae": len(kept.vertebrae)}
    return Told("points_kept", "result", event.prediction_id, detail)


def _review(event: ReviewAdded) -> Told:
    review = event.review
    detail: dict[str, Any] = {
        "number": review.number,
        "action": review.action,
        "outcome": review.outcome,
    }
    if review.document_sha256 is not None:
        detail["sha256"] = review.document_sha256
    return Told("review_added", "result", event.prediction_id, detail)


def _glass(kind: Kind) -> Callable[[Any], Told]:
    return lambda event: Told(kind, "glass", event.glass_id, {"home": event.home})


def _group(kind: Kind) -> Callable[[Any], Told]:
    return lambda event: Told(kind, "group", event.group_id)


def _member(kind: Kind) -> Callable[[Any], Told]:
    return lambda event: Told(kind, "account", event.person_id, {"group": str(event.group_id)})


def _hold(kind: Kind) -> Callable[[Any], Told]:
    return lambda event: Told(
        kind, event.object_kind, event.object_id, {"hold": str(event.hold_id)}
    )


def _erased(event: PatientErased) -> Told:
    return Told(
        "patient_erased",
        "patient",
        event.patient_keys[0] if event.patient_keys else None,
        {
            "erasure": str(event.erasure_id),
            "reason": event.reason or "restored",
            "deleted": event.deleted,
            "unlinked": event.unlinked,
            "received": event.received,
        },
    )


def _times(count: int) -> dict[str, int]:
    return {} if count == 1 else {"times": count}


TOLD: Final[Mapping[type[Event], Callable[[Any], Told]]] = {
    SignedIn: lambda event: Told("signed_in", "account", event.person_id, {"how": event.how}),
    SealedAccountUsed: _account("sealed_account_used"),
    SignInFailed: lambda event: Told(
        "sign_in_failed",
        "account",
        event.person_id,
        {"reason": event.reason, **_times(event.times)},
    ),
    SignedOut: lambda event: Told(
        "signed_out",
        "account",
        event.person_id,
        {"by": "idp"} if event.by_provider else {"by": "elsewhere"} if event.elsewhere else {},
    ),
    LogoutRefused: lambda event: Told("logout_refused", None, None, {"reason": event.reason}),
    SignedInAgain: lambda event: Told(
        "signed_in_again", "account", event.person_id, {"how": event.how}
    ),
    PersonAdded: lambda event: Told(
        "person_added", "account", event.person_id, {"roles": list(event.roles)}
    ),
    SiteAdded: lambda event: Told("site_added", "site", event.site),
    RolesChanged: lambda event: Told(
        "roles_changed",
        "account",
        event.person_id,
        {"before": list(event.before), "after": list(event.after), "source": event.source},
    ),
    PersonChanged: lambda event: Told(
        "person_changed", "account", event.person_id, {"fields": list(event.fields)}
    ),
    GroupAdded: _group("group_added"),
    GroupChanged: _group("group_changed"),
    GroupRemoved: _group("group_removed"),
    MemberAdded: _member("member_added"),
    MemberRemoved: _member("member_removed"),
    PersonDisabled: _ended("person_disabled"),
    PersonEnabled: _account("person_enabled"),
    FactorAdded: _account("factor_added"),
    FactorRemoved: _account("factor_removed"),
    PasskeyAdded: _passkey("passkey_added"),
    PasskeyRemoved: _passkey("passkey_removed"),
    RecoveryCodesMade: _account("recovery_codes_made"),
    RecoveryCodeUsed: _account("recovery_code_used"),
    GlassBroken: _glass("glass_broken"),
    GlassEnded: _glass("glass_ended"),
    GlassClosed: lambda event: Told("glass_closed", "glass", event.glass_id),
    SiteRenamed: lambda event: Told("site_renamed", "site", event.site),
    PasswordChanged: _account("password_changed"),
    LinkMade: lambda event: Told("link_made", "link", event.person_id),
    KeyAdded: _key("key_added"),
    KeyRenewed: _key("key_renewed"),
    KeyRevoked: lambda event: Told(
        "key_revoked", "key", event.key_id, {"program": str(event.program_id)}
    ),
    ProgramEnded: _ended("program_ended"),
    Denied: lambda event: Told(
        "denied",
        "route",
        None,
        {
            "asked": f"{event.method} {event.route}",
            "code": event.code,
            **_times(event.times),
        },
    ),
    WasRead: lambda event: Told("read", event.what, event.id, {"route": event.route}),
    Exported: lambda event: Told("exported", "trail", None, {"form": event.form}),
    PredictionMade: lambda event: Told(
        "prediction_made", "result", event.prediction.id, {"outcome": event.prediction.outcome}
    ),
    PredictionDeleted: lambda event: Told(
        "prediction_deleted", "result", event.prediction_id, {"reason": event.reason}
    ),
    ImageRemoved: lambda event: Told(
        "image_removed", "result", event.prediction_id, {"reason": event.reason}
    ),
    HoldPlaced: _hold("hold_placed"),
    HoldReleased: _hold("hold_released"),
    RetentionApplied: lambda event: Told("retention_applied", "site", None, event.removed),
    PatientErased: _erased,
    DataExported: lambda event: Told(
        "data_exported",
        "list" if event.patient_key is None else "patient",
        event.patient_key,
        {"form": event.form, "rows": event.rows},
    ),
    BackedUp: lambda event: Told("backed_up", "database", None, {"sha256": event.sha256}),
    Restored: lambda event: Told(
        "restored", "database", None, {"sha256": event.sha256, "erased": event.erased}
    ),
    TrailCut: lambda event: Told(
        "trail_cut", "trail", None, {"number": event.number, "entries": event.entries}
    ),
    HeatMapMade: lambda event: Told(
        "heat_map_made", "result", event.prediction_id, {"model": event.model}
    ),
    ReviewAdded: _review,
    ExamChanged: _exam,
    ExamMeasured: _measured,
    ModalityChanged: _modality,
    PointsKept: _points,
    PatientsMerged: lambda event: Told(
        "patients_merged",
        "patient",
        event.into,
        {"former": None if event.former is None else str(event.former)},
    ),
    PatientUpdated: lambda event: Told(
        "patient_updated", "patient", event.patient, {"exams": event.exams}
    ),
    OrderReceived: lambda event: Told(
        "order_received", None, None, {"form": event.kind, "cancelled": event.cancelled}
    ),
    BatchStarted: lambda event: Told(
        "batch_started", "batch", event.batch_id, {"images": event.total}
    ),
    BatchLinesAdded: lambda event: Told(
        "batch_line_added",
        "batch",
        event.batch_id,
        {"line": event.first, "to": event.first + len(event.prediction_ids) - 1},
    ),
    BatchEnded: lambda event: Told("batch_ended", "batch", event.batch_id, {"state": event.state}),
    ResultFlagged: lambda event: Told(
        "result_flagged", "result", event.prediction_id, {"flagged": event.flagged}
    ),
    ResultAssigned: lambda event: Told(
        "result_assigned",
        "result",
        event.prediction_id,
        {"to": None if event.person_id is None else str(event.person_id)},
    ),
    ResultRetired: lambda event: Told(
        "result_retired", "result", event.prediction_id, {"reason": event.reason}
    ),
    ResultRestored: lambda event: Told("result_restored", "result", event.prediction_id),
    ListExported: lambda event: Told(
        "list_exported",
        "list" if event.batch_id is None else "batch",
        event.batch_id,
        {"form": event.form, "results": event.results},
    ),
    LedgerDecided: lambda event: Told("ledger_decided", event.what, event.id, {"act": event.act}),
    PullAsked: lambda event: Told("archive_asked", "pull", event.id, {"archive": event.archive}),
    WorkitemChanged: lambda event: Told(
        "workitem_changed", "workitem", event.id, {"act": event.act}
    ),
    CardAnswered: lambda event: Told(
        "card_answered", "card", event.card, {"service": event.service, "outcome": event.outcome}
    ),
    Launched: lambda event: Told(
        "launched",
        "patient" if event.found == "patient" else "result" if event.found == "result" else None,
        event.id,
        {"record": event.record, "found": event.found},
    ),
    LaunchRefused: lambda event: Told(
        "launch_refused",
        "account",
        event.person_id,
        {"record": event.record, "reason": event.reason},
    ),
}


def entry(event: Event) -> Entry:
    """Return ``event`` as the trail keeps it. A kind that is not listed is a KeyError."""
    told = TOLD[type(event)](event)
    actor = event.actor
    detail = dict(told.detail)
    if actor.session is not None and actor.session.glass is not None:
        detail["glass"] = str(actor.session.glass.id)
    return Entry(
        id=uuid4(),
        at=microseconds(now()),
        kind=told.kind,
        site=actor.site,
        account_id=actor.id,
        key_id=actor.key,
        address=actor.address,
        object_kind=told.about,
        object_id=None if told.id is None else str(told.id),
        detail=json.dumps(detail, sort_keys=True, separators=(",", ":")),
    )
