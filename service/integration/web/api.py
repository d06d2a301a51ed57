"""``/dicom-web``: STOW-RS in, QIDO-RS and WADO-RS on results (PS3.18).

An address says no more of a patient than UIDs do.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from service.errors import ServiceError
from service.http.caching import NO_STORE
from service.http.dependencies import resource
from service.http.multipart import MultipartError
from service.http.negotiation import weight
from service.http.problems import Problem
from service.http.related import Part, parts
from service.http.upload import limited
from service.identity.dependencies import Acting
from service.integration.settings import GatewaySettings
from service.integration.web.dependencies import (
    DicomResultsDep,
    DicomWebSettingsDep,
    StowDep,
    spoken,
)
from service.integration.web.schemas import Level, sought, uid
from service.integration.web.settings import DicomWebSettings
from service.integration.web.stow import FILE, Stored
from service.language.locale import N_

router = APIRouter(prefix="/dicom-web", include_in_schema=False, dependencies=[Depends(spoken)])

JSON: Final = "application/dicom+json"
RELATED: Final = "multipart/related"
_AGAIN: Final = {"Retry-After": "10"}


@router.post("/studies")
@router.post("/studies/{study}")
async def store(
    request: Request,
    actor: Acting,
    stow: StowDep,
    settings: DicomWebSettingsDep,
    study: str | None = None,
    gateway: GatewaySettings = Depends(resource(GatewaySettings)),  # noqa: B008 - FastAPI's way
) -> Response:
    """Store objects: 200 all of them, 202 some, 409 none, 503 none for the time being."""
    accepts(request, JSON, "application/json")
    wanted = None if study is None else uid(study)
    stored, fault = Stored(), None
    try:
        async with asyncio.timeout(settings.dicomweb_seconds):
            sent = _sent(request, settings, gateway.gateway_object_bytes)
            await stow.store(actor, sent, stored, wanted)
    except TimeoutError:
        fault = ServiceError(
            "upload_timeout",
            f"The request took more than {settings.dicomweb_seconds:g} seconds to be sent.",
        )
    except MultipartError as error:
        fault = ServiceError("malformed_upload", f"The multipart body cannot be parsed: {error}.")
    except ServiceError as error:
        fault = error
    if fault is not None and not stored.kept:
        raise fault
    if not stored.kept and not stored.failures:
        raise ServiceError("malformed_upload", "The request holds no part.")
    # What was kept before the fault is kept: its sender has to know. The rest it sends again.
    status = stored.status if fault is None else 202
    headers = {**NO_STORE, **(_AGAIN if status == 503 else {})}
    return JSONResponse(stored.document(), status, headers, JSON)


async def _sent(request: Request, settings: DicomWebSettings, largest: int) -> AsyncIterator[Part]:
    """Yield what the request holds, as ``multipart/related`` or as one file."""
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    body = limited(request, settings.dicomweb_bytes, settings.dicomweb_bytes)
    if kind == FILE:
        part = Part(FILE)
        async for chunk in body:
            part.too_large = part.too_large or len(part.data) + len(chunk) > largest
            if not part.too_large:
                part.data += chunk
        yield part
    elif kind == RELATED:
        async for part in parts(content_type, body, most=settings.dicomweb_parts, largest=largest):
            if part.content_type not in ("", FILE):
                raise _unsupported()
            yield part
    else:
        raise _unsupported()


def _unsupported() -> ServiceError:
    return ServiceError(
        "unsupported_media_type",
        N_('DICOM files are taken, as multipart/related; type="application/dicom", or one alone.'),
    )


def accepts(request: Request, *kinds: str) -> None:
    """Raise where the request takes none of ``kinds``."""
    header = request.headers.get("accept", "")
    if not any(weight(header, kind) > 0 for kind in kinds):
        raise Problem(
            "not_acceptable",
            f"This is answered as {kinds[0]}.",
        )


async def _search(
    request: Request, actor: Acting, results: DicomResultsDep, level: Level, **path: str
) -> Response:
    accepts(request, JSON, "application/json")
    asked = sought(request.query_params.multi_items(), **path)
    found = await results.search(actor, asked, level, request.scope["route"].path)
    return JSONResponse(found, 200, NO_STORE, JSON)


@router.get("/studies")
async def studies(request: Request, actor: Acting, results: DicomResultsDep) -> Response:
    return await _search(request, actor, results, "study")


@router.get("/studies/{study}/series")
async def series_of(
    request: Request, actor: Acting, results: DicomResultsDep, study: str
) -> Response:
    return await _search(request, actor, results, "series", study=study)


@router.get("/studies/{study}/instances")
async def instances_of(
    request: Request, actor: Acting, results: DicomResultsDep, study: str
) -> Response:
    return await _search(request, actor, results, "instance", study=study)


@router.get("/studies/{study}/series/{series}/instances")
async def instances_in(
    request: Request, actor: Acting, results: DicomResultsDep, study: str, series: str
) -> Response:
    return await _search(request, actor, results, "instance", study=study, series=series)


async def _metadata(
    request: Request, actor: Acting, results: DicomResultsDep, **path: str
) -> Response:
    accepts(request, JSON, "application/json")
    asked = sought((), **path)
    uids = await results.named(actor, asked, request.scope["route"].path)
    return JSONResponse(await results.metadata(actor, uids), 200, NO_STORE, JSON)


async def _retrieve(
    request: Request, actor: Acting, results: DicomResultsDep, **path: str
) -> Response:
    alone = "instance" in path
    accepts(request, RELATED, *([FILE] if alone else []))
    asked = sought((), **path)
    uids = await results.named(actor, asked, request.scope["route"].path)
    header = request.headers.get("accept", "")
    if alone and weight(header, FILE) > weight(header, RELATED):
        files = [one async for one in results.files(actor, uids)]
        if not files:
            raise ServiceError("not_found", "No result that is kept has this address.")
        return Response(files[0], 200, NO_STORE, FILE)
    boundary = secrets.token_hex(16)

    async def body() -> AsyncIterator[bytes]:
        head = f"--{boundary}\r\nContent-Type: {FILE}\r\n\r\n".encode()
        async for one in results.files(actor, uids):
            yield head + one + b"\r\n"
        yield f"--{boundary}--\r\n".encode()

    kind = f'{RELATED}; type="{FILE}"; boundary={boundary}'
    return StreamingResponse(body(), 200, NO_STORE, kind)


@router.get("/studies/{study}/metadata")
async def study_metadata(
    request: Request, actor: Acting, results: DicomResultsDep, study: str
) -> Response:
    return await _metadata(request, actor, results, study=study)


@router.get("/studies/{study}/series/{series}/metadata")
async def series_metadata(
    request: Request, actor: Acting, results: DicomResultsDep, study: str, series: str
) -> Response:
    return await _metadata(request, actor, results, study=study, series=series)


@router.get("/studies/{study}/series/{series}/instances/{instance}/metadata")
async def instance_metadata(
    request: Request, actor: Acting, results: DicomResultsDep, study: str, series: str,
    instance: str,
) -> Response:  # fmt: skip
    return await _metadata(
        request, actor, results, study=study, series=series, instance=instance
    )  # fmt: skip


@router.get("/studies/{study}")
async def retrieve_study(
    request: Request, actor: Acting, results: DicomResultsDep, study: str
) -> Response:
    return await _retrieve(request, actor, results, study=study)


@router.get("/studies/{study}/series/{series}")
async def retrieve_series(
    request: Request, actor: Acting, results: DicomResultsDep, study: str, series: str
) -> Response:
    return await _retrieve(request, actor, results, study=study, series=series)


@router.get("/studies/{study}/series/{series}/instances/{instance}")
async def retrieve_instance(
    request: Request, actor: Acting, results: DicomResultsDep, study: str, series: str,
    instance: str,
) -> Response:  # fmt: skip
    return await _retrieve(
        request, actor, results, study=study, series=series, instance=instance
    )  # fmt: skip
