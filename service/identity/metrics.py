"""Metrics of accounts and sign-ins: what an operator should hear of at once."""

from __future__ import annotations

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter

from service.identity.events import (
    GlassBroken,
    LocalReason,
    RolesChanged,
    SignInFailed,
)

FAILED: Final = "osteoserve_sign_in_failures_total"
OWN_ROLES: Final = "osteoserve_own_roles_granted_total"
GLASS: Final = "osteoserve_break_glass_total"


class IdentityMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._failed = Counter(
            FAILED,
            "Tries to sign in that failed, with accounts of the front and with keys, by why.",
            ["reason"],
            registry=registry,
        )
        for reason in get_args(LocalReason):
            self._failed.labels(reason)
        self._own = Counter(
            OWN_ROLES, "Roles that somebody has given to their own account.", registry=registry
        )
        self._glass = Counter(
            GLASS, "Times that somebody began to read another site's results.", registry=registry
        )

    def failed(self, event: SignInFailed) -> None:
        if event.reason in get_args(LocalReason):
            self._failed.labels(event.reason).inc(event.times)

    def roles(self, event: RolesChanged) -> None:
        gained = set(event.after) - set(event.before)
        if event.actor.id == event.person_id and event.source == "hand" and gained:
            self._own.inc(len(gained))

    def broken(self, _: GlassBroken) -> None:
        self._glass.inc()
