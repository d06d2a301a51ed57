"""Metrics of sign-in by the identity provider."""

from __future__ import annotations

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

from service.identity.events import ProviderReason

UP: Final = "osteoserve_identity_provider_up"
SIGN_INS: Final = "osteoserve_identity_provider_sign_ins_total"
SEALED: Final = "osteoserve_sealed_sign_ins_total"


class OidcMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        # With a label, so that there is no series until the provider was asked for the first time.
        self._up = Gauge(
            UP,
            "Whether the identity provider gave an answer when it was asked last.",
            ["provider"],
            registry=registry,
        )
        self._sign_ins = Counter(
            SIGN_INS,
            "Sign-ins that came back from the identity provider, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("signed_in", *get_args(ProviderReason)):
            self._sign_ins.labels(outcome)
        self._sealed = Counter(
            SEALED,
            "Sign-ins by accounts that are kept for when the identity provider is away.",
            registry=registry,
        )

    def answers(self, well: bool) -> None:
        self._up.labels("oidc").set(well)

    def sign_in(self, outcome: str) -> None:
        self._sign_ins.labels(outcome).inc()

    def sealed(self) -> None:
        self._sealed.inc()
