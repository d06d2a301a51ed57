"""Receives one uploaded file into memory: limits first, names never kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.requests import Request

from service.errors import ServiceError
from service.http.declared import ACCEPTED, check, declared, essence
from service.http.dependencies import UploadLimitsDep
from service.http.multipart import File, MultipartError, files
from service.http.openapi import FILE, describes

FIELD: Final = "file"

# What a form adds around its file: boundaries, headers, a few small fields.
_FRAME: Final = 64 * 1024


def file_content(field: Mapping[str, Any], types: Iterable[str]) -> dict[str, Any]:
    """Return ``content`` of a body that is a form with ``field``, or a file of one of ``types``."""
    form = {"type": "object", "required": [FIELD], "properties": {FIELD: field}}
    return {
        "multipart/form-data": {"schema": form},
        **{name: {"schema": FILE} for name in types},
    }


@describes(
    body=file_content({**FILE, "description": "One PNG, JPEG, TIFF or DICOM file."}, ACCEPTED)
)
async def receive(request: Request, limits: UploadLimitsDep) -> bytes:
    """Return the uploaded file. Raises :class:`~service.errors.ServiceError`."""
    limit, seconds = limits.max_upload_bytes, limits.upload_seconds
    media_type = essence(request.headers.get("content-type", ""))
    try:
        async with asyncio.timeout(seconds):
            if media_type == "multipart/form-data":
                return await _from_form(request, limit)
            declared(media_type)
            data = b"".join([chunk async for chunk in limited(request, limit, limit)])
    except TimeoutError:
        raise ServiceError(
            "upload_timeout", f"The upload took more than {seconds:g} seconds."
        ) from None
    return check(data, media_type)


FileBody = Annotated[bytes, Depends(receive)]
"""The file that the request sends."""


async def _from_form(request: Request, limit: int) -> bytes:
    body = limited(request, limit + _FRAME, limit)
    try:
        found = await files(request.headers["content-type"], body, FIELD, File)
    except MultipartError as error:
        raise ServiceError(
            "malformed_upload", f"The multipart body cannot be parsed: {error}."
        ) from None
    if not found:
        raise ServiceError("missing_file", f"The form has no file in the field {FIELD}.")
    if len(found) > 1:
        raise ServiceError(
            "several_files", f"The field {FIELD} holds {len(found)} files; send one."
        )
    if len(found[0].data) > limit:
        raise too_large(limit)
    return check(bytes(found[0].data), found[0].content_type)


async def limited(request: Request, limit: int, told: int) -> AsyncGenerator[bytes, None]:
    """Yield the body and raise as soon as it is longer than ``limit``, speaking of ``told``."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large(told)
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > limit:
            raise too_large(told)
        yield chunk


def too_large(limit: int) -> ServiceError:
    return ServiceError(
        "payload_too_large", f"What was sent is larger than {limit} bytes, the limit."
    )
