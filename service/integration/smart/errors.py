"""Why a launch comes to nothing: stable codes, no text of anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from service.identity.oidc.errors import STATUSES
from service.integration.events import LaunchReason


class LaunchError(Exception):
    """Somebody is not let in, or nothing can be opened."""

    def __init__(
        self, reason: LaunchReason, record: str | None = None, person_id: UUID | None = None
    ) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.record = record
        """Its name in the file; None: it is not known."""
        self.person_id = person_id
        """Whose launch it was, where that is known for sure."""
        self.retry_after: float | None = None


_STATUSES: Final[Mapping[str, int]] = {
    **{str(reason): code for reason, code in STATUSES.items()},
    "record_unknown": 403,
    "patient_unreadable": 502,
}


def status(reason: LaunchReason) -> int:
    """Return what a browser is answered; every reason that is not listed is 400."""
    return _STATUSES.get(reason, 400)
