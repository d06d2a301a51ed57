"""A legal hold, and what is said to whoever would remove what it is on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from service.errors import CodedError, ServiceError
from service.language.locale import N_

ObjectKind = Literal["patient", "result"]
LONGEST_REASON: Final = 200


@dataclass(frozen=True, kw_only=True)
class Hold:
    """What must be kept, since when and why; ``released_at`` None: it still must."""

    id: UUID
    object_kind: ObjectKind
    object_id: UUID
    reason: str
    placed_at: datetime
    placed_by: UUID | None
    released_at: datetime | None = None


class HeldError(CodedError):
    """A legal hold is on it."""

    code = "result_held"

    def __init__(self) -> None:
        super().__init__(N_("A legal hold is on it: it is kept until the hold is released."))


def reason(text: str) -> str:
    """Return ``text`` as a hold's reason: one line. Raises ServiceError."""
    found = " ".join(text.split())
    if not 1 <= len(found) <= LONGEST_REASON or not found.isprintable():
        raise ServiceError(
            "invalid_request", f"A reason is one line of 1 to {LONGEST_REASON} characters."
        )
    return found
