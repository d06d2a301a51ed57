"""``/api/v1/batches``: many images at once, answers as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Annotated, Any, Final
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from service.batches.dependencies import BatchDep, BatchesDep, BatchWorkerDep, NewBatchDep
from service.batches.dependencies import batch as batch_of
from service.batches.quality import Row
from service.batches.schemas import Batch, Closing, Line
from service.batches.service import Batches
from service.batches.spool import finding_room
from service.batches.tables import CSV, XLSX, Sheet, comma_separated
from service.batches.worker import BatchWorker
from service.errors import ServiceError
from service.http.caching import NO_STORE
from service.http.openapi import FILE
from service.http.problem_types import KINDS
from service.http.problems import problems, translate
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.language.locale import current
from service.predictions.schemas import EXAMPLE
from service.storage.errors import UnreadableError

router = APIRouter(prefix="/api/v1/batches", tags=["batches"])

NDJSON: Final = "application/x-ndjson"

_BATCH: Final[dict[str, Any]] = {
    "id": "5d3f7a0e-2f0c-4d5b-8a53-0c6f0b7a9e21",
    "created_at": "2026-02-03T09:41:05.002000Z",
    "state": "finished",
    "total": 1,
    "finished": 1,
    "remaining": [],
}
_LINES: Final[dict[str, Any]] = {
    "content": {
        NDJSON: {
            "schema": {"type": "string", "description": "One JSON object a line."},
            "example": Line.model_validate(
                {"line": 1, "index": 0, "prediction": EXAMPLE, "problem": None}
            ).model_dump_json()
            + "\n"
            + Closing.model_validate({"batch": _BATCH}).model_dump_json()
            + "\n",
        }
    }
}
TABLE: Final = (
    "position,sha256,path,study_uid,image_uid,region,class,fault_probability,faults,status,seconds,"
    "axis_tilt,details\r\n"
    f"1,{EXAMPLE['image']['sha256']},/results/{EXAMPLE['id']},,,lumbar_spine,0,,,Success,0.081,0.0,"
    '"denser_than_neighbours L3 1.33 (1.25 times its neighbours or more, above soft tissue)"\r\n'
)
"""The quality table of :data:`EXAMPLE`, shown in the API documentation; a test holds it."""
_ROWS: Final = 100
"""Of a quality table, read from the database at once."""
_ONE: Final[dict[str, Any]] = {"content": {"application/json": {"example": _BATCH}}}


@router.post(
    "",
    status_code=201,
    summary="Judge many images",
    response_class=StreamingResponse,
    responses={
        201: {
            "description": "A line for each image as it is finished, in that order; then one with "
            "the batch itself. Going away does not stop the batch: read on at `Location`.",
            "headers": {
                "Location": {
                    "description": "Where the batch's progress can be read.",
                    "schema": {"type": "string"},
                }
            },
            **_LINES,
        },
        **problems(400, 403, 404, 408, 413, 415, 422, 500, 503, 507),
    },
)
async def create(
    batch: NewBatchDep, actor: Acting, worker: BatchWorkerDep, batches: BatchesDep
) -> Response:
    """Send images as parts `file` of a form, or one zip archive.

    Batches wait for single requests. If the front ends meanwhile, the state is `interrupted`, and
    `remaining` says which images to send again.
    """
    headers = {**NO_STORE, "Location": f"{router.prefix}/{batch.id}"}
    return StreamingResponse(
        _lines(actor, batch.id, 0, worker, batches, follow=True),
        201,
        headers,
        media_type=NDJSON,
    )


@router.get(
    "/{id}",
    summary="How far a batch has come",
    response_model=Batch,
    responses={200: {"description": "As it is now.", **_ONE}, **problems(404, 500, 503)},
)
async def read(batch: BatchDep, response: Response) -> Batch:
    response.headers.update(NO_STORE)
    return batch


@router.get(
    "/{id}/results",
    summary="Read a batch's lines again",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The lines so far, then one with the batch itself.", **_LINES},
        **problems(404, 422, 500, 503),
    },
)
async def results(
    batch: BatchDep,
    actor: Acting,
    worker: BatchWorkerDep,
    batches: BatchesDep,
    after: Annotated[
        int, Query(ge=0, le=2**31 - 1, description="The number of the last line you have.")
    ] = 0,
) -> Response:
    """After a broken connection: send the `line` you read last and get those behind it."""
    return StreamingResponse(
        _lines(actor, batch.id, after, worker, batches, follow=False),
        headers=NO_STORE,
        media_type=NDJSON,
    )


@router.get(
    "/{id}/quality.csv",
    summary="A batch's quality table for programs",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "A line an image in the order of sending, names of columns first, in "
            "UTF-8. Columns, codes and their order stay as they are; new ones come last.",
            "content": {CSV: {"schema": {"type": "string"}, "example": TABLE}},
        },
        **problems(404, 500, 503),
    },
)
async def quality_csv(batch: BatchDep, actor: Acting, batches: BatchesDep) -> Response:
    """Whether each image was taken well: axis, positioning, foreign objects, motion.

    `fault_probability` is empty: faults are found by rules. Names of files are not in it:
    `position` and `sha256` say which image a line is about.
    """

    async def text() -> AsyncIterator[str]:
        headed = True
        async for rows in _rows(actor, batch, batches):
            yield comma_separated(rows, headed=headed)
            headed = False

    return StreamingResponse(
        text(), headers=_named("osteoserve-quality.csv"), media_type=f"{CSV}; header=present"
    )


@router.get(
    "/{id}/quality.xlsx",
    summary="A batch's quality table as a workbook",
    response_class=Response,
    responses={
        200: {
            "description": "The same rows, with headings and sentences in the language that "
            "`Accept-Language` asks for.",
            "content": {XLSX: {"schema": FILE}},
        },
        **problems(404, 500, 503, 507),
    },
)
async def quality_xlsx(batch: BatchDep, actor: Acting, batches: BatchesDep) -> Response:
    with finding_room(), BytesIO() as file:
        sheet = Sheet(file)
        async for rows in _rows(actor, batch, batches):
            await anyio.to_thread.run_sync(sheet.add, rows)
        await anyio.to_thread.run_sync(sheet.close)
        data = file.getvalue()
    headers = {
        **_named("osteoserve-quality.xlsx"),
        "Content-Language": current().code,
        "Vary": "Accept-Language, Cookie",
    }
    return Response(data, headers=headers, media_type=XLSX)


def _named(name: str) -> dict[str, str]:
    """Return headers of a download. Its name holds nothing of a patient, and not the id: files get
    sent around."""
    return {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}


async def _rows(actor: Actor, batch: Batch, batches: Batches) -> AsyncIterator[list[Row]]:
    """Yield a row for each image of ``batch``, a few at a time, in the order of sending."""
    for first in range(0, batch.total, _ROWS):
        last = min(first + _ROWS, batch.total)
        there = {
            one.line.index: Row.of(told(one.line, batch.id), one.study_uid, one.image_uid)
            for one in await batches.checked(actor, batch.id, first - 1, last - first)
            if one.line.index < last
        }
        yield [there.get(index) or Row.missing(index) for index in range(first, last)]


@router.post(
    "/{id}/cancel",
    summary="Stop a batch",
    response_model=Batch,
    responses={
        200: {"description": "As it is now; images in hand still get a line.", **_ONE},
        **problems(403, 404, 500, 503, 507),
    },
)
async def cancel(batch: BatchDep, response: Response, actor: Acting, batches: BatchesDep) -> Batch:
    """Begin no further image. What is finished stays; a batch that has ended is left as it is."""
    await batches.cancel(actor, batch.id)
    response.headers.update(NO_STORE)
    return await batch_of(batch.id, actor, batches)


async def _lines(
    actor: Actor, id: UUID, after: int, worker: BatchWorker, batches: Batches, *, follow: bool
) -> AsyncIterator[str]:
    async for line in worker.lines(actor, id, after, follow=follow):
        yield told(line, id).model_dump_json() + "\n"
    yield Closing(batch=await batch_of(id, actor, batches)).model_dump_json() + "\n"


def told(line: Line, batch_id: UUID) -> Line:
    """Return ``line`` with its problem as a request of its own would answer it.

    A prediction that was deleted since is a problem by now. Rows of 0.1 hold the whole document.
    """
    kept = line.problem or {}
    if line.prediction is not None or "type" in kept:
        return line
    instance = "/api/v1/predictions"
    error: ServiceError = UnreadableError()
    if kept.get("code") in KINDS and "detail" in kept:
        instance = f"{router.prefix}/{batch_id}"
        error = ServiceError(kept["code"], kept["detail"])
    elif not kept and not line.unreadable:
        error = ServiceError("prediction_not_found", "The result has been deleted.")
    return line.model_copy(update={"problem": translate(error).document(instance)})
