"""Bodies on their way: how much of them is held, and who gives way when it is too much.

A limit that refuses whoever comes last is a gift to those who send slowly on purpose: they hold the
room, others are turned away. So whoever sends slowest gives way.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from starlette.types import Message, Receive

GRACE_SECONDS: Final = 2.0
"""An upload gives way to another only after it has had this long."""

WINDOW_SECONDS: Final = 2.0
"""How far back it is looked, at least, to say how fast an upload is."""


class DisplacedError(Exception):
    """The upload was the slowest of too many and had to make room."""


class CrowdedError(Exception):
    """There is no room, and nobody here is slow enough to give way."""


@dataclass(eq=False)
class Upload:
    """One body; ``held`` bytes of it are here."""

    begun: float
    held: int = 0
    complete: bool = False
    displaced: bool = False
    _marks: list[tuple[float, int]] = field(default_factory=list)
    _timeout: asyncio.Timeout | None = None

    def add(self, size: int, now: float) -> None:
        if not self._marks or now - self._marks[-1][0] >= WINDOW_SECONDS:
            self._marks = [*self._marks[-1:], (now, self.held)]
        self.held += size

    def speed(self, now: float) -> float:
        """Bytes a second of late."""
        since, had = self._marks[0] if self._marks else (self.begun, 0)
        return (self.held - had) / max(now - since, 0.001)

    def displace(self) -> None:
        self.displaced = True
        if self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time())


class Uploads:
    """At most ``bytes_`` of at most ``count`` bodies that are received at the same time."""

    def __init__(self, bytes_: int, count: int) -> None:
        self._most_bytes: Final = bytes_
        self._most: Final = count
        self._open: set[Upload] = set()
        self._held = 0

    @property
    def held(self) -> int:
        return self._held

    def __len__(self) -> int:
        return len(self._open)

    def enter(self) -> Upload:
        """Count a body in. Raises :class:`CrowdedError`."""
        if len(self._open) >= self._most:
            self._make_room(None)
        upload = Upload(asyncio.get_running_loop().time())
        self._open.add(upload)
        return upload

    def leave(self, upload: Upload) -> None:
        if upload in self._open:
            self._open.discard(upload)
            self._held -= upload.held

    async def receive(self, upload: Upload, receive: Receive) -> Message:
        """Return the next message of ``upload``'s body.

        Raises :class:`DisplacedError` and :class:`CrowdedError`.
        """
        if upload.displaced:
            raise DisplacedError
        try:
            async with asyncio.timeout(None) as timeout:
                upload._timeout = timeout
                message = await receive()
        except TimeoutError:
            if upload.displaced:
                raise DisplacedError from None
            raise
        finally:
            upload._timeout = None
        size = len(message.get("body", b""))
        if message["type"] == "http.request" and upload in self._open:
            while self._held + size > self._most_bytes:
                self._make_room(upload)
            upload.add(size, asyncio.get_running_loop().time())
            self._held += size
            upload.complete = not message.get("more_body", False)
        return message

    def _make_room(self, asking: Upload | None) -> None:
        now = asyncio.get_running_loop().time()
        slow = [
            one
            for one in self._open
            if one is not asking and not one.complete and now - one.begun > GRACE_SECONDS
        ]
        if not slow:
            raise CrowdedError
        slowest = min(slow, key=lambda one: one.speed(now))
        if asking is not None and now - asking.begun > GRACE_SECONDS:
            slowest = min(slowest, asking, key=lambda one: one.speed(now))
        if slowest is asking:
            raise CrowdedError
        # Counted out at once: it will let go of what it holds when it is next awake.
        self.leave(slowest)
        slowest.displace()
