"""Bodies on their way in: bounded together, whatever each of them is for."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from listener.uploads import CrowdedError, DisplacedError, Upload, Uploads
from service.http.problems import Problem
from service.language.locale import N_
from service.settings import Settings

BATCHES: Final = ("/bulk", "/api/v1/batches")
"""Where batches are sent. They wait on disk; everything else waits in memory."""

RECEIVED: Final = 4
"""Times as many batches are received as worked on: to send one slowly keeps nobody's place."""

_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Reception:
    """Counts what is held of bodies, each until its request is answered; a batch's until it is
    complete, since from then on its place counts it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        most = settings.bulk_batches
        self._single = Uploads(settings.unfinished_bytes, settings.connections)
        self._batches = Uploads(most * settings.bulk_bytes, RECEIVED * most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _BODILESS:
            await self._app(scope, receive, send)
            return
        batch = scope["path"].rstrip("/") in BATCHES
        uploads = self._batches if batch else self._single
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
            if batch and upload.complete:
                uploads.leave(upload)
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            if upload is not None:
                uploads.leave(upload)


def _refused(detail: str) -> Problem:
    return Problem("too_many_uploads", detail, {"Retry-After": "5"})
