"""The HTTP client of the identity provider: its own addresses alone, bounded in time and size."""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import anyio.to_thread
from yarl import URL

from service.identity.settings import is_loopback

SECONDS: Final = 5.0
"""For one answer as a whole, its connection included."""
CONNECT_SECONDS: Final = 3.0
LONGEST: Final = 2**20
"""Bytes of an answer: an id_token may name hundreds of groups."""


class NoAnswerError(Exception):
    """There is no answer, or it is none that could be read."""


@dataclass(frozen=True)
class Answer:
    status: int
    document: Mapping[str, Any]


class Client:
    """Every method raises :class:`NoAnswerError`. Redirects are followed nowhere."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def open(cls, ca_file: Path | None) -> AsyncIterator[Client]:
        """Yield a client; ``ca_file`` holds the authorities where they are not the system's.

        Raises OSError where that file cannot be read.
        """
        trusted = await anyio.to_thread.run_sync(_trusted, ca_file)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusted, force_close=True),
            timeout=aiohttp.ClientTimeout(total=SECONDS, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        ) as session:
            yield cls(session)

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """Return the JSON object at ``url``."""
        answer = await self._ask("GET", url, headers=dict(headers or {}))
        if answer.status != HTTPStatus.OK:
            raise NoAnswerError(f"status {answer.status}")
        return answer.document

    async def post(self, url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Return what a form with ``fields`` is answered; one below 500 is an answer."""
        answer = await self._ask("POST", url, data=dict(fields), headers=dict(headers))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NoAnswerError(f"status {answer.status}")
        return answer

    async def _ask(self, method: str, url: str, **more: Any) -> Answer:
        try:
            async with self._session.request(
                method, URL(url, encoded=True), allow_redirects=False, **more
            ) as response:
                body = b""
                async for chunk in response.content.iter_chunked(2**16):
                    body += chunk
                    if len(body) > LONGEST:
                        raise NoAnswerError("more than is read of an answer")
                if 300 <= response.status < 400:
                    raise NoAnswerError("a redirect")
                return Answer(response.status, _object(body))
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise NoAnswerError(type(error).__name__) from error


def is_address(url: object, issuer: str) -> bool:
    """Whether ``url`` is one that the provider ``issuer`` may name: https, or http as its own is.

    A provider elsewhere has no business with this machine's own addresses.
    """
    if not isinstance(url, str) or len(url) > 2000 or not url.isascii() or not url.isprintable():
        return False
    try:
        parts, own = urlsplit(url), urlsplit(issuer)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment or " " in url or "\\" in url:
        return False
    at_home = is_loopback(own.hostname or "")
    if not at_home and _is_of_this_machine(host):
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" == own.scheme and at_home and is_loopback(host)
    )


def _is_of_this_machine(host: str) -> bool:
    if is_loopback(host) or host.lower().endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found.is_link_local or found.is_unspecified or found.is_multicast


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body, parse_constant=_no_number)
    except RecursionError:
        raise NoAnswerError("nested too deeply") from None
    if not isinstance(found, dict):
        raise NoAnswerError("no JSON object")
    return found


def _no_number(name: str) -> float:
    raise ValueError(name)
