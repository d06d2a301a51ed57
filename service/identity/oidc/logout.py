"""Signing out with the identity provider: it tells us (back-channel), and we tell it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from service.clock import now
from service.identity import secrets
from service.identity.actor import Actor
from service.identity.events import SignedOut
from service.identity.oidc import repository, tokens
from service.identity.oidc.discovery import Provider
from service.identity.oidc.errors import RefusedError
from service.identity.oidc.settings import OidcSettings
from service.storage.transaction import Transaction, Transactions

REMEMBERED: Final = tokens.LOGOUT_OLDEST + 2 * tokens.LEEWAY + timedelta(minutes=1)
"""How long a message is known again: longer than it is taken."""

AFTERWARDS: Final = "/signin"
"""Where the provider sends whoever has signed out there, too."""


class Logout:
    """Raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self,
        settings: OidcSettings,
        public_url: str,
        provider: Provider,
        transactions: Transactions,
    ) -> None:
        self._settings = settings
        self._afterwards = public_url.rstrip("/") + AFTERWARDS
        self._provider = provider
        self._transactions = transactions

    async def obey(self, actor: Actor, token: str) -> int:
        """End the sessions that a logout token names, on every front; return how many there were.

        With ``sub`` all of that person's, with ``sid`` alone that one. Raises
        :class:`~service.identity.oidc.errors.RefusedError`.
        """
        issuer, settings = self._provider.issuer, self._settings
        claims = await self._provider.read(
            token, settings.algorithms, tokens.LOGOUT_TYPES, whose="stranger"
        )
        tokens.logout_token(claims, issuer, settings.oidc_client_id, now())
        used = secrets.hashed("logout", f"{issuer}\n{claims['jti']}")

        async def work(transaction: Transaction) -> int:
            connection = transaction.connection
            if not await repository.use_once(connection, used, now(), now() + REMEMBERED):
                raise RefusedError("logout_used")
            ended = await repository.end_sessions(
                connection, issuer, claims.get("sub"), claims.get("sid")
            )
            for person_id, site in ended:
                whose = Actor(site=site, id=person_id, address=actor.address)
                await transaction.emit(
                    SignedOut(actor=whose, person_id=person_id, by_provider=True)
                )
            return len(ended)

        return await self._transactions.write(work)

    async def address(self, actor: Actor) -> str | None:
        """Return where the actor signs out at the provider, too; None: there is no such place.

        To be asked before their session ends here.
        """
        session = actor.session
        if session is None or not session.by_provider:
            return None
        try:
            known = self._provider.last or await self._provider.known()
        except RefusedError:
            return None
        if known.end_session is None:
            return None
        async with self._transactions.read() as connection:
            hint = await repository.id_token(connection, session.hash)
        query = {
            "client_id": self._settings.oidc_client_id,
            "post_logout_redirect_uri": self._afterwards,
            **({"id_token_hint": hint} if hint is not None else {}),
        }
        joint = "&" if "?" in known.end_session else "?"
        return f"{known.end_session}{joint}{urlencode(query)}"
