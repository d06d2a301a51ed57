"""Looks whether a FHIR server can be sent results, and says in a sentence what is wrong.

What it is able to do is asked of it ([base]/metadata), with the token that results go with. That a
server shows it says nothing of what the token may write.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from typing import Any, Final

import aiohttp

from service.integration.credentials import TokenError, refused, untold
from service.integration.destinations import FhirDestination
from service.integration.fhir.client import Client
from service.integration.http_client import line
from service.integration.line import FaultError, reach

RELEASE: Final = "4.0"
"""Of R4, as ``fhirVersion`` begins."""


def check(destination: FhirDestination) -> str | None:
    """Return what is wrong with ``destination``, beginning with its name; None: nothing."""
    try:
        reach(line(destination))
        _look(destination, *_asked(destination))
    except FaultError as fault:
        return f"{destination.name} {fault}."
    return None


def _asked(destination: FhirDestination) -> tuple[int, bytes]:
    try:
        return asyncio.run(Client(destination).capability())
    except TokenError as error:
        raise FaultError(untold(destination, error)) from None
    except (aiohttp.ClientSSLError, ssl.SSLError):
        raise FaultError("ends the handshake of TLS when it is asked something") from None
    except (OSError, TimeoutError, aiohttp.ClientError):
        at = " and ".join(filter(None, (destination.token_url, destination.base)))
        raise FaultError(f"breaks off, or gives no answer in time, at {at}") from None


def _look(destination: FhirDestination, status: int, body: bytes) -> None:
    asked = f"{destination.base}/metadata"
    if status in (401, 403):
        raise FaultError(refused(destination, status))
    try:
        found = json.loads(body) if status == 200 else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("resourceType") != "CapabilityStatement":
        raise FaultError(f"answers {status} and no CapabilityStatement at {asked}: correct base")
    version = str(found.get("fhirVersion", ""))
    if not version.startswith(RELEASE):
        raise FaultError(f"speaks FHIR {version[:16] or 'of no version'}, and results are of R4")
    verbs = set(_verbs(found))
    if verbs and "transaction" not in verbs:
        raise FaultError("says that it takes no transactions")


def _verbs(found: dict[str, Any]) -> Iterator[str]:
    """Return what the whole server is able to do; none where it does not say."""
    rest = found.get("rest")
    for one in rest if isinstance(rest, list) else ():
        said = one.get("interaction") if isinstance(one, dict) else None
        for verb in said if isinstance(said, list) else ():
            if isinstance(verb, dict):
                yield str(verb.get("code", ""))
