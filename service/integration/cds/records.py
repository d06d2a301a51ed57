"""Asks a record's FHIR server for the patient, where the call has not brought one along."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from service.integration.cds.clients import Client
from service.integration.cds.schemas import Call, PrefetchError

SECONDS: Final = 3.0
MOST_BYTES: Final = 2**20


class Records:
    """``aclose`` it in the end."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=SECONDS), trust_env=False
        )

    async def aclose(self) -> None:
        await self._session.close()

    async def patient(self, client: Client | None, call: Call) -> Mapping[str, Any]:
        """Return the patient of a call: from the client's own server alone, whatever it names.

        Raises :class:`~service.integration.cds.schemas.PrefetchError`.
        """
        server = client.fhir if client is not None else None
        if server is None or call.fhir_server is None:
            raise PrefetchError
        if call.fhir_server.rstrip("/") != server.rstrip("/"):
            raise PrefetchError
        headers = {"Accept": "application/fhir+json"}
        if call.token is not None:
            headers["Authorization"] = f"Bearer {call.token}"
        url = f"{server.rstrip('/')}/Patient/{call.patient_id}"
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
                body = await answer.content.read(MOST_BYTES + 1)
                if answer.status != 200 or len(body) > MOST_BYTES:
                    raise PrefetchError
                found = json.loads(body)
        except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError):
            raise PrefetchError from None
        if not isinstance(found, dict) or found.get("resourceType") != "Patient":
            raise PrefetchError
        return found
