"""Sends a transaction to a FHIR server, and says what became of it.

What a server refuses is a mistake of configuration and is tried no more, with what it said beside
it; what it cannot do now is tried again.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from pathlib import Path
from typing import Final

import aiohttp

from service.integration.destinations import FhirDestination
from service.integration.fhir import outcome
from service.integration.ledger.schemas import Sent

CONNECT_SECONDS: Final = 5.0
WHOLE_SECONDS: Final = 30.0
MOST: Final = 2**20
"""Bytes of an answer that are read."""
CAPABILITY: Final = 2**25
"""And of what a server is able to do, which with many profiles is megabytes."""
MARGIN_SECONDS: Final = 30.0
"""So long before its end a token is not used any more."""
JSON: Final = "application/fhir+json"
_PASSING: Final = (401, 408, 409, 425, 429)
"""Beside 5xx: a token may be renewed, a conflict be over, a server have time again."""


class TokenError(Exception):
    """No token can be had now; the message is the reason of the delivery."""


class Client:
    """Of one destination, whose token it keeps as long as that is good."""

    def __init__(self, destination: FhirDestination) -> None:
        self._destination = destination
        self._token: tuple[str, float] | None = None

    async def send(self, bundle: bytes) -> Sent:
        """Post the transaction ``bundle``; return what became of it."""
        try:
            context = client_context(self._destination.authorities)
        except (OSError, ssl.SSLError):
            return Sent(objects={}, reason="certificate_unreadable")
        try:
            async with _session(context) as session:
                status, body = await self._post(session, bundle)
        except TokenError as error:
            return Sent(objects={}, reason=str(error))
        except aiohttp.ClientSSLError:
            return Sent(objects={}, reason="tls")
        except aiohttp.ClientConnectorError:
            return Sent(objects={}, reason="unreachable")
        except (TimeoutError, aiohttp.ClientError):
            return Sent(objects={}, reason="no_answer")
        return _judged(status, body, bundle)

    async def capability(self) -> tuple[int, bytes]:
        """Ask what the server is able to do; return status and body.

        Raises :class:`TokenError`, :class:`OSError`, :class:`TimeoutError` and
        :class:`aiohttp.ClientError`.
        """
        async with _session(client_context(self._destination.authorities)) as session:
            headers = {"Accept": JSON, **await self._authorization(session)}
            async with session.get(
                f"{self._destination.base}/metadata", headers=headers, allow_redirects=False
            ) as response:
                return response.status, await _bounded(response, CAPABILITY)

    async def _post(self, session: aiohttp.ClientSession, bundle: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": JSON, "Accept": JSON, "Prefer": "return=minimal"}
        headers |= await self._authorization(session)
        async with session.post(
            self._destination.base, data=bundle, headers=headers, allow_redirects=False
        ) as response:
            if response.status == 401:
                self._token = None
            body = await _bounded(response)
            return response.status, body

    async def _authorization(self, session: aiohttp.ClientSession) -> dict[str, str]:
        destination = self._destination
        if destination.token_file is not None:
            return _bearer(await _secret(destination.token_file))
        if destination.token_url is None or destination.client_secret_file is None:
            return {}
        if self._token is None or self._token[1] <= time.monotonic():
            secret = await _secret(destination.client_secret_file)
            self._token = await self._granted(session, destination.token_url, secret)
        return _bearer(self._token[0])

    async def _granted(
        self, session: aiohttp.ClientSession, url: str, secret: str
    ) -> tuple[str, float]:
        """Return a token by client credentials (RFC 6749 section 4.4), and when it is old."""
        form = {"grant_type": "client_credentials", "scope": self._destination.scope}
        credentials = aiohttp.encode_basic_auth(self._destination.client_id, secret)
        headers = {"Authorization": credentials}
        async with session.post(url, data=form, headers=headers, allow_redirects=False) as response:
            body = await _bounded(response)
            if response.status != 200:
                raise TokenError(f"no_token {response.status}")
        try:
            found = json.loads(body)
            token, seconds = str(found["access_token"]), float(found.get("expires_in", 60))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise TokenError("no_token") from None
        return token, time.monotonic() + max(0.0, seconds - MARGIN_SECONDS)


def client_context(authorities: Path | None) -> ssl.SSLContext:
    """Return what a server is held against; None: whoever this system trusts.

    Raises :class:`OSError` where the file cannot be used.
    """
    return ssl.create_default_context(cafile=None if authorities is None else str(authorities))


def _session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    patience = aiohttp.ClientTimeout(total=WHOLE_SECONDS, sock_connect=CONNECT_SECONDS)
    connector = aiohttp.TCPConnector(ssl=context)
    return aiohttp.ClientSession(connector=connector, timeout=patience, trust_env=False)


def _judged(status: int, body: bytes, bundle: bytes) -> Sent:
    if status == 200:
        if outcome.all_done(body, len(json.loads(bundle)["entry"])):
            return Sent(objects={"transaction": str(status)}, reason=None)
        return Sent(objects={}, reason="not_confirmed")
    passes = status >= 500 or status in _PASSING
    detail = outcome.told(body, outcome.identifying(bundle))
    return Sent(
        objects={"transaction": str(status)}, reason=f"refused {status}", passes=passes,
        detail=detail,
    )  # fmt: skip


async def _bounded(response: aiohttp.ClientResponse, most: int = MOST) -> bytes:
    found = bytearray()
    async for piece in response.content.iter_chunked(2**16):
        found += piece
        if len(found) > most:
            break
    return bytes(found[:most])


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
