"""What a destination is shown by HTTP: a token, a user with a password, or nothing."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Final

import aiohttp

from service.integration.destinations import HttpDestination
from service.integration.http_client import bounded

MARGIN_SECONDS: Final = 30.0
"""So long before its end a token is not used any more."""


class TokenError(Exception):
    """Nothing can be shown now; the message is the reason of the delivery."""


class Credentials:
    """Of one destination, whose token they keep as long as that is good."""

    def __init__(self, destination: HttpDestination) -> None:
        self._destination = destination
        self._token: tuple[str, float] | None = None

    async def headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """Return what a request goes with. Raises :class:`TokenError`."""
        destination = self._destination
        if destination.token_file is not None:
            return _bearer(await _secret(destination.token_file))
        if destination.password_file is not None:
            return _basic(destination.user, await _secret(destination.password_file))
        if destination.token_url is None or destination.client_secret_file is None:
            return {}
        if self._token is None or self._token[1] <= time.monotonic():
            secret = await _secret(destination.client_secret_file)
            self._token = await self._granted(session, destination.token_url, secret)
        return _bearer(self._token[0])

    def forget(self) -> None:
        """Have another token for the next request: this one was not taken."""
        self._token = None

    async def _granted(
        self, session: aiohttp.ClientSession, url: str, secret: str
    ) -> tuple[str, float]:
        """Return a token by client credentials (RFC 6749 section 4.4), and when it is old."""
        destination = self._destination
        form = {"grant_type": "client_credentials"}
        if destination.scope:
            form["scope"] = destination.scope
        headers = _basic(destination.client_id, secret)
        async with session.post(url, data=form, headers=headers, allow_redirects=False) as response:
            body = await bounded(response)
            if response.status != 200:
                raise TokenError(f"no_token {response.status}")
        try:
            found = json.loads(body)
            token, seconds = str(found["access_token"]), float(found.get("expires_in", 60))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise TokenError("no_token") from None
        return token, time.monotonic() + max(0.0, seconds - MARGIN_SECONDS)


def untold(destination: HttpDestination, error: TokenError) -> str:
    """Return what is wrong where nothing can be shown, as a sentence without subject and end."""
    if str(error) == "secret_unreadable":
        path = destination.token_file or destination.password_file or destination.client_secret_file
        return f"needs {path}, which cannot be read, or is no token or secret"
    said = str(error).removeprefix("no_token").strip()
    answer = f"status {said}" if said else "something that is none"
    return f"cannot be asked: {destination.token_url} answers {answer} instead of a token"


def refused(destination: HttpDestination, status: int) -> str:
    """Return what is wrong where a server answers 401 or 403, as :func:`untold`."""
    if destination.token_file is not None or destination.token_url is not None:
        return f"does not take our token: it answers {status}"
    if destination.user:
        return f"does not take our user and password: it answers {status}"
    return f"asks for a token, and none is set: it answers {status}"


async def _secret(path: Path) -> str:
    """Return what a file of a Secret holds, read again since it may be replaced at any time."""
    try:
        found = (await asyncio.to_thread(path.read_text, "utf-8")).strip()
    except (OSError, UnicodeDecodeError):
        raise TokenError("secret_unreadable") from None
    if not found or not found.isascii() or not found.isprintable():
        raise TokenError("secret_unreadable")
    return found


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(user, password)}
