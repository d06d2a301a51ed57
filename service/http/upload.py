"""Receives one uploaded file into memory: limits first, names never kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.requests import Request

from models.image.scan import Format
from models.reading import SNIFFED, sniff
from service.errors import ServiceError
from service.http.dependencies import UploadLimitsDep
from service.http.multipart import File, MultipartError, files
from service.http.openapi import FILE, describes

FIELD: Final = "file"

RAW_TYPES: Final[dict[str, Format | None]] = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/pjpeg": "jpeg",
    "image/tiff": "tiff",
    "application/dicom": "dicom",
    "application/octet-stream": None,
    "": None,
}
"""Types a file may be declared as; None: whatever the content says."""

# What a form adds around its file: boundaries, headers, a few small fields.
_FRAME: Final = 64 * 1024


def file_content(field: Mapping[str, Any], types: Iterable[str]) -> dict[str, Any]:
    """Return ``content`` of a body that is a form with ``field``, or a file of one of ``types``."""
    form = {"type": "object", "required": [FIELD], "properties": {FIELD: field}}
    return {
        "multipart/form-data": {"schema": form},
        **{name: {"schema": FILE} for name in types if name},
    }


@describes(
    body=file_content({**FILE, "description": "One PNG, JPEG, TIFF or DICOM file."}, RAW_TYPES)
)
async def receive(request: Request, limits: UploadLimitsDep) -> bytes:
    """Return the uploaded file. Raises :class:`~service.errors.ServiceError`."""
    limit, seconds = limits.max_upload_bytes, limits.upload_seconds
    media_type = essence(request.headers.get("content-type", ""))
    try:
        async with asyncio.timeout(seconds):
            if media_type == "multipart/form-data":
                return await _from_form(request, limit)
            _expected(media_type)
            data = b"".join([chunk async for chunk in limited(request, limit, limit)])
    except TimeoutError:
        raise ServiceError(
            "upload_timeout", f"The upload took more than {seconds:g} seconds."
        ) from None
    return check_media_type(data, media_type)


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
    return check_media_type(bytes(found[0].data), essence(found[0].content_type))


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


def check_media_type(data: bytes, media_type: str) -> bytes:
    """Return ``data`` unless it is plainly something else than it was sent as."""
    expected = _expected(media_type)
    found = sniff(data[:SNIFFED])
    if expected is not None and found is not None and expected != found:
        raise ServiceError(
            "content_type_mismatch",
            f"The file was sent as {media_type}, but its content is {found.upper()}.",
        )
    return data


def _expected(media_type: str) -> Format | None:
    if media_type not in RAW_TYPES:
        # What came is not repeated: a type is free text.
        raise ServiceError(
            "unsupported_media_type",
            "The declared content type is not accepted; multipart/form-data and "
            + ", ".join(name for name in RAW_TYPES if name)
            + " are.",
        )
    return RAW_TYPES[media_type]


def essence(value: str) -> str:
    """Return a content type without its parameters."""
    return value.partition(";")[0].strip().lower()


def too_large(limit: int) -> ServiceError:
    return ServiceError(
        "payload_too_large", f"What was sent is larger than {limit} bytes, the limit."
    )
