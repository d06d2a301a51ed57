"""The pages of batches."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.batches.api import quality_csv, quality_xlsx, told
from service.batches.contexts import BatchPage, BulkPage
from service.batches.dependencies import (
    BatchDep,
    BatchesDep,
    BatchLimitsDep,
    BatchWorkerDep,
    NewBatchDep,
)
from service.http.caching import NO_STORE
from service.identity.dependencies import Acting
from service.predictions.dependencies import KeepingDep
from service.web.dependencies import TemplatesDep

pages = APIRouter(include_in_schema=False)


@pages.get("/bulk")
async def form(
    request: Request, limits: BatchLimitsDep, keeping: KeepingDep, templates: TemplatesDep
) -> Response:
    size = limits.bulk_bytes
    page = BulkPage(
        max_items=limits.bulk_items,
        max_size=size.human_readable(separator=" ").replace(".0 ", " "),
        max_bytes=int(size),
        keeps_names=keeping.keep_file_names,
    )
    return templates.respond(request, page)


@pages.post("/bulk")
async def send(batch: NewBatchDep) -> Response:
    return RedirectResponse(f"/bulk/{batch.id}", 303)


@pages.get("/bulk/{id}")
async def progress(
    request: Request,
    batch: BatchDep,
    actor: Acting,
    worker: BatchWorkerDep,
    templates: TemplatesDep,
) -> Response:
    lines = [told(line, batch.id) async for line in worker.lines(actor, batch.id)]
    return templates.respond(request, BatchPage.of(batch, lines), headers=NO_STORE)


@pages.post("/bulk/{id}/cancel")
async def cancel(batch: BatchDep, actor: Acting, batches: BatchesDep) -> Response:
    await batches.cancel(actor, batch.id)
    return RedirectResponse(f"/bulk/{batch.id}", 303)


pages.add_api_route("/bulk/{id}/quality.csv", quality_csv)
pages.add_api_route("/bulk/{id}/quality.xlsx", quality_xlsx)
