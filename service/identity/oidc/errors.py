"""Why a sign-in by the identity provider comes to nothing: stable codes, no text of anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from service.identity.events import ProviderReason

TOLD: Final = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
        "unsupported_grant_type", "invalid_scope",
    }
)  # fmt: skip
"""What a token endpoint may say (RFC 6749, 5.2): it is passed on, and nothing else that it says."""


class RefusedError(Exception):
    """Something that the provider, or whoever says so, has sent is not taken."""

    def __init__(self, reason: ProviderReason, person_id: UUID | None = None) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.person_id = person_id
        """Whose sign-in it was, where that is known for sure."""


class UnavailableError(RefusedError):
    """The provider does not answer, or not as one."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("provider_unavailable")
        self.retry_after = retry_after


STATUSES: Final[Mapping[ProviderReason, int]] = {
    "provider_unavailable": 503,
    "provider_refused": 403,
    "no_role": 403,
    "overage": 403,
    "disabled": 403,
    "other_person": 403,
    "stale": 403,
    "too_many_flows": 429,
}
"""What a browser is answered; every other reason is 400."""


def status(reason: ProviderReason) -> int:
    return STATUSES.get(reason, 400)
