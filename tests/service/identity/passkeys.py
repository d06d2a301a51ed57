"""What tests of passkeys share: a front at localhost, and somebody with a passkey there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from sqlalchemy import select

from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from tests.service.kit.accounts import Somebody, browser, person
from tests.service.kit.authenticators import Authenticator
from tests.service.kit.fronts import Front

OWN = "/account/passkeys"


def at(opened: Front) -> str:
    """Return the front's origin by a name: browsers have no passkeys for addresses of numbers."""
    return f"http://localhost:{opened.client.base_url.port}"


def named(opened: Front) -> dict[str, str]:
    return {"Host": at(opened).removeprefix("http://")}


@asynccontextmanager
async def somebody(opened: Front, login: str, *roles: Any) -> AsyncIterator[Somebody]:
    async with person(opened, login, *(roles or ("clinician",))) as one:
        one.client.headers.update(named(opened))
        yield one


def stranger(opened: Front) -> httpx.AsyncClient:
    return browser(opened, headers=named(opened))


async def asked(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    """Return what a page's script is told to ask of a passkey."""
    answer = await client.post(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(json.loads(answer.text))


async def make(one: Somebody, device: Authenticator, name: str = "my phone") -> httpx.Response:
    answer = device.make(await asked(one.client, f"{OWN}/options"))
    return await one.client.post(OWN, data={"name": name, "passkey": answer})


async def owned(opened: Front, one: Somebody) -> Authenticator:
    """Return a passkey that they have made."""
    device = Authenticator(at(opened))
    made = await make(one, device)
    assert made.status_code in (200, 303), made.text
    return device


async def sign_in(client: httpx.AsyncClient, device: Authenticator, **other: bytes) -> Any:
    answer = device.use(await asked(client, "/signin/passkey"), **other)
    return await client.post("/signin", data={"passkey": answer, "next": "/history"})


async def rows(opened: Front, statement: Any) -> list[Any]:
    database = Database(opened.settings)
    async with database.connect() as connection:
        found = list(await connection.execute(statement))
    await database.close()
    return found


async def change(opened: Front, statement: Any) -> None:
    database = Database(opened.settings)
    async with database.begin() as connection:
        await connection.execute(statement)
    await database.close()


async def told(opened: Front, one: Somebody) -> list[tuple[str, str]]:
    """Return what the trail says of somebody, the oldest first."""
    statement = (
        select(AuditEventRow.kind, AuditEventRow.detail)
        .where(AuditEventRow.object_id == str(one.id))
        .order_by(AuditEventRow.at)
    )
    return [(row.kind, row.detail) for row in await rows(opened, statement)]
