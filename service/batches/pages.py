"""The pages of batches."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.batches.api import quality_csv, quality_xlsx, told
from service.batches.contexts import SHOWN, BatchPage, BulkPage, SentRow
from service.batches.dependencies import (
    BatchDep,
    BatchesDep,
    BatchLimitsDep,
    BatchWorkerDep,
    NewBatchDep,
)
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.identity.dependencies import Acting
from service.language.locale import N_
from service.predictions.dependencies import KeepingDep
from service.web.dependencies import TemplatesDep

pages = APIRouter(include_in_schema=False)

_LISTED = 20
"""Of one's own batches, below the form."""


@pages.get("/bulk")
async def form(
    request: Request,
    actor: Acting,
    batches: BatchesDep,
    limits: BatchLimitsDep,
    keeping: KeepingDep,
    templates: TemplatesDep,
) -> Response:
    size = limits.bulk_bytes
    page = BulkPage(
        max_items=limits.bulk_items,
        max_size=size.human_readable(separator=" ").replace(".0 ", " "),
        max_bytes=int(size),
        keeps_names=keeping.keep_file_names,
        sent=tuple(SentRow.of(one) for one in await batches.sent(actor, _LISTED)),
    )
    return templates.respond(request, page, headers=NO_STORE)


@pages.post("/bulk")
async def send(batch: NewBatchDep) -> Response:
    return RedirectResponse(f"/bulk/{batch.id}", 303)


@pages.get("/bulk/{id}")
async def progress(
    request: Request,
    batch: BatchDep,
    actor: Acting,
    worker: BatchWorkerDep,
    batches: BatchesDep,
    templates: TemplatesDep,
) -> Response:
    """Parameter: ``show``, one of :data:`~service.batches.contexts.SHOWN`."""
    show = request.query_params.get("show", "")
    if show not in SHOWN:
        raise Problem("invalid_request", N_("A batch has no such images."))
    lines = [told(line, batch.id) async for line in worker.lines(actor, batch.id)]
    page = BatchPage.of(batch, lines, await batches.names(actor, batch.id), show)
    return templates.respond(request, page, headers=NO_STORE)


@pages.post("/bulk/{id}/cancel")
async def cancel(batch: BatchDep, actor: Acting, batches: BatchesDep) -> Response:
    await batches.cancel(actor, batch.id)
    return RedirectResponse(f"/bulk/{batch.id}", 303)


pages.add_api_route("/bulk/{id}/quality.csv", quality_csv)
pages.add_api_route("/bulk/{id}/quality.xlsx", quality_xlsx)
