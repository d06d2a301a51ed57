"""FastAPI dependencies of batches."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from service.batches.rest import without
from service.batches.schemas import Batch
from service.batches.service import Batches
from service.batches.settings import BatchLimits
from service.batches.upload import receive
from service.batches.worker import BatchWorker
from service.errors import ServiceError
from service.http.declared import ZIP
from service.http.dependencies import UploadLimitsDep, resource
from service.http.ids import path_id
from service.http.openapi import FILE, describes
from service.http.upload import file_content
from service.identity.dependencies import Acting

BatchesDep = Annotated[Batches, Depends(resource(Batches))]
BatchLimitsDep = Annotated[BatchLimits, Depends(resource(BatchLimits))]
BatchWorkerDep = Annotated[BatchWorker, Depends(resource(BatchWorker))]


def no_such_batch() -> ServiceError:
    return ServiceError("batch_not_found", "There is no batch with this id.")


BatchId = Annotated[UUID, Depends(path_id(no_such_batch))]


async def batch(id: BatchId, actor: Acting, batches: BatchesDep) -> Batch:
    found = await batches.get(actor, id)
    if found is None:
        raise no_such_batch()
    return found


BatchDep = Annotated[Batch, Depends(batch)]
"""The batch that the path names; one that was never begun, or is not theirs to see, is a 404."""


@describes(
    body=file_content(
        {
            "type": "array",
            "minItems": 1,
            "items": FILE,
            "description": "The images, each in a part of this name; or one zip file.",
        },
        (ZIP,),
    )
)
async def new_batch(
    request: Request,
    actor: Acting,
    worker: BatchWorkerDep,
    batches: BatchesDep,
    limits: BatchLimitsDep,
    uploads: UploadLimitsDep,
    again: Annotated[
        UUID | None,
        Query(
            description="A batch of before: of the same files, sent again, only those are taken "
            "that have no result in it."
        ),
    ] = None,
) -> Batch:
    """Receive a batch and begin work on it: what page and API have in common."""
    worker.has_place()
    if again is not None and await batches.get(actor, again) is None:
        raise no_such_batch()
    items = await receive(request, limits, uploads.max_upload_bytes)
    if again is not None:
        items = await without(items, await batches.judged(actor, again))
    return await worker.start(actor, items)


NewBatchDep = Annotated[Batch, Depends(new_batch)]
"""The batch that the request sends."""
