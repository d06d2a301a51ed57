"""Programs that come with an access token of the identity provider instead of a key of ours."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID, uuid5

from service.clock import now
from service.errors import ServiceError
from service.identity.actor import Actor
from service.identity.attempts import Attempts
from service.identity.events import SignInFailed
from service.identity.oidc import tokens
from service.identity.oidc.discovery import KEPT_FOR_PROGRAMS, Provider
from service.identity.oidc.errors import RefusedError, UnavailableError
from service.identity.oidc.settings import OidcSettings
from service.identity.oidc.tokens import Claims
from service.language.locale import N_
from service.storage.transaction import Transactions

CLIENT: Final = ("client_id", "azp", "appid", "cid")
"""Claims that name the client that a token was given to: RFC 9068, Keycloak, Entra ID, Okta."""

_SHAPE: Final = re.compile(r"ey[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_PROGRAMS: Final = UUID("5b0b7a38-4a0e-4a55-9c0c-6a1b6e1f0f5d")
"""Of ids that are made of an issuer and a client: the same on every front, and for ever."""


class ProviderPrograms:
    """Raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self,
        settings: OidcSettings,
        provider: Provider | None,
        transactions: Transactions,
        attempts: Attempts,
    ) -> None:
        self._settings = settings
        self._grants = settings.program_grants
        self._provider = provider
        self._transactions = transactions
        self._attempts = attempts

    async def find(self, token: str, address: str | None) -> Actor | None:
        """Return the program that a token was given to; None where it opens nothing.

        While the provider is silent its keys are believed for an hour; after that it is a
        :class:`~service.errors.ServiceError`. Raises
        :class:`~service.identity.schemas.TooOftenError`, as
        :meth:`service.identity.programs.Programs.find` does.
        """
        provider, audience = self._provider, self._settings.oidc_audience
        if provider is None or not audience or _SHAPE.fullmatch(token) is None:
            return None
        try:
            claims = await provider.read(
                token, self._settings.algorithms, tokens.ACCESS_TYPES, "stranger", KEPT_FOR_PROGRAMS
            )
            tokens.access_token(claims, provider.issuer, audience, now())
            return self._program(claims, provider.issuer, address)
        except UnavailableError as error:
            raise ServiceError(
                "provider_unavailable",
                N_("The identity provider does not answer: no token can be held against its keys."),
                error.retry_after,
            ) from None
        except RefusedError as error:
            # As a key that is none: whoever guesses is slowed down, and then told so.
            await self._attempts.begin("", address)
            event = SignInFailed(actor=Actor(address=address), person_id=None, reason=error.reason)
            await self._transactions.emit(event)
            return None

    def _program(self, claims: Claims, issuer: str, address: str | None) -> Actor:
        client = next((claims[name] for name in CLIENT if claims.get(name) is not None), None)
        given = self._grants.get(client) if isinstance(client, str) else None
        if given is None:
            raise RefusedError("no_role")
        return Actor(
            site=next(iter(given))[0],
            id=uuid5(_PROGRAMS, f"{issuer}\n{client}"),
            name=str(client)[:80],
            roles=frozenset(role for _site, role in given),
            address=address,
        )
