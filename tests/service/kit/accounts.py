"""People and programs of a front: made as the command line makes them, signed in by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from service.audit.trail import record
from service.commands import OPERATOR
from service.events import Event, Listeners
from service.identity.actor import DEFAULT_SITE, Actor, Role
from service.identity.attempts import Attempts
from service.identity.passwords import Passwords
from service.identity.people import People
from service.identity.programs import Programs
from service.settings import Settings
from service.storage.database import Database
from service.storage.transaction import Transactions
from tests.service.kit.fronts import TRUST, Front

PASSWORD = "correct horse battery staple"  # noqa: S105 - nobody's


def operator(site: str = DEFAULT_SITE) -> Actor:
    return Actor(site=site, roles=OPERATOR.roles)


@asynccontextmanager
async def transactions(settings: Settings) -> AsyncIterator[Transactions]:
    """Open the front's database beside it, with the trail listening."""
    database = Database(settings)
    listeners = Listeners()
    listeners.within_sync(Event, record)
    try:
        yield Transactions(database, listeners)
    finally:
        await database.close()


@dataclass
class Somebody:
    """A person with a browser of their own."""

    id: UUID
    login: str
    client: httpx.AsyncClient

    async def sign_in(self, password: str = PASSWORD) -> httpx.Response:
        return await self.client.post("/signin", data={"login": self.login, "password": password})


def browser(opened: Front, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=opened.client.base_url, trust_env=False, timeout=20, verify=TRUST, **options
    )


@asynccontextmanager
async def person(
    opened: Front, login: str, *roles: Role, site: str = DEFAULT_SITE
) -> AsyncIterator[Somebody]:
    """Somebody new with these roles, who has followed their link and is signed in."""
    async with transactions(opened.settings) as on:
        people = People(opened.settings, on, Passwords(opened.settings))
        id, token = await people.add(operator(site), login, login.title(), roles)
    async with browser(opened) as client:
        chosen = {"token": token, "password": PASSWORD, "again": PASSWORD}
        answer = await client.post("/welcome", data=chosen)
        assert answer.status_code == 303, answer.text
        yield Somebody(id, login, client)


async def key(opened: Front, role: Role, site: str = DEFAULT_SITE, days: int = 30) -> str:
    async with transactions(opened.settings) as on:
        return (await Programs(on, Attempts(on)).add(operator(site), f"a {role}", role, days))[1]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
