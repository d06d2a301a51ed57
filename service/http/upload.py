"""Receives one uploaded file into memory: limits first, its name beside it, for its sender."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request

from service.errors import ServiceError
from service.http.declared import ACCEPTED, check, declared, essence
from service.http.dependencies import UploadLimitsDep
from service.http.multipart import MAX_PARTS, File, MultipartError, form
from service.http.openapi import FILE, describes

FIELD: Final = "file"
LONGEST_NAME: Final = 255
"""Characters of a file's name; file systems take no more."""

# What a form adds around its file: boundaries, headers, a few small fields.
_FRAME: Final = 64 * 1024


@dataclass(frozen=True, eq=False)
class Upload:
    """One file as it was sent; ``name`` as its sender calls it, None where it came without one.

    ``fields`` are those of the form around it that were asked for.
    """

    data: bytes
    name: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


def file_content(
    field: Mapping[str, Any], types: Iterable[str], texts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return ``content`` of a body that is a form with ``field``, or a file of one of ``types``.

    ``texts`` are further fields of the form, each with what it takes.
    """
    further = {
        name: {"type": "string", "description": said} for name, said in (texts or {}).items()
    }
    schema = {"type": "object", "required": [FIELD], "properties": {FIELD: field, **further}}
    return {
        "multipart/form-data": {"schema": schema},
        **{name: {"schema": FILE} for name in types},
    }


def upload_body(texts: Mapping[str, str]) -> Callable[..., Awaitable[Upload]]:
    """Return the dependency that is the uploaded file, with the fields that ``texts`` describes."""

    @describes(
        body=file_content(
            {**FILE, "description": "One PNG, JPEG, TIFF or DICOM file."}, ACCEPTED, texts
        )
    )
    async def receive(request: Request, limits: UploadLimitsDep) -> Upload:
        """Raises :class:`~service.errors.ServiceError`."""
        limit, seconds = limits.max_upload_bytes, limits.upload_seconds
        media_type = essence(request.headers.get("content-type", ""))
        try:
            async with asyncio.timeout(seconds):
                if media_type == "multipart/form-data":
                    return await _from_form(request, limit, texts)
                declared(media_type)
                data = b"".join([chunk async for chunk in limited(request, limit, limit)])
        except TimeoutError:
            raise ServiceError(
                "upload_timeout", f"The upload took more than {seconds:g} seconds."
            ) from None
        return Upload(check(data, media_type))

    return receive


def plain_name(sent: str) -> str | None:
    """Return the last part of a file's name, on one line; None where nothing is left of it."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", sent))[-1]
    shown = "".join(one for one in last if one.isprintable()).strip()
    return shown[:LONGEST_NAME] or None


async def _from_form(request: Request, limit: int, texts: Mapping[str, str]) -> Upload:
    body = limited(request, limit + _FRAME, limit)
    try:
        found, fields = await form(
            request.headers["content-type"], body, FIELD, File, texts, MAX_PARTS + len(texts)
        )
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
    (file,) = found
    if len(file.data) > limit:
        raise too_large(limit)
    return Upload(check(bytes(file.data), file.content_type), plain_name(file.name), fields)


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
