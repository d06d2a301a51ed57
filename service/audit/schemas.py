"""What the trail holds: acts in a closed vocabulary, with ids and never a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args
from uuid import UUID

from service.clock import EPOCH

Kind = Literal[
    "signed_in", "sign_in_failed", "signed_out", "signed_in_again", "person_added",
    "site_added", "roles_changed", "person_disabled", "person_enabled", "password_changed",
    "link_made",
    "key_added", "key_renewed", "key_revoked", "program_ended", "denied", "read", "exported",
    "prediction_made", "prediction_deleted", "heat_map_made", "review_added", "exam_changed",
    "exam_measured", "modality_changed", "patients_merged", "patient_updated", "order_received",
    "points_kept", "batch_started", "batch_line_added", "batch_ended",
    "sealed_account_used", "logout_refused", "ledger_decided", "card_answered",
    "archive_asked", "workitem_changed", "launched", "launch_refused",
    "result_flagged", "result_assigned", "result_retired", "result_restored", "list_exported",
    "image_removed", "hold_placed", "hold_released", "retention_applied", "patient_erased",
    "data_exported", "backed_up", "restored", "trail_cut",
    "factor_added", "factor_removed", "recovery_codes_made", "recovery_code_used",
    "passkey_added", "passkey_removed",
    "glass_broken", "glass_ended", "glass_closed", "site_renamed",
    "person_changed", "group_added", "group_changed", "group_removed", "member_added",
    "member_removed",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

ObjectKind = Literal[
    "account",
    "key",
    "site",
    "result",
    "list",
    "patient",
    "batch",
    "trail",
    "route",
    "link",
    "case",
    "object",
    "delivery",
    "commitment",
    "pull",
    "workitem",
    "card",
    "database",
    "glass",
    "group",
]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An act, as it is kept."""

    id: UUID
    at: int
    """Microseconds since 1970."""
    kind: str
    site: str
    account_id: UUID | None
    key_id: UUID | None
    address: str | None
    object_kind: str | None
    object_id: str | None
    detail: str
    """A JSON object as text."""

    @property
    def moment(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.at)


def microseconds(moment: datetime) -> int:
    """Return ``moment`` as :attr:`Entry.at` has it."""
    return (moment - EPOCH) // timedelta(microseconds=1)
