"""FastAPI dependencies of CT: the files of an upload, the series of a result."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from service.batches.dependencies import BatchLimitsDep
from service.batches.spool import Items
from service.batches.upload import receive
from service.http.declared import ZIP
from service.http.dependencies import UploadLimitsDep, resource
from service.http.openapi import FILE, describes
from service.http.problems import Problem
from service.http.upload import file_content
from service.medicine.modalities.ct.service import CtReading
from service.medicine.modalities.dependencies import ModalitySettingsDep

CtDep = Annotated[CtReading, Depends(resource(CtReading))]


@describes(
    body=file_content(
        {
            "type": "array",
            "minItems": 1,
            "items": FILE,
            "description": "The slices, each in a part of this name; or one zip file.",
        },
        (ZIP,),
    )
)
async def files(
    request: Request,
    settings: ModalitySettingsDep,
    bulk: BatchLimitsDep,
    uploads: UploadLimitsDep,
) -> AsyncIterator[Items]:
    """Yield the files that were sent, and let go of them. Raises ``ServiceError``."""
    limits = bulk.model_copy(
        update={
            "bulk_items": settings.ct_slices,
            "bulk_bytes": settings.ct_bytes,
            "bulk_upload_seconds": uploads.upload_seconds,
        }
    )
    items = await receive(request, limits, uploads.max_upload_bytes)
    try:
        yield items
    finally:
        items.close()


FilesDep = Annotated[Items, Depends(files)]


def no_such_series() -> Problem:
    return Problem("ct_not_found", "No series of CT is kept with this result.")
