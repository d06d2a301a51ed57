"""What sign-in adds to the front: the door, and what opens it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from fastapi import FastAPI

from service.http.settings import Address
from service.identity import administration, pages
from service.identity.attempts import Attempts
from service.identity.cookie import SessionCookie
from service.identity.door import SignInNeededError, to_sign_in
from service.identity.passwords import Passwords
from service.identity.people import People
from service.identity.programs import Programs
from service.identity.reading import Reading
from service.identity.sessions import Sessions
from service.identity.settings import IdentitySettings
from service.opened import Opened
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.add_exception_handler(SignInNeededError, to_sign_in)
    app.include_router(pages.router)
    app.include_router(administration.router)


@asynccontextmanager
async def opening(opened: Opened) -> AsyncIterator[None]:
    settings, transactions = opened.get(IdentitySettings), opened.get(Transactions)
    passwords, attempts = Passwords(settings), Attempts(transactions)
    opened.put(SessionCookie, SessionCookie(opened.get(Address).public_url))
    opened.put(People, People(settings, transactions, passwords))
    opened.put(Sessions, Sessions(settings, transactions, passwords, attempts))
    opened.put(Programs, Programs(transactions, attempts))
    reading = Reading(transactions)
    opened.put(Reading, reading)
    async with aclosing(reading):
        yield
