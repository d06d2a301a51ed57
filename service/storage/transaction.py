"""Unit of work: the transaction that a verb opens, and the events that join it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from service.events import Event, Listeners
from service.storage.database import Database

T = TypeVar("T")


class Transaction:
    """One transaction that writes, on one connection."""

    def __init__(self, connection: AsyncConnection, listeners: Listeners) -> None:
        self.connection = connection
        self.events: list[Event] = []
        self._listeners = listeners

    async def emit(self, event: Event) -> None:
        """Tell of ``event`` within the transaction; raises what a listener raises."""
        self.events.append(event)
        await self._listeners.join(self.connection, event)


class Transactions:
    """Opens the one transaction of a verb.

    All of its methods raise :class:`~service.storage.errors.StorageError`.
    """

    def __init__(self, database: Database, listeners: Listeners | None = None) -> None:
        self._database = database
        self._listeners = Listeners() if listeners is None else listeners

    @property
    def longest_wait(self) -> float:
        """Seconds for one write's whole way, its turn and other tries included."""
        return self._database.longest_wait

    @property
    def is_encrypting(self) -> bool:
        """Whether columns that say who a patient is are encrypted."""
        return self._database.encryption.is_on

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Return a connection that only reads, and waits for no writer."""
        return self._database.connect()

    async def read_sync(self, work: Callable[[Connection], T]) -> T:
        """Return what ``work`` reads in one transaction, and in one go: for what is asked often."""
        return await self._database.read_sync(work)

    async def emit(self, *events: Event, frees: bool = False) -> None:
        """Write a transaction of ``events`` and nothing else, in one go.

        For those alone that only listeners that are not asynchronous write down.
        """
        await self._database.write_sync(
            lambda connection: self._listeners.join_sync(connection, events), frees=frees
        )
        self._listeners.tell(events)

    async def write(self, work: Callable[[Transaction], Awaitable[T]], *, frees: bool = False) -> T:
        """Return what ``work`` does in one transaction, which is kept whole or not at all.

        As :meth:`~service.storage.database.Database.write` it may be tried several times. Those who
        listen afterwards hear of the events of the try that was kept.
        """
        kept: list[Event] = []

        async def tried(connection: AsyncConnection) -> T:
            transaction = Transaction(connection, self._listeners)
            result = await work(transaction)
            kept[:] = transaction.events
            return result

        result = await self._database.write(tried, frees=frees)
        self._listeners.tell(kept)
        return result
