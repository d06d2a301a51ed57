"""Where a FHIR server gives tokens, as it says itself (SMART App Launch 2.2, Conformance)."""

from __future__ import annotations

import json
from typing import Final

import aiohttp

from service.identity.oidc.client import is_address
from service.integration.http_client import bounded

WELL_KNOWN: Final = "/.well-known/smart-configuration"


class ConfigurationError(Exception):
    """The server names no token endpoint that could be asked; the message is the reason."""


async def token_endpoint(session: aiohttp.ClientSession, base: str, algorithm: str) -> str:
    """Return where the server at ``base`` gives tokens to who signs by ``algorithm``.

    Raises :class:`ConfigurationError`, and what :mod:`aiohttp` raises.
    """
    async with session.get(
        base + WELL_KNOWN, headers={"Accept": "application/json"}, allow_redirects=False
    ) as response:
        body = await bounded(response)
        if response.status != 200:
            raise ConfigurationError("no_token_endpoint")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ConfigurationError("no_token_endpoint")
    known = found.get("token_endpoint_auth_signing_alg_values_supported")
    if isinstance(known, list) and algorithm not in known:
        raise ConfigurationError("no_such_algorithm")
    endpoint = found.get("token_endpoint")
    # What is sent there is signed for it alone, and opens nothing elsewhere.
    if not is_address(endpoint, base):
        raise ConfigurationError("no_token_endpoint")
    return str(endpoint)
