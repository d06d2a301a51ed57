"""What a destination is shown by HTTP: a token, a user with a password, or nothing."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from service.clock import now
from service.identity.oidc.errors import TOLD
from service.integration import assertion
from service.integration.destinations import FhirDestination, HttpDestination
from service.integration.http_client import bounded
from service.integration.smart_configuration import (
    WELL_KNOWN,
    ConfigurationError,
    token_endpoint,
)

MARGIN_SECONDS: Final = 30.0
"""So long before its end a token is not used any more."""
BY_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenError(Exception):
    """Nothing can be shown now; the message is the reason of the delivery."""

    def __init__(self, reason: str, at: str | None = None) -> None:
        super().__init__(reason)
        self.at = at
        """Where a token was asked for."""


@dataclass(kw_only=True)
class _Token:
    value: str
    ends: float
    """By the monotonic clock, :data:`MARGIN_SECONDS` before it is over."""
    uses: int = 0


class Credentials:
    """Of one destination, whose token they keep as long as that is good."""

    def __init__(self, destination: HttpDestination) -> None:
        self._destination = destination
        self._token: _Token | None = None

    async def headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """Return what a request goes with. Raises :class:`TokenError`."""
        destination = self._destination
        if destination.token_file is not None:
            return _bearer(await _secret(destination.token_file))
        if destination.password_file is not None:
            return _basic(destination.user, await _secret(destination.password_file))
        if not destination.client_id:
            return {}
        if self._token is None or self._token.ends <= time.monotonic():
            self._token = await self._granted(session)
        self._token.uses += 1
        return _bearer(self._token.value)

    def forget(self) -> bool:
        """Have another token for the next request: this one was not taken.

        Return whether it was taken before, so that it may be over, and another one may be taken.
        """
        token, self._token = self._token, None
        return token is not None and token.uses > 1

    async def _granted(self, session: aiohttp.ClientSession) -> _Token:
        """Return a token by client credentials (RFC 6749 section 4.4)."""
        destination = self._destination
        form = {"grant_type": "client_credentials"}
        if destination.scope:
            form["scope"] = destination.scope
        headers = {"Accept": "application/json"}
        if isinstance(destination, FhirDestination) and destination.client_key_file is not None:
            url, signed = await _assertion(session, destination, destination.client_key_file)
            form |= {"client_assertion_type": BY_ASSERTION, "client_assertion": signed}
        elif destination.token_url is not None and destination.client_secret_file is not None:
            url = destination.token_url
            headers |= _basic(destination.client_id, await _secret(destination.client_secret_file))
        else:
            raise AssertionError("a client has a secret or a key")
        async with session.post(url, data=form, headers=headers, allow_redirects=False) as response:
            found = _object(await bounded(response))
            if response.status != 200:
                told = found.get("error")
                why = f" {told}" if isinstance(told, str) and told in TOLD else ""
                raise TokenError(f"no_token {response.status}{why}", url)
        try:
            token, seconds = str(found["access_token"]), float(found.get("expires_in", 60))
        except (ValueError, KeyError, TypeError):
            raise TokenError("no_token", url) from None
        if not _is_shown(token) or " " in token:
            raise TokenError("no_token", url)
        return _Token(value=token, ends=time.monotonic() + max(0.0, seconds - MARGIN_SECONDS))


async def _assertion(
    session: aiohttp.ClientSession, destination: FhirDestination, file: Path
) -> tuple[str, str]:
    """Return where a token is asked for, and who we are there."""
    try:
        key = await asyncio.to_thread(assertion.read, file, destination.client_key_id)
    except assertion.KeyFileError:
        raise TokenError("secret_unreadable") from None
    url = destination.token_url
    if url is None:
        try:
            url = await token_endpoint(session, destination.base, key.algorithm)
        except ConfigurationError as error:
            raise TokenError(str(error), destination.base + WELL_KNOWN) from None
    return url, key.assertion(destination.client_id, url, now())


def untold(destination: HttpDestination, error: TokenError) -> str:
    """Return what is wrong where nothing can be shown, as a sentence without subject and end."""
    match str(error):
        case "secret_unreadable":
            return _unreadable(destination)
        case "no_token_endpoint":
            return f"names no token endpoint at {error.at}: set token_url"
        case "no_such_algorithm":
            return (
                f"does not take what our key signs with, as {error.at} says: take one that it does"
            )
    said = str(error).removeprefix("no_token").strip()
    answer = f"status {said}" if said else "something that is none"
    return f"cannot be asked: {error.at} answers {answer} instead of a token"


def refused(destination: HttpDestination, status: int) -> str:
    """Return what is wrong where a server answers 401 or 403, as :func:`untold`."""
    if destination.token_file is not None or destination.client_id:
        return f"does not take our token: it answers {status}"
    if destination.user:
        return f"does not take our user and password: it answers {status}"
    return f"asks for a token, and none is set: it answers {status}"


def _unreadable(destination: HttpDestination) -> str:
    if isinstance(destination, FhirDestination) and destination.client_key_file is not None:
        try:
            assertion.read(destination.client_key_file)
        except assertion.KeyFileError as error:
            return f"needs a key: {error}"
    path = destination.token_file or destination.password_file or destination.client_secret_file
    return f"needs {path}, which cannot be read, or is no token or secret"


async def _secret(path: Path) -> str:
    """Return what a file of a Secret holds, read again since it may be replaced at any time."""
    try:
        found = (await asyncio.to_thread(path.read_text, "utf-8")).strip()
    except (OSError, UnicodeDecodeError):
        raise TokenError("secret_unreadable") from None
    if not _is_shown(found):
        raise TokenError("secret_unreadable")
    return found


def _is_shown(text: str) -> bool:
    """Whether ``text`` can stand in a header."""
    return bool(text) and text.isascii() and text.isprintable()


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(user, password)}
