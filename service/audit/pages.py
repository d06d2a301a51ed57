"""``/audit``: the trail for auditors, as a page and as files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from service.audit import export, fhir
from service.audit.contexts import TrailPage
from service.audit.schemas import KINDS, Entry
from service.audit.trail import Trail
from service.http.caching import NO_STORE
from service.http.dependencies import resource
from service.http.problems import Problem
from service.identity.dependencies import Acting
from service.identity.events import Exported
from service.language.locale import N_
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix="/audit", include_in_schema=False)

MOST = 50

TrailDep = Annotated[Trail, Depends(resource(Trail))]


@router.get("")
async def page(
    request: Request, actor: Acting, trail: TrailDep, templates: TemplatesDep
) -> Response:
    """Parameters: ``kind``, one of the vocabulary; ``before``, where the page before ended."""
    kind = request.query_params.get("kind", "")
    if kind and kind not in KINDS:
        raise Problem("invalid_request", N_("There is no such act."))
    before = _place(request.query_params.get("before", ""))
    found = await trail.page(actor, {kind} if kind else (), before, MOST + 1)
    shown = found[:MOST]
    following = None
    if len(found) > MOST:
        asked = {"kind": kind, "before": f"{shown[-1].at}.{shown[-1].id}"}
        following = f"/audit?{urlencode({name: it for name, it in asked.items() if it})}"
    return templates.respond(request, TrailPage.of(shown, kind, following), headers=NO_STORE)


@router.get("/export.csv")
async def table(actor: Acting, trail: TrailDep) -> Response:
    await trail.note(Exported(actor=actor, form="csv"))
    return _file(trail.all(actor), export.line, "csv", "text/csv", export.head())


@router.get("/export.ndjson")
async def events(actor: Acting, trail: TrailDep) -> Response:
    """FHIR R4 AuditEvents, one a line."""
    await trail.note(Exported(actor=actor, form="ndjson"))
    return _file(trail.all(actor), fhir.line, "ndjson", "application/x-ndjson")


def _file(
    entries: AsyncIterator[Entry],
    line: Callable[[Entry], str],
    form: Literal["csv", "ndjson"],
    media_type: str,
    head: str = "",
) -> Response:
    async def lines() -> AsyncIterator[str]:
        yield head
        async for one in entries:
            yield line(one)

    headers = {
        **NO_STORE,
        "Content-Disposition": f'attachment; filename="osteoserve-trail.{form}"',
    }
    return StreamingResponse(lines(), headers=headers, media_type=media_type)


def _place(text: str) -> tuple[int, UUID] | None:
    if not text:
        return None
    at, _, id = text.partition(".")
    try:
        if not at.isascii() or not at.isdigit() or len(at) > 18:
            raise ValueError
        return int(at), UUID(id)
    except ValueError:
        raise Problem("invalid_request", N_("This is no place in the trail.")) from None
