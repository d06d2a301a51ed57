"""``/api/v1/batches``: many images at once, answers as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from service.batches.dependencies import BatchesDep, NewBatchDep, BatchWorkerDep, BatchDep, known
from service.batches.schemas import Batch, Closing, Line
from service.batches.service import Batches
from service.batches.worker import BatchWorker
from service.errors import ServiceError
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.http.problems import problems, translate
from service.identity.actor import Actor
from service.identity.dependencies import Acting
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
        **problems(400, 403, 408, 413, 415, 422, 500, 503, 507),
    },
)
async def create(batch: NewBatchDep, actor: Acting, worker: BatchWorkerDep, batches: BatchesDep) -> Response:
    """Send images as parts `file` of a form, or one zip archive. Names of files are not kept.

    Batches wait for single requests. If the front ends meanwhile, the state is `interrupted`, and
    `remaining` says which images to send again.
    """
    headers = {**NO_STORE, "Location": f"{router.prefix}/{batch.id}"}
    return StreamingResponse(
        _lines(actor, batch.id, 0, bulk, batches, follow=True), 201, headers, media_type=NDJSON
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
        _lines(actor, batch.id, after, bulk, batches, follow=False),
        headers=NO_STORE,
        media_type=NDJSON,
    )


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
    return await known(batch.id, actor, batches)


async def _lines(
    actor: Actor, id: UUID, after: int, worker: BatchWorker, batches: Batches, *, follow: bool
) -> AsyncIterator[str]:
    async for line in worker.lines(actor, id, after, follow=follow):
        yield told(line, id).model_dump_json() + "\n"
    yield Closing(batch=await known(id, actor, batches)).model_dump_json() + "\n"


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
