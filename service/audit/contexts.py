"""The auditors' page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.audit.schemas import KINDS, Entry
from service.language.formats import moment
from service.language.locale import N_, _
from service.web.forms import Field, options
from service.web.page import Page

KIND_NAMES: Final[Mapping[str, str]] = {
    "signed_in": N_("Signed in"),
    "sign_in_failed": N_("Sign-in failed"),
    "signed_out": N_("Signed out"),
    "signed_in_again": N_("Signed in once more"),
    "person_added": N_("Person added"),
    "site_added": N_("Site added"),
    "roles_changed": N_("Roles changed"),
    "person_disabled": N_("Person disabled"),
    "person_enabled": N_("Person enabled"),
    "password_changed": N_("Password changed"),
    "link_made": N_("Link made"),
    "key_added": N_("Key made"),
    "key_renewed": N_("Key renewed"),
    "key_revoked": N_("Key revoked"),
    "program_ended": N_("Program ended"),
    "denied": N_("Denied"),
    "read": N_("Read"),
    "exported": N_("Trail exported"),
    "prediction_made": N_("Image judged"),
    "prediction_deleted": N_("Result deleted"),
    "heat_map_made": N_("Heat map made"),
    "review_added": N_("Result reviewed"),
    "exam_changed": N_("Study facts changed"),
    "exam_measured": N_("Scanner’s numbers taken"),
    "modality_changed": N_("Ultrasound or CT changed"),
    "points_kept": N_("Points of a lateral image kept"),
    "patients_merged": N_("Patients merged"),
    "patient_updated": N_("Patient’s facts entered"),
    "order_received": N_("Order received"),
    "batch_started": N_("Batch started"),
    "batch_line_added": N_("Images of a batch done"),
    "batch_ended": N_("Batch ended"),
    "sealed_account_used": N_("Sealed account used"),
    "logout_refused": N_("Message to sign out refused"),
    "ledger_decided": N_("Delivery or case decided on"),
    "archive_asked": N_("Archive asked for studies"),
    "workitem_changed": N_("Work item made or changed"),
    "card_answered": N_("Card in a record answered"),
    "launched": N_("Results opened out of a record"),
    "launch_refused": N_("Opening out of a record refused"),
    "result_flagged": N_("Result flagged, or not any more"),
    "result_assigned": N_("Result assigned"),
    "result_retired": N_("Result retired"),
    "result_restored": N_("Result restored"),
    "list_exported": N_("List of results exported"),
    "image_removed": N_("Image removed"),
    "hold_placed": N_("Legal hold placed"),
    "hold_released": N_("Legal hold released"),
    "retention_applied": N_("Retention applied"),
    "patient_erased": N_("Patient erased"),
    "data_exported": N_("Data exported"),
    "backed_up": N_("Backup made"),
    "restored": N_("Backup restored"),
    "trail_cut": N_("Trail cut"),
    "factor_added": N_("Second factor taken up"),
    "factor_removed": N_("Second factor removed"),
    "passkey_added": N_("Passkey added"),
    "passkey_removed": N_("Passkey removed"),
    "recovery_codes_made": N_("Recovery codes made"),
    "recovery_code_used": N_("Recovery code used"),
    "glass_broken": N_("Break-glass begun"),
    "glass_ended": N_("Break-glass ended"),
    "glass_closed": N_("Break-glass looked into"),
    "site_renamed": N_("Site renamed"),
    "person_changed": N_("Person changed by the directory"),
    "group_added": N_("Group of the directory added"),
    "group_changed": N_("Group of the directory renamed"),
    "group_removed": N_("Group of the directory removed"),
    "member_added": N_("Person added to a group"),
    "member_removed": N_("Person taken out of a group"),
}


@dataclass(frozen=True, kw_only=True)
class EntryRow:
    when: str
    when_iso: str
    kind: str
    who: str
    address: str
    about: str
    detail: str

    @classmethod
    def of(cls, entry: Entry) -> EntryRow:
        detail = json.loads(entry.detail)
        return cls(
            when=moment(entry.moment),
            when_iso=entry.moment.isoformat(),
            kind=_(KIND_NAMES[entry.kind]),
            who="" if entry.account_id is None else str(entry.account_id),
            address=entry.address or "",
            about=" ".join(filter(None, (entry.object_kind, entry.object_id))),
            detail=", ".join(f"{name}: {_text(value)}" for name, value in detail.items()),
        )


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


@dataclass(frozen=True, kw_only=True)
class TrailPage(Page):
    templates = ("audit.html",)

    rows: tuple[EntryRow, ...]
    kinds: Field
    following: str | None

    @classmethod
    def of(cls, entries: tuple[Entry, ...], kind: str, following: str | None) -> TrailPage:
        return cls(
            rows=tuple(EntryRow.of(one) for one in entries),
            kinds=Field(
                name="kind",
                id="kind",
                label=_("Act"),
                kind="select",
                value=kind,
                options=options({"": N_("Any"), **{one: KIND_NAMES[one] for one in KINDS}}, kind),
            ),
            following=following,
        )
