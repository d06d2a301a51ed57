"""Sign-in by the identity provider as pages and the door take it: one object, or none."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from service.events import Event
from service.identity.actor import Actor
from service.identity.attempts import Attempts
from service.identity.events import LogoutRefused, ProviderReason, SignInFailed
from service.identity.oidc.arrivals import Arrivals
from service.identity.oidc.cookies import FlowCookies
from service.identity.oidc.discovery import Provider
from service.identity.oidc.errors import RefusedError
from service.identity.oidc.flow import Begun, Flows
from service.identity.oidc.logout import Logout
from service.identity.oidc.metrics import OidcMetrics
from service.identity.oidc.settings import OidcSettings
from service.identity.schemas import TooOftenError
from service.identity.sessions import Begun as Session
from service.storage.transaction import Transactions
from telemetry.journal import log

_ANYBODYS: Final[frozenset[ProviderReason]] = frozenset({"flow_unknown", "flow_cookie"})
"""What anybody can bring about without the provider: of many such, not each is written down."""


@dataclass(frozen=True, kw_only=True)
class Oidc:
    """What is configured; every method raises :class:`~service.storage.errors.StorageError`."""

    name: str
    contact: str
    provider: Provider
    cookies: FlowCookies
    flows: Flows
    arrivals: Arrivals
    logout: Logout
    attempts: Attempts
    transactions: Transactions
    metrics: OidcMetrics

    async def begin(self, actor: Actor, back: str, language: str, *, again: bool = False) -> Begun:
        """Begin a sign-in. Raises :class:`~service.identity.oidc.errors.RefusedError`."""
        try:
            return await self.flows.begin(actor, back, language, again=again)
        except RefusedError as error:
            # Nobody has tried anything yet: only the count tells of it.
            self.metrics.sign_in(error.reason)
            raise

    async def finish(
        self, actor: Actor, answer: Mapping[str, str], browser: str | None
    ) -> tuple[Session, str]:
        """Return the session of whoever comes back, and where they wanted to go.

        Raises :class:`~service.identity.oidc.errors.RefusedError`, which is in the trail.
        """
        try:
            returned = await self.flows.finish(answer, browser)
            begun = await self.arrivals.begin(actor, returned)
        except RefusedError as error:
            self.metrics.sign_in(error.reason)
            log(logging.WARNING, "sign-in refused", reason=error.reason)
            # Whoever signs in is not the one whose session the browser had.
            nobody = Actor(id=error.person_id, address=actor.address)
            event = SignInFailed(actor=nobody, person_id=error.person_id, reason=error.reason)
            await self._note(event, actor, is_anybodys=error.reason in _ANYBODYS)
            raise
        self.metrics.sign_in("signed_in")
        return begun, returned.flow.next

    async def obey(self, actor: Actor, token: str) -> None:
        """Do as a logout token says. Raises :class:`~service.identity.oidc.errors.RefusedError`."""
        try:
            count = await self.logout.obey(actor, token)
        except RefusedError as error:
            log(logging.WARNING, "logout refused", reason=error.reason)
            await self._note(LogoutRefused(actor=actor, reason=error.reason), actor, True)
            raise
        log(logging.INFO, "logout by identity provider", sessions=count)

    async def is_away(self) -> bool:
        """Whether the provider does not answer."""
        try:
            await self.provider.known()
        except RefusedError:
            return True
        return False

    async def _note(self, event: Event, actor: Actor, is_anybodys: bool) -> None:
        if is_anybodys:
            try:
                await self.attempts.begin("oidc", f"oidc {actor.address}")
            except TooOftenError:
                return
        await self.transactions.emit(event)


@dataclass(frozen=True)
class MaybeOidc:
    """An identity provider, where one is set."""

    oidc: Oidc | None


def name(settings: OidcSettings, issuer: str) -> str:
    """Return what people call the provider."""
    return settings.oidc_name or urlsplit(issuer).hostname or issuer
