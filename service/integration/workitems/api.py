"""``/dicom-web/workitems``: UPS-RS (PS3.18 section 11), as worklist and as performer.

An address says no more of a patient than UIDs do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from service.errors import ServiceError
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.http.upload import limited
from service.identity.dependencies import Acting
from service.integration.ledger.schemas import WorkitemState
from service.integration.web.api import JSON, accepts
from service.integration.web.dependencies import DicomWebSettingsDep, spoken
from service.integration.web.settings import DicomWebSettings
from service.integration.workitems import query
from service.integration.workitems.dependencies import HereDep, WorkitemsDep, WorkitemUid
from service.integration.workitems.document import MOST_BYTES, DocumentError, parse, tag, text
from service.integration.workitems.schemas import (
    MODIFIED,
    NO_FILTER,
    WORDS,
    Item,
    RefusedError,
    invalid,
)
from service.integration.workitems.telling import told

router = APIRouter(
    prefix="/dicom-web/workitems", include_in_schema=False, dependencies=[Depends(spoken)]
)

FILTERED: Final = "1.2.840.10008.5.1.4.34.5.1"
"""The address of all items that a filter fits."""
_AGENT: Final = "299 osteoserve:"


@router.post("")
async def create(
    request: Request, actor: Acting, workitems: WorkitemsDep, settings: DicomWebSettingsDep
) -> Response:
    """Keep a new item, under the UID that the address or the item names, else under one of ours."""
    with _warned():
        named = query.created_as(request.query_params.multi_items())
        item = await _item(request, settings)
        said = text(item, "SOPInstanceUID") or None
        if named is not None and said not in (None, named):
            raise invalid("SOPInstanceUID is another than the address names.")
        uid, modified = await workitems.create(actor, named or said, item)
    headers = {**NO_STORE, "Location": f"{router.prefix}/{uid}"}
    return Response(None, 201, {**headers, **(_warning(MODIFIED) if modified else {})})


@router.get("")
async def search(
    request: Request, actor: Acting, workitems: WorkitemsDep, here: HereDep
) -> Response:
    """Return the items that match: 204, there is none."""
    accepts(request, JSON, "application/json")
    sought = query.sought(request.query_params.multi_items())
    found = await workitems.search(actor, sought, request.scope["route"].path)
    if not found:
        return Response(None, 204, NO_STORE)
    return JSONResponse([told(one, here) for one in found], 200, NO_STORE, JSON)


@router.get("/{workitem}")
async def retrieve(
    request: Request, actor: Acting, workitems: WorkitemsDep, uid: WorkitemUid, here: HereDep
) -> Response:
    accepts(request, JSON, "application/json")
    found = await workitems.get(actor, uid, request.scope["route"].path)
    return JSONResponse([told(found, here)], 200, NO_STORE, JSON)


@router.post("/{workitem}")
async def update(
    request: Request,
    actor: Acting,
    workitems: WorkitemsDep,
    uid: WorkitemUid,
    settings: DicomWebSettingsDep,
) -> Response:
    """Change what an item says."""
    with _warned():
        given = query.transaction(request.query_params.multi_items())
        changes = await _item(request, settings)
        if text(changes, "SOPInstanceUID") not in ("", uid):
            raise invalid("SOPInstanceUID is another than the address names.")
        within = text(changes, "TransactionUID") or None
        if given is not None and within not in (None, given):
            raise invalid("TransactionUID is another than the address names.")
        await workitems.update(actor, uid, changes, given or within)
    return Response(None, 200, NO_STORE)


@router.put("/{workitem}/state")
async def change_state(
    request: Request,
    actor: Acting,
    workitems: WorkitemsDep,
    uid: WorkitemUid,
    settings: DicomWebSettingsDep,
) -> Response:
    """Claim, complete or cancel an item."""
    with _warned():
        asked = await _item(request, settings)
        given = text(asked, "TransactionUID") or None
        warning = await workitems.change(actor, uid, _wanted(asked), given)
    return Response(None, 200, {**NO_STORE, **({} if warning is None else _warning(warning))})


@router.post("/{workitem}/cancelrequest")
async def request_cancellation(
    request: Request,
    actor: Acting,
    workitems: WorkitemsDep,
    uid: WorkitemUid,
    settings: DicomWebSettingsDep,
) -> Response:
    """Cancel an item that nobody has begun."""
    with _warned():
        said = await _item(request, settings, may_be_empty=True)
        warning = await workitems.cancel(actor, uid, said)
    return Response(None, 202, {**NO_STORE, **({} if warning is None else _warning(warning))})


@router.post("/{workitem}/subscribers/{aet}")
async def subscribe(workitem: str) -> Response:
    """Refuse: no events are reported."""
    headers = _warning(NO_FILTER) if workitem == FILTERED else {}
    raise Problem("no_subscriptions", "No events of work items are reported here.", headers)


@router.delete("/{workitem}/subscribers/{aet}")
async def unsubscribe() -> Response:
    """Refuse: there is no subscription."""
    raise ServiceError("not_found", "There is no subscription here.")


async def _item(
    request: Request, settings: DicomWebSettings, *, may_be_empty: bool = False
) -> Item:
    """Return the data set that a request holds."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(settings.dicomweb_seconds):
            body = b"".join([one async for one in limited(request, MOST_BYTES, MOST_BYTES)])
    except TimeoutError:
        raise ServiceError(
            "upload_timeout",
            f"The request took more than {settings.dicomweb_seconds:g} seconds to be sent.",
        ) from None
    if may_be_empty and not body.strip():
        return {}
    if kind not in (JSON, "application/json"):
        raise ServiceError("unsupported_media_type", f"Work items are taken as {JSON}.")
    try:
        return parse(body)
    except DocumentError as error:
        raise invalid(str(error)) from None


def _wanted(asked: Item) -> WorkitemState:
    word = text(asked, "ProcedureStepState")
    for state, known in WORDS.items():
        if known == word and state != "scheduled":
            return state
    raise invalid(f"{tag('ProcedureStepState')} is IN PROGRESS, COMPLETED or CANCELED.")


def _warning(said: str) -> dict[str, str]:
    return {"Warning": f"{_AGENT} {said}"}


@contextmanager
def _warned() -> Iterator[None]:
    """Answer what is refused with the header that the standard has for it."""
    try:
        yield
    except RefusedError as error:
        headers = {} if error.warning is None else _warning(error.warning)
        raise Problem(error.code, error.detail, headers) from None
