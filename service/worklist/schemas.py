"""What the people of a site do with a result beside reading it: flag, assign, retire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from service.errors import CodedError
from service.language.locale import N_

RetirementReason = Literal["duplicate", "quality", "wrong_patient", "test", "replaced"]
"""Why a result is retired: one of a few, since the trail keeps it for good and no name with it."""

RETIREMENT_REASONS: Final[tuple[RetirementReason, ...]] = get_args(RetirementReason)

WHY_RETIRED: Final[Mapping[RetirementReason, str]] = {
    "duplicate": N_("The image was sent twice"),
    "quality": N_("The image should not have been used"),
    "wrong_patient": N_("It was filed under another patient"),
    "test": N_("It was a test"),
    "replaced": N_("Another result takes its place"),
}


class NoReaderError(CodedError):
    """Somebody is named who does not read at this site."""

    code = "no_such_reader"

    def __init__(self) -> None:
        super().__init__(N_("Nobody who may sign at this site has this account."))


class NoRetirementReasonError(CodedError):
    code = "invalid_request"

    def __init__(self) -> None:
        super().__init__(f"reason: one of {', '.join(RETIREMENT_REASONS)} is needed.")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody who may sign at a site."""

    id: UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A result's place in the worklist. None of it: nobody has done anything yet."""

    flagged_at: datetime | None = None
    assigned_to: UUID | None = None
    reader: str | None = None
    """The name of whom it is assigned to."""
    retired_at: datetime | None = None
    retired_reason: RetirementReason | None = None
    """None as well where a newer version knows one more."""


def retirement_reason(sent: str | None) -> RetirementReason:
    """Return ``sent`` as a reason. Raises :class:`NoRetirementReasonError`."""
    for known in RETIREMENT_REASONS:
        if known == sent:
            return known
    raise NoRetirementReasonError
