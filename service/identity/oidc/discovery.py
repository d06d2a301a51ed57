"""The identity provider as it describes itself, asked when it is first needed.

A front starts, is ready and goes on serving whoever has signed in without it. What was found is
kept for ten minutes; what fails is tried again after a moment, so that nothing waits for a restart.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

from service.identity.oidc import tokens
from service.identity.oidc.client import Client, NoAnswerError, is_address
from service.identity.oidc.errors import UnavailableError
from service.identity.oidc.keys import Keys, keys
from service.identity.oidc.tokens import Claims, KeyUnknownError
from telemetry.journal import log

WELL_KNOWN: Final = "/.well-known/openid-configuration"
KEPT: Final = 600.0
"""Seconds that metadata and keys are good for."""
KEPT_FOR_PROGRAMS: Final = 3600.0
"""The same for programs' tokens, while the provider is silent."""
RENEWED: Final = 60.0
"""Seconds between two looks for a key that is not known."""
RETRIED: Final = 1.0
"""Seconds after a failure before the provider is asked again."""

Whose = Literal["provider", "stranger"]
"""Where a token came from. Strangers' have a turn of their own: what they make up must not keep a
new key from whoever signs in."""


class Heard(Protocol):
    """Is told whether the provider gave an answer when it was asked."""

    def answers(self, well: bool, /) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the provider has said of itself."""

    authorization: str
    token: str
    jwks: str
    end_session: str | None
    says_issuer: bool
    """Whether every answer by the browser says whose it is (RFC 9207)."""
    by_body: bool
    """Whether the client's secret belongs into the form, not into a header."""
    challenges: frozenset[str]
    """Ways of PKCE that it says it takes."""
    keys: Keys
    at: float
    """When it was asked, by the monotonic clock."""


class Provider:
    """One for a front: it remembers what was found.

    ``address``: where it describes itself, if not where OpenID Connect says; ``called``: what it is
    in the log.
    """

    def __init__(
        self,
        issuer: str,
        client: Client,
        metrics: Heard,
        clock: Callable[[], float] = time.monotonic,
        *,
        address: str | None = None,
        called: str = "identity provider",
    ) -> None:
        self.issuer: Final = issuer
        self._address = address or issuer.removesuffix("/") + WELL_KNOWN
        self._called = called
        self._client = client
        self._metrics = metrics
        self._clock = clock
        self._turn = asyncio.Lock()
        self._last: Known | None = None
        self._failed_at: float | None = None
        self._looked_at: dict[Whose, float] = {}

    @property
    def last(self) -> Known | None:
        """What was found last, however long ago."""
        return self._last

    async def known(self, longest: float = KEPT) -> Known:
        """Return what the provider says of itself, asked again after :data:`KEPT` seconds.

        Raises :class:`~service.identity.oidc.errors.UnavailableError` where it does not answer and
        what was found last is older than ``longest``.
        """
        found = self._fresh(KEPT)
        if found is not None:
            return found
        async with self._turn:
            # Those who have waited take what the first of them has found, and its failure too.
            found = self._fresh(KEPT)
            if found is not None:
                return found
            if self._failed_at is None or self._clock() - self._failed_at >= RETRIED:
                try:
                    self._last = await self._asked()
                    self._went_well(True)
                    return self._last
                except NoAnswerError as error:
                    self._went_well(False, str(error))
        found = self._fresh(longest)
        if found is None:
            raise UnavailableError(RETRIED)
        return found

    async def read(
        self,
        token: str,
        algorithms: Collection[str],
        types: frozenset[str | None],
        whose: Whose,
        longest: float = KEPT,
    ) -> Claims:
        """Return a token's claims; for a key that is not known the provider is asked again.

        Raises :class:`~service.identity.oidc.errors.RefusedError`.
        """
        known = await self.known(longest)
        try:
            return tokens.read(token, known.keys, algorithms, types)
        except KeyUnknownError:
            again = await self._renewed(known, whose)
            if again is None:
                raise
        return tokens.read(token, again.keys, algorithms, types)

    async def _renewed(self, than: Known, whose: Whose) -> Known | None:
        """Return a newer key set than that of ``than``; None where it is too early to ask."""
        async with self._turn:
            last = self._last
            if last is not None and last.at > than.at:
                return last
            looked = self._looked_at.get(whose)
            if looked is not None and self._clock() - looked < RENEWED:
                return None
            self._looked_at[whose] = self._clock()
            try:
                document = await self._client.get(than.jwks)
            except NoAnswerError as error:
                self._went_well(False, str(error))
                return None
            self._went_well(True)
            self._last = replace(than, keys=keys(document), at=self._clock())
            return self._last

    def failed(self, error: NoAnswerError) -> UnavailableError:
        """Note that a call to the provider has failed, and return what is to be raised."""
        self._went_well(False, str(error))
        return UnavailableError(RETRIED)

    def _fresh(self, longest: float) -> Known | None:
        last = self._last
        return last if last is not None and self._clock() - last.at < longest else None

    async def _asked(self) -> Known:
        found = _endpoints(await self._client.get(self._address), self.issuer)
        document = await self._client.get(found.jwks)
        return replace(found, keys=keys(document), at=self._clock())

    def _went_well(self, well: bool, why: str | None = None) -> None:
        was_failing = self._failed_at is not None
        self._failed_at = None if well else self._clock()
        self._metrics.answers(well)
        if well is was_failing:
            level = logging.INFO if well else logging.WARNING
            log(level, self._called, state="up" if well else "down", why=why)


def _endpoints(metadata: Mapping[str, Any], issuer: str) -> Known:
    """Return what ``metadata`` says; the keys are asked for next."""
    if metadata.get("issuer") != issuer:
        raise NoAnswerError("metadata of another issuer than the configured one")
    addresses = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not is_address(metadata.get(name), issuer):
            raise NoAnswerError(f"{name} is missing, or is no https address")
        addresses[name] = str(metadata[name])
    leaving = metadata.get("end_session_endpoint")
    ways = metadata.get("token_endpoint_auth_methods_supported")
    challenges = metadata.get("code_challenge_methods_supported")
    return Known(
        authorization=addresses["authorization_endpoint"],
        token=addresses["token_endpoint"],
        jwks=addresses["jwks_uri"],
        end_session=str(leaving) if is_address(leaving, issuer) else None,
        says_issuer=metadata.get("authorization_response_iss_parameter_supported") is True,
        by_body=isinstance(ways, list) and "client_secret_basic" not in ways,
        challenges=frozenset(
            one for one in (challenges if isinstance(challenges, list) else ()) if type(one) is str
        ),
        keys=(),
        at=0.0,
    )
