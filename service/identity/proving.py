"""How a page has somebody prove who they are: by a passkey, or by password and code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Request

from service.errors import ServiceError
from service.http.cookies import sent as cookies_sent
from service.http.problems import Problem
from service.identity import secrets
from service.identity.actor import Actor
from service.identity.cookie import SessionCookie
from service.identity.dependencies import Acting
from service.identity.passkeys import Asked, Passkeys, Purpose
from service.identity.schemas import (
    CodeError,
    CredentialsError,
    PasskeyError,
    TooOftenError,
)
from service.identity.services import CookieDep, PasskeysDep, SessionsDep
from service.identity.sessions import Sessions
from service.language.locale import N_

UNPROVED: Final = (CredentialsError, CodeError, PasskeyError, TooOftenError)
"""What is raised where they have not."""

FIELD: Final = "passkey"
"""The form's field that holds what a passkey has answered."""


class Prover:
    """Of one request."""

    def __init__(
        self, request: Request, sessions: Sessions, passkeys: Passkeys, cookie: SessionCookie
    ) -> None:
        self._request = request
        self._sessions = sessions
        self._passkeys = passkeys
        self._cookie = cookie

    @property
    def has_passkeys(self) -> bool:
        """Whether browsers have passkeys for the host that was asked."""
        return self._passkeys.party(self._host) is not None

    @property
    def sign_in_cookie(self) -> str:
        """The name of the cookie that binds what a passkey is asked before anybody is known."""
        return f"{self._cookie.name}-passkey"

    def asked(self, purpose: Purpose, bound: str, person_id: UUID | None = None) -> Asked:
        """Return who asks a passkey, and for what."""
        party = self._passkeys.party(self._host)
        if party is None:
            raise Problem(
                "invalid_request",
                N_("Browsers have passkeys for https and for localhost alone, not for addresses."),
            )
        return Asked(party=party, purpose=purpose, bound=bound, person_id=person_id)

    def of_session(self, purpose: Purpose, actor: Actor) -> Asked:
        if actor.session is None or actor.id is None:
            raise CredentialsError
        return self.asked(purpose, actor.session.hash, actor.id)

    async def signed_in(self, actor: Actor, sent: Mapping[str, str]) -> UUID:
        """Return who signs in by the passkey whose answer was sent."""
        found = cookies_sent(self._request.scope, self.sign_in_cookie)
        bound = secrets.hashed("passkey", found[0]) if len(found) == 1 else ""
        return await self._passkeys.use(actor, self.asked("sign_in", bound), sent[FIELD])

    async def again(self, actor: Actor, sent: Mapping[str, str]) -> Actor:
        """Return the actor as signed in just now. Raises one of :data:`UNPROVED`.

        Fields: ``passkey``, or ``password`` and the ``code`` of whoever has a second factor.
        """
        if FIELD not in sent:
            return await self._sessions.again(actor, sent.get("password", ""), sent.get("code", ""))
        await self._passkeys.use(actor, self.of_session("again", actor), sent[FIELD])
        return await self._sessions.again_by_passkey(actor)

    @property
    def _host(self) -> str:
        return self._request.headers.get("host", "")


async def fresh(actor: Acting, passkeys: PasskeysDep) -> None:
    """For what asks for a proof of the last minutes."""
    if not passkeys.is_fresh(actor):
        raise ServiceError(
            "sign_in_again", N_("They have not proved who they are within the last minutes.")
        )


async def _prover(
    request: Request, sessions: SessionsDep, passkeys: PasskeysDep, cookie: CookieDep
) -> Prover:
    return Prover(request, sessions, passkeys, cookie)


ProverDep = Annotated[Prover, Depends(_prover)]
