"""The pages of batches."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.batches.api import Known, begin, told
from service.batches.contexts import BatchPage, BulkPage
from service.http.caching import NO_STORE
from service.state import Acting, Opened

pages = APIRouter(include_in_schema=False)


@pages.get("/bulk")
async def form(request: Request, state: Opened) -> Response:
    size = state.settings.bulk_bytes
    page = BulkPage(
        max_items=state.settings.bulk_items,
        max_size=size.human_readable(separator=" ").replace(".0 ", " "),
        max_bytes=int(size),
    )
    return state.pages.respond(request, page)


@pages.post("/bulk")
async def send(request: Request, actor: Acting, state: Opened) -> Response:
    batch = await begin(request, actor, state)
    return RedirectResponse(f"/bulk/{batch.id}", 303)


@pages.get("/bulk/{id}")
async def progress(request: Request, batch: Known, state: Opened) -> Response:
    lines = [told(line, batch.id) async for line in state.bulk.lines(batch.id)]
    return state.pages.respond(request, BatchPage.of(batch, lines), headers=NO_STORE)


@pages.post("/bulk/{id}/cancel")
async def cancel(batch: Known, actor: Acting, state: Opened) -> Response:
    await state.batches.cancel(actor, batch.id)
    return RedirectResponse(f"/bulk/{batch.id}", 303)
