"""From a request to the images of a batch: many parts of a form, or one zip archive."""

from __future__ import annotations

import asyncio
from typing import IO, Final

import anyio.to_thread
from starlette.requests import Request

from service.batches.archive import Archive, ArchiveLimits
from service.batches.settings import BatchLimits
from service.batches.spool import Items, Part, Parts, finding_room, let_go, spool
from service.errors import ServiceError
from service.http.multipart import MultipartError, TooManyPartsError, files
from service.http.upload import FIELD, essence, limited

ZIP_TYPES: Final = ("application/zip", "application/x-zip-compressed")

_ZIP_SIGNATURES: Final = (b"PK\x03\x04", b"PK\x05\x06")

# What a form adds around each of its files: boundary and headers.
_FRAME: Final = 2048


async def receive(request: Request, limits: BatchLimits, most: int) -> Items:
    """Return the images that were sent, each of ``most`` bytes at most.

    Raises :class:`~service.errors.ServiceError`.
    """
    media_type = essence(request.headers.get("content-type", ""))
    if media_type not in ("multipart/form-data", *ZIP_TYPES):
        raise ServiceError(
            "unsupported_media_type",
            f"A batch is multipart/form-data with files in the field {FIELD}, or one "
            f"{ZIP_TYPES[0]}.",
        )
    file = spool()
    try:
        seconds = limits.bulk_upload_seconds
        try:
            async with asyncio.timeout(seconds):
                if media_type in ZIP_TYPES:
                    async for chunk in limited(request, limits.bulk_bytes, limits.bulk_bytes):
                        with finding_room():
                            file.write(chunk)
                    with finding_room():
                        file.flush()
                    return await _archive(file, limits, most)
                return await _from_form(request, file, limits, most)
        except TimeoutError:
            raise ServiceError(
                "upload_timeout", f"The upload took more than {seconds:g} seconds."
            ) from None
    except BaseException:
        let_go(file)
        raise


async def _from_form(request: Request, file: IO[bytes], limits: BatchLimits, most: int) -> Items:
    items, limit = limits.bulk_items, limits.bulk_bytes

    def made(content_type: str, named: bool) -> Part:
        # A zip may be larger than an image; whether this is one shows once it is here.
        return Part(file, content_type, named, limit)

    body = limited(request, limit + items * _FRAME, limit)
    try:
        parts = await files(request.headers["content-type"], body, FIELD, made, items)
    except TooManyPartsError:
        raise ServiceError(
            "batch_too_large", f"The form holds more than {items} files, the limit here."
        ) from None
    except MultipartError as error:
        raise ServiceError(
            "malformed_upload", f"The multipart body cannot be parsed: {error}."
        ) from None
    if not parts:
        raise ServiceError("missing_file", f"The form has no file in the field {FIELD}.")
    with finding_room():
        # What is read from here on is on the disk, so that reading it writes nothing.
        file.flush()
    if len(parts) == 1 and _is_zip(file):
        return await _archive(file, limits, most)
    for part in parts:
        part.most = most
    return Parts(file, parts)


def _is_zip(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(4) in _ZIP_SIGNATURES


async def _archive(file: IO[bytes], limits: BatchLimits, most: int) -> Archive:
    allowed = ArchiveLimits(
        members=limits.bulk_items,
        member_bytes=most,
        total_bytes=limits.bulk_bytes,
        ratio=limits.bulk_ratio,
    )
    return await anyio.to_thread.run_sync(Archive, file, allowed)
