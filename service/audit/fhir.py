"""Entries as FHIR R4 AuditEvents, one JSON object a line, for systems that collect them.

Codes: DICOM PS3.16 CID 400 (audit event id) and FHIR's restful interactions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from service.audit.schemas import Entry

_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_ACCESS: Final = ("110103", "DICOM Instances Accessed")
_QUERY: Final = ("110112", "Query")
_EXPORT: Final = ("110106", "Export")
_USER: Final = ("110114", "User Authentication")
_SECURITY: Final = ("110113", "Security Alert")
_RECORD: Final = ("110110", "Patient Record")
_USED: Final = ("110101", "Audit Log Used")
_ACTIVITY: Final = ("110100", "Application Activity")

_TYPES: Final[dict[str, tuple[tuple[str, str], str]]] = {
    "signed_in": (_USER, "E"),
    "sign_in_failed": (_USER, "E"),
    "signed_out": (_USER, "E"),
    "signed_in_again": (_USER, "E"),
    "person_added": (_SECURITY, "C"),
    "site_added": (_SECURITY, "C"),
    "roles_changed": (_SECURITY, "U"),
    "person_disabled": (_SECURITY, "U"),
    "person_enabled": (_SECURITY, "U"),
    "password_changed": (_SECURITY, "U"),
    "link_made": (_SECURITY, "C"),
    "key_added": (_SECURITY, "C"),
    "key_renewed": (_SECURITY, "C"),
    "key_revoked": (_SECURITY, "U"),
    "program_ended": (_SECURITY, "U"),
    "denied": (_SECURITY, "E"),
    "read": (_ACCESS, "R"),
    "exported": (_EXPORT, "R"),
    "prediction_made": (_RECORD, "C"),
    "prediction_deleted": (_RECORD, "D"),
    "heat_map_made": (_RECORD, "C"),
    "review_added": (_RECORD, "C"),
    "exam_changed": (_RECORD, "U"),
    "exam_measured": (_RECORD, "U"),
    "modality_changed": (_RECORD, "U"),
    "points_kept": (_RECORD, "C"),
    "patients_merged": (_RECORD, "U"),
    "patient_updated": (_RECORD, "U"),
    "order_received": (_ACTIVITY, "C"),
    "batch_started": (_ACTIVITY, "C"),
    "batch_line_added": (_ACTIVITY, "U"),
    "batch_ended": (_ACTIVITY, "U"),
    "sealed_account_used": (_SECURITY, "E"),
    "logout_refused": (_SECURITY, "E"),
    "ledger_decided": (_ACTIVITY, "U"),
    "archive_asked": (_ACTIVITY, "C"),
    "workitem_changed": (_ACTIVITY, "U"),
    "card_answered": (_ACTIVITY, "C"),
    "launched": (_ACTIVITY, "E"),
    "launch_refused": (_SECURITY, "E"),
    "result_flagged": (_RECORD, "U"),
    "result_assigned": (_RECORD, "U"),
    "result_retired": (_RECORD, "U"),
    "result_restored": (_RECORD, "U"),
    "list_exported": (_EXPORT, "R"),
    "image_removed": (_RECORD, "D"),
    "hold_placed": (_SECURITY, "C"),
    "hold_released": (_SECURITY, "D"),
    "retention_applied": (_ACTIVITY, "D"),
    "patient_erased": (_RECORD, "D"),
    "data_exported": (_EXPORT, "R"),
    "backed_up": (_EXPORT, "R"),
    "restored": (_SECURITY, "U"),
    "trail_cut": (_SECURITY, "D"),
    "factor_added": (_SECURITY, "U"),
    "factor_removed": (_SECURITY, "U"),
    "passkey_added": (_SECURITY, "U"),
    "passkey_removed": (_SECURITY, "U"),
    "recovery_codes_made": (_SECURITY, "U"),
    "recovery_code_used": (_USER, "E"),
    "glass_broken": (_SECURITY, "E"),
    "glass_ended": (_SECURITY, "E"),
    "glass_closed": (_SECURITY, "U"),
    "site_renamed": (_SECURITY, "U"),
    "person_changed": (_SECURITY, "U"),
    "group_added": (_SECURITY, "C"),
    "group_changed": (_SECURITY, "U"),
    "group_removed": (_SECURITY, "D"),
    "member_added": (_SECURITY, "U"),
    "member_removed": (_SECURITY, "U"),
}

_FAILED: Final = frozenset({"sign_in_failed", "denied", "logout_refused", "launch_refused"})


@dataclass(frozen=True, kw_only=True)
class Coded:
    """What DICOM calls an entry."""

    code: str
    display: str
    action: str
    """C, R, U, D or E."""
    failed: bool


def coded(entry: Entry) -> Coded:
    """Return the event id of CID 400 and the action of ``entry``."""
    (code, display), action = _TYPES[entry.kind]
    if entry.kind == "read" and entry.object_kind == "list":
        code, display = _QUERY
    if entry.kind == "read" and entry.object_kind == "trail":
        code, display = _USED
    return Coded(code=code, display=display, action=action, failed=entry.kind in _FAILED)


def event(entry: Entry) -> dict[str, Any]:
    """Return ``entry`` as an AuditEvent resource."""
    found_by = coded(entry)
    agent: dict[str, Any] = {"requestor": True}
    if entry.account_id is not None:
        agent["who"] = {"identifier": {"value": str(entry.account_id)}}
    else:
        agent["altId"] = "nobody"
    if entry.address is not None:
        agent["network"] = {"address": entry.address, "type": "2"}
    found: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": str(entry.id),
        "type": {"system": _DICOM, "code": found_by.code, "display": found_by.display},
        "subtype": [{"system": "urn:osteoserve:audit", "code": entry.kind}],
        "action": found_by.action,
        "recorded": entry.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": "4" if found_by.failed else "0",
        "agent": [agent],
        "source": {"site": entry.site, "observer": {"display": "osteoserve"}},
    }
    entity = _entity(entry)
    if entity:
        found["entity"] = [entity]
    return found


def line(entry: Entry) -> str:
    return json.dumps(event(entry), ensure_ascii=False, separators=(",", ":")) + "\n"


def _entity(entry: Entry) -> dict[str, Any]:
    entity: dict[str, Any] = {}
    if entry.object_id is not None:
        entity["what"] = {"identifier": {"value": entry.object_id}}
    if entry.object_kind is not None:
        entity["name"] = entry.object_kind
    detail = json.loads(entry.detail)
    if detail:
        entity["detail"] = [
            {"type": name, "valueString": value if isinstance(value, str) else json.dumps(value)}
            for name, value in detail.items()
        ]
    return entity
