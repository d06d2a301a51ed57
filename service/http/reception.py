"""Bounds the bodies that are being received, all together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from listener.uploads import CrowdedError, DisplacedError, Upload, Uploads
from service.errors import ServiceError
from service.language.locale import N_

_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Reception:
    """Counts what is held of bodies, each until its request is answered; one that waits on disk
    until it is complete, since from then on its place counts it."""

    def __init__(self, app: ASGIApp, uploads: Uploads, spooled: Mapping[str, Uploads]) -> None:
        """``spooled``: addresses whose bodies wait on disk, by whom they are counted."""
        self._app = app
        self._uploads = uploads
        self._spooled = spooled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _BODILESS:
            await self._app(scope, receive, send)
            return
        spooled = self._spooled.get(scope["path"].rstrip("/"))
        uploads = self._uploads if spooled is None else spooled
        upload: Upload | None = None

        async def counted() -> Message:
            nonlocal upload
            try:
                if upload is None:
                    upload = uploads.enter()
                message = await uploads.receive(upload, receive)
            except DisplacedError:
                raise _refused(N_("Others sent faster while there was room for no more.")) from None
            except CrowdedError:
                raise _refused(N_("As much is being received as there is room for.")) from None
            if spooled is not None and upload.complete:
                uploads.leave(upload)
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            if upload is not None:
                uploads.leave(upload)


def _refused(detail: str) -> ServiceError:
    return ServiceError("too_many_uploads", detail, retry_after=5)
