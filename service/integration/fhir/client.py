"""Sends a transaction to a FHIR server, and says what became of it.

What a server refuses is a mistake of configuration and is tried no more, with what it said beside
it; what it cannot do now is tried again.
"""

from __future__ import annotations

import json
import ssl
from typing import Final

import aiohttp

from service.integration.credentials import Credentials, TokenError
from service.integration.destinations import FhirDestination
from service.integration.fhir import outcome
from service.integration.http_client import bounded, client_context, no_answer, session
from service.integration.ledger.schemas import Sent
from service.integration.statuses import PASSING_HTTP

WHOLE_SECONDS: Final = 30.0
CAPABILITY: Final = 2**25
"""Bytes of what a server is able to do, which with many profiles is megabytes."""
JSON: Final = "application/fhir+json"
_PASSING: Final = (*PASSING_HTTP, 409)
"""Beside 5xx: a conflict may be over."""


class Client:
    """Of one destination."""

    def __init__(self, destination: FhirDestination) -> None:
        self._destination = destination
        self._credentials = Credentials(destination)

    async def send(self, bundle: bytes) -> Sent:
        """Post the transaction ``bundle``; return what became of it."""
        try:
            context = client_context(self._destination)
        except (OSError, ssl.SSLError):
            return Sent(objects={}, reason="certificate_unreadable")
        try:
            async with session(context, WHOLE_SECONDS) as opened:
                status, body = await self._post(opened, bundle)
        except TokenError as error:
            return Sent(objects={}, reason=str(error))
        except (TimeoutError, aiohttp.ClientError) as error:
            return Sent(objects={}, reason=no_answer(error))
        return _judged(status, body, bundle)

    async def capability(self) -> tuple[int, bytes]:
        """Ask what the server is able to do; return status and body.

        Raises :class:`~service.integration.credentials.TokenError`, :class:`OSError`,
        :class:`TimeoutError` and :class:`aiohttp.ClientError`.
        """
        async with session(client_context(self._destination), WHOLE_SECONDS) as opened:
            headers = {"Accept": JSON, **await self._credentials.headers(opened)}
            async with opened.get(
                f"{self._destination.base}/metadata", headers=headers, allow_redirects=False
            ) as response:
                return response.status, await bounded(response, CAPABILITY)

    async def _post(self, opened: aiohttp.ClientSession, bundle: bytes) -> tuple[int, bytes]:
        status, body = await self._posted(opened, bundle)
        # A token may be over before the time that it was given for: once, with another.
        if status == 401 and self._credentials.forget():
            status, body = await self._posted(opened, bundle)
            if status == 401:
                self._credentials.forget()
        return status, body

    async def _posted(self, opened: aiohttp.ClientSession, bundle: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": JSON, "Accept": JSON, "Prefer": "return=minimal"}
        headers |= await self._credentials.headers(opened)
        async with opened.post(
            self._destination.base, data=bundle, headers=headers, allow_redirects=False
        ) as response:
            return response.status, await bounded(response)


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
