"""What sign-in adds to the front: the door, and what opens it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from urllib.parse import urlsplit

import anyio.to_thread
from fastapi import FastAPI

from service.events import Listeners
from service.http.settings import Address
from service.identity import (
    administration,
    factor_pages,
    glass_pages,
    pages,
    passkey_pages,
    session_pages,
)
from service.identity.attempts import Attempts
from service.identity.cookie import SessionCookie
from service.identity.door import SignInNeededError, to_sign_in
from service.identity.events import GlassBroken, RolesChanged, SignInFailed
from service.identity.factors import Factors
from service.identity.glass import Glasses
from service.identity.guests import Guests
from service.identity.metrics import IdentityMetrics
from service.identity.oidc import install as oidc
from service.identity.oidc import pages as oidc_pages
from service.identity.oidc.settings import OidcSettings
from service.identity.passkeys import Passkeys
from service.identity.passwords import Passwords
from service.identity.people import People
from service.identity.programs import Programs
from service.identity.reading import Reading
from service.identity.refusals import Refusals
from service.identity.rings import ring_of
from service.identity.scim import api as scim
from service.identity.scim import directory
from service.identity.sessions import Sessions
from service.identity.settings import IdentitySettings
from service.identity.sites import Sites
from service.resources import Resources
from service.sealing import Ring
from service.storage.settings import StorageSettings
from service.storage.transaction import Transactions
from telemetry.journal import log


def install(app: FastAPI) -> None:
    app.add_exception_handler(SignInNeededError, to_sign_in)
    app.include_router(pages.router)
    app.include_router(administration.router)
    app.include_router(oidc_pages.router)
    app.include_router(factor_pages.router)
    app.include_router(passkey_pages.router)
    app.include_router(session_pages.router)
    app.include_router(glass_pages.router)
    app.include_router(scim.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    settings, transactions = resources.get(IdentitySettings), resources.get(Transactions)
    public_url = resources.get(Address).public_url
    host = urlsplit(public_url or "").hostname or ""
    passwords, attempts = Passwords(settings, (host,)), Attempts(transactions)
    ring = await anyio.to_thread.run_sync(_ring, resources)
    factors = Factors(settings, transactions, attempts, ring)
    resources.put(Factors, factors)
    resources.put(Passkeys, Passkeys(settings, transactions, attempts, public_url))
    resources.put(Glasses, Glasses(transactions))
    _listen(resources)
    resources.put(SessionCookie, SessionCookie(public_url))
    resources.put(People, People(settings, transactions, passwords))
    resources.put(Sessions, Sessions(settings, transactions, passwords, attempts, factors))
    resources.put(Sites, Sites(transactions))
    resources.put(Programs, Programs(transactions, attempts))
    reading = Reading(transactions)
    resources.put(Reading, reading)
    resources.put(Refusals, attempts.refusals)
    resources.put(Attempts, attempts)
    resources.put(Guests, Guests())
    resources.put(
        directory.MaybeDirectory,
        directory.of(resources.get(OidcSettings), settings.oidc_issuer, public_url, transactions),
    )
    async with (
        aclosing(reading),
        aclosing(attempts.refusals),
        oidc.opened(resources, attempts),
    ):
        yield


def _ring(resources: Resources) -> Ring | None:
    return ring_of(resources.get(IdentitySettings), resources.get(StorageSettings))


def _listen(resources: Resources) -> None:
    """Count what operators should hear of, and say it in the log."""
    metrics, listeners = resources.get(IdentityMetrics), resources.get(Listeners)

    def broken(event: GlassBroken) -> None:
        metrics.broken(event)
        log(logging.WARNING, "break-glass", account=str(event.person_id), site=event.actor.site)

    listeners.afterwards(GlassBroken, broken)
    listeners.afterwards(SignInFailed, metrics.failed)
    listeners.afterwards(RolesChanged, metrics.roles)
