"""Notes what strangers were refused: a few a minute from one address, and of the rest how many.

Whoever is known leaves a row each time. Strangers can ask as often as they like, and a row for each
would let them fill the disk and hide among their own traces what they did before.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Final

from service.identity.events import Denied, SignInFailed
from service.storage.errors import StorageError
from service.storage.transaction import Transactions

Refusal = Denied | SignInFailed

WINDOW: Final = 60.0
"""Seconds."""
EACH: Final = 5
"""Rows in that time for one address."""
ADDRESSES: Final = 200
"""Addresses in that time that are told apart; all others count as one."""
PATIENCE: Final = 1.0
"""Seconds that an answer waits for its row."""


@dataclass
class _Window:
    began: float
    rows: int = 0
    more: int = 0
    last: Refusal | None = None
    """The last one without a row."""


class Refusals:
    """Of one front."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._windows: dict[str | None, _Window] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def note(self, event: Refusal) -> None:
        """Write ``event`` down, or count it.

        A database that is away keeps nobody from being refused.
        """
        at = time.monotonic()
        due = self._over(at)
        address: str | None = event.actor.address or ""
        if address not in self._windows and len(self._windows) >= ADDRESSES:
            address = None
        window = self._windows.setdefault(address, _Window(at))
        if window.rows < EACH:
            window.rows += 1
            due.append(event)
        else:
            window.more += 1
            window.last = event
        await self._write(due)

    async def aclose(self) -> None:
        """Write down how many there were that have no row yet."""
        await self._write(self._over(float("inf")))
        if self._writing:
            await asyncio.wait(self._writing)

    def _over(self, at: float) -> list[Refusal]:
        """Forget windows that are over; return a row for each that had more than it has rows."""
        over = {key for key, window in self._windows.items() if at - window.began >= WINDOW}
        found = []
        for window in (self._windows.pop(key) for key in over):
            if window.last is not None:
                found.append(replace(window.last, times=window.more))
        return found

    async def _write(self, events: list[Refusal]) -> None:
        if not events:
            return
        task = asyncio.create_task(self._kept(events))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        await asyncio.wait({task}, timeout=PATIENCE)

    async def _kept(self, events: list[Refusal]) -> None:
        try:
            await self._transactions.emit(*events)
        except StorageError:
            # They were refused all the same.
            return
