"""What of a batch is left to judge, where its files are sent once more."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import anyio.to_thread

from models.image.errors import ScanError
from service.batches.spool import Items
from service.errors import ServiceError
from service.language.locale import N_


class Rest:
    """Some of the images of a batch, at ``places`` of it, in their order."""

    def __init__(self, items: Items, places: list[int]) -> None:
        self._items = items
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def read(self, index: int) -> bytes:
        return self._items.read(self._places[index])

    def name(self, index: int) -> str | None:
        return self._items.name(self._places[index])

    def close(self) -> None:
        self._items.close()


async def without(items: Items, judged: Collection[str]) -> Items:
    """Return ``items`` but for those whose SHA-256 is among ``judged``; takes them over.

    Files are told by what is in them: whoever sends a folder again may have moved or renamed some.
    Raises :class:`~service.errors.ServiceError` where nothing is left.
    """

    def places() -> list[int]:
        return [place for place in range(len(items)) if _digest(items, place) not in judged]

    try:
        left = await anyio.to_thread.run_sync(places)
        if not left:
            raise ServiceError(
                "invalid_request", N_("Each of these images has a result in that batch already.")
            )
    except BaseException:
        items.close()
        raise
    return Rest(items, left)


def _digest(items: Items, place: int) -> str | None:
    try:
        return hashlib.sha256(items.read(place)).hexdigest()
    except (ScanError, ServiceError):
        # It will be said of it once more what is wrong with it.
        return None
