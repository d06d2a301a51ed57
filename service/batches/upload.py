"""From a request to the images of a batch: many parts of a form, or one zip archive.

What a system leaves beside files (``.DS_Store``, ``._scan.png``) is no image of the batch.
"""

from __future__ import annotations

import asyncio
from typing import IO, Final, Literal

import anyio.to_thread
from starlette.requests import Request

from models.files import is_leftover
from models.reading import SNIFFED
from service.batches.archive import Archive, ArchiveLimits
from service.batches.settings import BatchLimits
from service.batches.spool import Items, Part, Parts, finding_room, let_go, spool
from service.errors import ServiceError
from service.http.declared import ZIP, declared, essence, sniffed
from service.http.multipart import MAX_PARTS, MultipartError, TooManyPartsError, files
from service.http.upload import FIELD, limited

# What a form adds around each of its files: boundary and headers.
_FRAME: Final = 2048


async def receive(request: Request, limits: BatchLimits, most: int) -> Items:
    """Return the images that were sent, each of ``most`` bytes at most.

    Raises :class:`~service.errors.ServiceError`.
    """
    media_type = essence(request.headers.get("content-type", ""))
    form = media_type == "multipart/form-data"
    kind = None if form else _kind(media_type)
    file = spool()
    try:
        seconds = limits.bulk_upload_seconds
        try:
            async with asyncio.timeout(seconds):
                if form:
                    return await _from_form(request, file, limits, most)
                async for chunk in limited(request, limits.bulk_bytes, limits.bulk_bytes):
                    with finding_room():
                        file.write(chunk)
                with finding_room():
                    file.flush()
                if kind is None and not _is_zip(file):
                    raise _no_batch()
                return await _archive(file, limits, most)
        except TimeoutError:
            raise ServiceError(
                "upload_timeout", f"The upload took more than {seconds:g} seconds."
            ) from None
    except BaseException:
        let_go(file)
        raise


def _kind(media_type: str) -> Literal["zip"] | None:
    """Return what a body that is no form was sent as; what can be no archive is not received."""
    try:
        kind = declared(media_type)
    except ServiceError:
        raise _no_batch() from None
    if kind not in ("zip", None):
        raise _no_batch()
    return kind


def _no_batch() -> ServiceError:
    return ServiceError(
        "unsupported_media_type",
        f"A batch is multipart/form-data with files in the field {FIELD}, or one {ZIP}.",
    )


async def _from_form(request: Request, file: IO[bytes], limits: BatchLimits, most: int) -> Items:
    items, limit = limits.bulk_items, limits.bulk_bytes

    def made(content_type: str, name: str) -> Part:
        # A zip may be larger than an image; whether this is one shows once it is here.
        return Part(file, content_type, name, limit)

    too_many = ServiceError(
        "batch_too_large", f"The form holds more than {items} files, the limit here."
    )
    body = limited(request, limit + items * _FRAME, limit)
    try:
        parts = await files(
            request.headers["content-type"], body, FIELD, made, 2 * items + MAX_PARTS, is_leftover
        )
    except TooManyPartsError:
        raise too_many from None
    except MultipartError as error:
        raise ServiceError(
            "malformed_upload", f"The multipart body cannot be parsed: {error}."
        ) from None
    if not parts:
        raise ServiceError("missing_file", f"The form has no file in the field {FIELD}.")
    if len(parts) > items:
        raise too_many
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
    return sniffed(file.read(SNIFFED)) == "zip"


async def _archive(file: IO[bytes], limits: BatchLimits, most: int) -> Archive:
    allowed = ArchiveLimits(
        members=limits.bulk_items,
        member_bytes=most,
        total_bytes=limits.bulk_bytes,
        ratio=limits.bulk_ratio,
    )
    return await anyio.to_thread.run_sync(Archive, file, allowed)
