"""Domain events: what happened, and who is told of it.

A listener *within* the transaction writes on the connection that the event's own rows were written
on: an audit row, a delivery to make. Where it fails nothing is kept of either. A listener
*afterwards* is told once the rows are kept, and cannot undo them: what counts must not count what
was rolled back. One that needs a plain connection alone (``within_sync``) takes several events at
once, and goes where nothing but events is written.

Each subject declares its events in its own ``events.py``; ``app.py`` says who listens.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import Actor
from telemetry.journal import fault, log


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that was written. Subclasses say what."""

    actor: Actor


E = TypeVar("E", bound=Event)

Within = Callable[[AsyncConnection, E], Awaitable[None]]
WithinSync = Callable[[Connection, Sequence[E]], None]
Afterwards = Callable[[E], None]


class Listeners:
    """Who is told of which events; a listener to a class also hears its subclasses."""

    def __init__(self) -> None:
        self._within: list[tuple[type[Event], Within[Any]]] = []
        self._within_sync: list[tuple[type[Event], WithinSync[Any]]] = []
        self._afterwards: list[tuple[type[Event], Afterwards[Any]]] = []

    def within(self, kind: type[E], listener: Within[E]) -> None:
        """Have ``listener`` join the transaction of every event of ``kind``."""
        self._within.append((kind, listener))

    def within_sync(self, kind: type[E], listener: WithinSync[E]) -> None:
        """As :meth:`within`, for a listener that writes some events of ``kind`` at once."""
        self._within_sync.append((kind, listener))

    def afterwards(self, kind: type[E], listener: Afterwards[E]) -> None:
        """Have ``listener`` told of every event of ``kind`` that is kept."""
        self._afterwards.append((kind, listener))

    async def join(self, connection: AsyncConnection, event: Event) -> None:
        """Tell those within the transaction. Raises whatever one of them raises."""
        for kind, listener in self._within:
            if isinstance(event, kind):
                await listener(connection, event)
        await connection.run_sync(self._write, [event])

    def join_sync(self, connection: Connection, events: Sequence[Event]) -> None:
        """As :meth:`join`. Raises TypeError for an event that an asynchronous listener is due."""
        for event in events:
            if any(isinstance(event, kind) for kind, _ in self._within):
                raise TypeError(f"{type(event).__name__} has a listener that awaits")
        self._write(connection, events)

    def _write(self, connection: Connection, events: Sequence[Event]) -> None:
        for kind, listener in self._within_sync:
            its = [event for event in events if isinstance(event, kind)]
            if its:
                listener(connection, its)

    def tell(self, events: Iterable[Event]) -> None:
        """Tell those afterwards; one that fails is logged, since the rows are kept."""
        for event in events:
            for kind, listener in self._afterwards:
                if isinstance(event, kind):
                    try:
                        listener(event)
                    except Exception as error:
                        log(logging.ERROR, "bug", route="listener", fault=fault(error))
