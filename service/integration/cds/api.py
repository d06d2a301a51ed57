"""``/cds-services``: CDS Hooks 2.0 for records (https://cds-hooks.hl7.org/2.0)."""

from __future__ import annotations

import json
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from service.errors import ServiceError
from service.http.caching import NO_STORE
from service.http.upload import limited
from service.identity.dependencies import Acting
from service.integration.cds import schemas
from service.integration.cds.clients import Clients
from service.integration.cds.dependencies import (
    CdsHooksDep,
    ClientsDep,
    RecordsDep,
    ServiceId,
    answered,
)
from service.language.locale import N_

PREFIX: Final = "/cds-services"
MOST_BYTES: Final = 2**20
router = APIRouter(prefix=PREFIX, include_in_schema=False, dependencies=[Depends(answered)])

_UNKNOWN: Final = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "required",
            "diagnostics": "The patient was not prefetched, and cannot be asked for.",
        }
    ],
}


@router.get("")
async def services(request: Request, clients: ClientsDep) -> Response:
    """Tell which hooks are answered."""
    headers = {**NO_STORE, **_shared(request, clients)}
    return JSONResponse({"services": list(schemas.SERVICES)}, 200, headers)


@router.post("/{id}")
async def call(
    request: Request,
    actor: Acting,
    id: ServiceId,
    hooks: CdsHooksDep,
    clients: ClientsDep,
    records: RecordsDep,
) -> Response:
    """Answer a hook with cards; 412 where nobody can say who the patient is."""
    headers = {**NO_STORE, **_shared(request, clients)}
    asked = schemas.call(id, await _object(request))
    client = clients.of(actor)
    patient = asked.patient
    if patient is None:
        try:
            patient = await records.patient(client, asked)
        except schemas.PrefetchError:
            return JSONResponse(_UNKNOWN, 412, headers)
    found = await hooks.cards(actor, client, id, asked, patient)
    return JSONResponse({"cards": found}, 200, headers)


@router.post("/{id}/feedback")
async def feedback(
    request: Request, actor: Acting, id: ServiceId, hooks: CdsHooksDep, clients: ClientsDep
) -> Response:
    """Keep what became of cards."""
    await hooks.answered(actor, id, schemas.feedback(await _object(request)))
    return Response(None, 200, {**NO_STORE, **_shared(request, clients)})


@router.options("")
@router.options("/{id}")
@router.options("/{id}/feedback")
async def preflight(request: Request, clients: ClientsDep) -> Response:
    """Tell a browser whether a page of a record may call."""
    return Response(None, 204, {**NO_STORE, **_shared(request, clients)})


def _shared(request: Request, clients: Clients) -> dict[str, str]:
    origin = request.headers.get("origin")
    if origin is None or origin not in clients.origins:
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "600",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Vary": "Origin",
    }


async def _object(request: Request) -> dict[str, Any]:
    body = b"".join([chunk async for chunk in limited(request, MOST_BYTES, MOST_BYTES)])
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ServiceError("malformed_body", N_("The body is not a JSON object in UTF-8."))
    return found
