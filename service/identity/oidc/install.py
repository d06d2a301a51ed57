"""What sign-in by the identity provider adds to the front."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.events import Listeners
from service.http.settings import Address
from service.identity.attempts import Attempts
from service.identity.cookie import SessionCookie
from service.identity.events import SealedAccountUsed
from service.identity.oidc.arrivals import Arrivals
from service.identity.oidc.client import Client
from service.identity.oidc.cookies import FlowCookies
from service.identity.oidc.discovery import Provider
from service.identity.oidc.flow import Flows
from service.identity.oidc.logout import Logout
from service.identity.oidc.metrics import OidcMetrics
from service.identity.oidc.programs import ProviderPrograms
from service.identity.oidc.service import MaybeOidc, Oidc, name
from service.identity.oidc.settings import OidcSettings
from service.identity.sessions import Sessions
from service.identity.settings import IdentitySettings
from service.resources import Resources
from service.storage.transaction import Transactions
from telemetry.journal import log


@asynccontextmanager
async def opened(resources: Resources, attempts: Attempts) -> AsyncIterator[None]:
    """Open what asks the provider, where one is set; nothing is asked yet."""
    settings, transactions = resources.get(OidcSettings), resources.get(Transactions)
    metrics = resources.get(OidcMetrics)

    def loud(event: SealedAccountUsed) -> None:
        metrics.sealed()
        log(logging.WARNING, "sealed account used", account=str(event.person_id))

    resources.get(Listeners).afterwards(SealedAccountUsed, loud)
    issuer = resources.get(IdentitySettings).oidc_issuer
    public_url = resources.get(Address).public_url
    if issuer is None or public_url is None:
        resources.put(MaybeOidc, MaybeOidc(None))
        programs = ProviderPrograms(settings, None, transactions, attempts)
        resources.put(ProviderPrograms, programs)
        yield
        return
    async with Client.open(settings.oidc_ca_file) as client:
        provider = Provider(issuer, client, metrics)
        sessions = resources.get(Sessions)
        oidc = Oidc(
            name=name(settings, issuer),
            contact=settings.oidc_contact,
            provider=provider,
            cookies=FlowCookies(resources.get(SessionCookie)),
            flows=Flows(settings, public_url, provider, client, transactions),
            arrivals=Arrivals(settings.group_grants, transactions, sessions),
            logout=Logout(settings, public_url, provider, transactions),
            attempts=attempts,
            transactions=transactions,
            metrics=metrics,
        )
        resources.put(MaybeOidc, MaybeOidc(oidc))
        programs = ProviderPrograms(settings, provider, transactions, attempts)
        resources.put(ProviderPrograms, programs)
        yield
