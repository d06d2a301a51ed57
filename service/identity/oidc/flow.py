"""A sign-in on its way to the identity provider and back: code flow with PKCE (RFC 9700).

What belongs together is a row: any front can take up what another began. The browser has a cookie
that the row keeps the hash of, so that what somebody else began ends nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote_plus, urlencode

import anyio.to_thread

from service.clock import now
from service.identity import secrets
from service.identity.actor import Actor
from service.identity.oidc import repository, tokens
from service.identity.oidc.claims import Who, who
from service.identity.oidc.client import Client, NoAnswerError
from service.identity.oidc.cookies import SECONDS
from service.identity.oidc.discovery import Known, Provider
from service.identity.oidc.errors import TOLD, RefusedError
from service.identity.oidc.repository import Flow
from service.identity.oidc.settings import OidcSettings
from service.storage.transaction import Transaction, Transactions
from telemetry.journal import log

CALLBACK: Final = "/auth/oidc/callback"

ENDS: Final = timedelta(seconds=SECONDS)
MOST: Final = 300
"""Sign-ins from one address that are under way: a hospital behind one proxy, not a flood."""
LONGEST_CODE: Final = 4096
LONGEST_NEXT: Final = 2000


@dataclass(frozen=True, kw_only=True)
class Begun:
    """``address``: where the browser goes; ``state`` and ``browser``: what its cookie is of."""

    address: str
    state: str
    browser: str


@dataclass(frozen=True, kw_only=True)
class Returned:
    """Whoever the provider says it is, and the sign-in that it is of."""

    who: Who
    flow: Flow
    id_token: str | None
    """What signs them out there; None: nothing does."""


class Flows:
    """Raises :class:`~service.storage.errors.StorageError` when it must, and refuses by
    :class:`~service.identity.oidc.errors.RefusedError`.
    """

    def __init__(
        self,
        settings: OidcSettings,
        public_url: str,
        provider: Provider,
        client: Client,
        transactions: Transactions,
    ) -> None:
        self._settings = settings
        self._redirect = public_url.rstrip("/") + CALLBACK
        self._provider = provider
        self._client = client
        self._transactions = transactions

    async def begin(self, actor: Actor, back: str, language: str, *, again: bool = False) -> Begun:
        """Begin a sign-in that leads to ``back``, a path of ours.

        ``again``: the actor is to prove once more who they are, whatever session the provider has.
        """
        known = await self._provider.known()
        state, browser, nonce, verifier = (secrets.token() for _ in range(4))
        at = now()

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await repository.end_old_flows(connection, at)
            if await repository.flows_from(connection, actor.address) >= MOST:
                raise RefusedError("too_many_flows")
            await repository.add_flow(
                connection,
                hash=secrets.hashed("state", state),
                browser=secrets.hashed("flow", browser),
                nonce=nonce,
                verifier=verifier,
                next=back if len(back) <= LONGEST_NEXT else "/",
                session=actor.session.hash if again and actor.session else None,
                address=actor.address,
                created_at=at,
                ends_at=at + ENDS,
            )

        await self._transactions.write(work)
        query = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self._redirect,
            "scope": self._settings.oidc_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            "ui_locales": language,
            **({"prompt": "login", "max_age": "0"} if again else {}),
        }
        joint = "&" if "?" in known.authorization else "?"
        return Begun(
            address=f"{known.authorization}{joint}{urlencode(query)}", state=state, browser=browser
        )

    async def finish(self, answer: Mapping[str, str], browser: str | None) -> Returned:
        """Return whoever comes back with ``answer``, the address's query.

        ``browser``: what its cookie holds. The flow is used up, whatever else is wrong.
        """
        flow = await self._taken(answer.get("state", ""), browser)
        known = await self._provider.known()
        told = answer.get("iss")
        if told != self._provider.issuer and (told is not None or known.says_issuer):
            raise RefusedError("answer_issuer")
        if "error" in answer:
            raise RefusedError("provider_refused")
        code = answer.get("code", "")
        if not 1 <= len(code) <= LONGEST_CODE or not code.isascii() or not code.isprintable():
            raise RefusedError("answer_malformed")
        token = await self._exchanged(known, code, flow)
        settings, issuer = self._settings, self._provider.issuer
        claims = await self._provider.read(
            token, settings.algorithms, tokens.ID_TYPES, whose="provider"
        )
        tokens.id_token(claims, issuer, settings.oidc_client_id, flow.nonce, now())
        found = who(claims, issuer, settings.claim_names)
        if found.proved_at is not None and found.proved_at > now() + tokens.LEEWAY:
            raise RefusedError("clock")
        return Returned(who=found, flow=flow, id_token=token)

    async def _taken(self, state: str, browser: str | None) -> Flow:
        if not secrets.is_token(state):
            raise RefusedError("flow_unknown")
        hash = secrets.hashed("state", state)

        async def work(transaction: Transaction) -> Flow:
            connection = transaction.connection
            flow = await repository.flow(connection, hash)
            if flow is None or flow.ends_at <= now():
                raise RefusedError("flow_unknown")
            mine = secrets.hashed("flow", browser or "")
            # Left as it is: whoever began it may still end it.
            if browser is None or not hmac.compare_digest(mine, flow.browser):
                raise RefusedError("flow_cookie")
            if not await repository.end_flow(connection, hash):
                raise RefusedError("flow_unknown")
            return flow

        return await self._transactions.write(work)

    async def _exchanged(self, known: Known, code: str, flow: Flow) -> str:
        """Return the id_token that is given for ``code``."""
        client = self._settings.oidc_client_id
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": flow.verifier,
        }
        headers = {}
        try:
            secret = await anyio.to_thread.run_sync(self._settings.client_secret)
            if secret is not None and not known.by_body:
                headers["Authorization"] = basic(client, secret)
            else:
                fields |= {"client_id": client} | ({"client_secret": secret} if secret else {})
            answer = await self._client.post(known.token, fields, headers)
        except (NoAnswerError, OSError) as error:
            failed = error if isinstance(error, NoAnswerError) else NoAnswerError("no secret")
            raise self._provider.failed(failed) from None
        if answer.status != 200:
            told = answer.document.get("error")
            why = told if isinstance(told, str) and told in TOLD else "other"
            log(logging.WARNING, "identity provider", refused=why, status=answer.status)
            raise RefusedError("code_refused")
        token = answer.document.get("id_token")
        if not isinstance(token, str):
            raise RefusedError("token_malformed")
        return token


def basic(client: str, secret: str) -> str:
    """Return what a client with a secret says in ``Authorization`` (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(client)}:{quote_plus(secret)}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def challenge(verifier: str) -> str:
    """Return what the provider is told of ``verifier`` (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
