"""How destinations are spoken to by HTTP: within bounds of time and size, and nowhere else.

Redirects are for callers to refuse: what goes with a request is meant for one server.
"""

from __future__ import annotations

import ssl
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from service.integration.destinations import HttpDestination
from service.integration.line import Line

CONNECT_SECONDS: Final = 5.0
MOST: Final = 2**20
"""Bytes of an answer that are read."""


def client_context(destination: HttpDestination) -> ssl.SSLContext:
    """Return what a server is held against, and shown: its authorities, or whoever this system
    trusts.

    Raises :class:`OSError` where a file cannot be used.
    """
    authorities = destination.authorities
    context = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if destination.certificate is not None:
        context.load_cert_chain(destination.certificate, destination.key)
    return context


def session(context: ssl.SSLContext, seconds: float) -> aiohttp.ClientSession:
    """Return a session in which each request, with its answer, takes at most ``seconds``."""
    patience = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
    connector = aiohttp.TCPConnector(ssl=context)
    return aiohttp.ClientSession(connector=connector, timeout=patience, trust_env=False)


async def bounded(response: aiohttp.ClientResponse, most: int = MOST) -> bytes:
    """Return what is answered, as far as ``most`` bytes."""
    found = bytearray()
    async for piece in response.content.iter_chunked(2**16):
        found += piece
        if len(found) > most:
            break
    return bytes(found[:most])


def no_answer(error: TimeoutError | aiohttp.ClientError) -> str:
    """Return why there is none, as the ledger keeps it."""
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    return "unreachable" if isinstance(error, aiohttp.ClientConnectorError) else "no_answer"


def line(destination: HttpDestination) -> Line:
    """Return where connections to a destination go."""
    parts = urlsplit(destination.base)
    secured = parts.scheme == "https"
    return Line(
        host=parts.hostname or "",
        port=parts.port or (443 if secured else 80),
        context=(lambda: client_context(destination)) if secured else None,
        authorities=destination.authorities if secured else None,
        certificate=destination.certificate,
        key=destination.key,
    )
