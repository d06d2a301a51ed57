"""Small pictures of scans, as lists show them: made of the stored image, the last ones kept."""

from __future__ import annotations

import io
from typing import Annotated, Final
from uuid import UUID

import anyio.to_thread
from cachetools import LRUCache
from fastapi import APIRouter, Depends, Response
from PIL import Image as Picture

from service.http.caching import NO_STORE
from service.http.dependencies import resource
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.predictions.service import Predictions
from service.results import PredictionId, no_such_prediction

router = APIRouter(prefix="/results/{id}", include_in_schema=False)

SIDE: Final = 64
"""Pixels of a thumbnail, which is square as the stored image is."""

KEPT: Final = 2000
"""Thumbnails of some 3 kB each."""


class Thumbnails:
    """Returns thumbnails; that somebody may see an image is asked each time."""

    def __init__(self, predictions: Predictions) -> None:
        self._predictions = predictions
        self._made: LRUCache[UUID, bytes] = LRUCache(KEPT)

    async def of(self, actor: Actor, prediction_id: UUID) -> bytes | None:
        """Return the picture (PNG, 64×64, grey) of a prediction; None without it."""
        canonical = await self._predictions.canonical_image(actor, prediction_id)
        if canonical is None:
            return None
        if (made := self._made.get(canonical)) is None:
            png = await self._predictions.image(actor, prediction_id)
            if png is None:
                return None
            made = self._made[canonical] = await anyio.to_thread.run_sync(_small, png)
        return made


ThumbnailsDep = Annotated[Thumbnails, Depends(resource(Thumbnails))]


@router.get("/thumbnail.png")
async def thumbnail(id: PredictionId, actor: Acting, thumbnails: ThumbnailsDep) -> Response:
    png = await thumbnails.of(actor, id)
    if png is None:
        raise no_such_prediction()
    return Response(png, media_type="image/png", headers=NO_STORE)


def _small(png: bytes) -> bytes:
    buffer = io.BytesIO()
    with Picture.open(io.BytesIO(png)) as whole:
        whole.convert("L").resize((SIDE, SIDE), Picture.Resampling.BOX).save(buffer, "PNG")
    return buffer.getvalue()
