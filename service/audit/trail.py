"""The trail: written with each act, sealed a moment later, read page by page.

An entry is a row in the act's own transaction, so that there is no act without one. Which is which
in the chain is decided afterwards by one sealer at a time: nobody who acts waits for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

import anyio.to_thread
from sqlalchemy.engine import Connection

from models.files import replace
from service.audit import chain, repository
from service.audit.schemas import Entry
from service.audit.vocabulary import entry
from service.events import Event
from service.identity.actor import Actor
from service.identity.events import Exported
from service.storage.errors import StorageError
from service.storage.transaction import Transaction, Transactions
from telemetry.journal import fault, log

SEAL_SECONDS: Final = 1.0
TOLD_SECONDS: Final = 3600.0
"""Between two lines of the log that say where the chain ends: it can be held against them."""

MOST: Final = 500
"""Entries sealed in one transaction, and rows read at a time."""

ANCHOR: Final = "audit.head"
"""Beside the database's file: where the chain ended last."""


def record(connection: Connection, events: Sequence[Event]) -> None:
    """Write ``events`` into the trail, within their own transaction."""
    repository.add(connection, [entry(event) for event in events])


class Trail:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions, key: bytes, anchor: Path | None) -> None:
        """``anchor``: the file that the head is copied to, where there is a place for one."""
        self._transactions = transactions
        self._key = key
        self._anchor = anchor
        self._told: tuple[int, float] | None = None

    async def seal(self) -> int:
        """Link what nobody has linked yet; return how many entries are linked now."""
        done = 0
        while True:
            number, hash, count = await self._transactions.write(self._seal)
            done += count
            if count:
                await self._remember(number, hash)
            if count < MOST:
                return done

    async def _seal(self, transaction: Transaction) -> tuple[int, str, int]:
        connection = transaction.connection
        if not await repository.alone(connection):
            return 0, "", 0
        entries = await repository.waiting(connection, MOST)
        number, hash = await repository.last(connection) or (0, chain.START)
        links = []
        for one in entries:
            number += 1
            hash = chain.link(self._key, number, hash, one)
            links.append({"number": number, "event_id": one.id, "hash": hash})
        if links:
            await repository.add_links(connection, links)
            await repository.set_head(connection, number, chain.head(self._key, number, hash))
        return number, hash, len(links)

    async def _remember(self, number: int, hash: str) -> None:
        """Copy where the chain ends out of the database."""
        if self._anchor is not None:
            told = json.dumps({"number": number, "hash": hash}).encode()
            with suppress(OSError):
                await anyio.to_thread.run_sync(replace, self._anchor, told)
        at = time.monotonic()
        if self._told is None or at - self._told[1] >= TOLD_SECONDS:
            self._told = number, at
            log(logging.INFO, "audit sealed", link=number, hash=hash)

    async def sealing(self, stopping: asyncio.Event) -> None:
        """Seal again and again, and once more when ``stopping`` is set."""
        while True:
            is_last = stopping.is_set()
            try:
                async with self._transactions.read() as connection:
                    waits = await repository.waits(connection)
                if waits:
                    await self.seal()
            except StorageError:
                # What waits is sealed when the database answers again.
                pass
            except Exception as error:
                log(logging.ERROR, "bug", task="seal", fault=fault(error))
            if is_last:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), SEAL_SECONDS)

    async def page(
        self, actor: Actor, kinds: Collection[str] = (), before: tuple[int, UUID] | None = None,
        most: int = 50,
    ) -> tuple[Entry, ...]:  # fmt: skip
        """Return entries of the actor's site, the newest first."""
        async with self._transactions.read() as connection:
            return await repository.page(connection, actor.site, kinds, before, most)

    async def note(self, event: Exported) -> None:
        """Write down that the trail is exported, before it is."""
        await self._transactions.emit(event)

    async def all(self, actor: Actor) -> AsyncIterator[Entry]:
        """Yield every entry of the actor's site, the newest first."""
        before: tuple[int, UUID] | None = None
        while True:
            found = await self.page(actor, (), before, MOST)
            for one in found:
                yield one
            if len(found) < MOST:
                return
            before = found[-1].at, found[-1].id
