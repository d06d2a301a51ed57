"""Domain events: what happened, and who is told of it.

A listener *within* the transaction writes on the connection that the event's own rows were written
on: an audit row, a delivery to make. Where it fails nothing is kept of either. A listener
*afterwards* is told once the rows are kept, and cannot undo them: what counts must not count what
was rolled back.

Each subject declares its events in its own ``events.py``; ``app.py`` says who listens.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from service.identity.actor import Actor
from telemetry.journal import fault, log


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that was written. Subclasses say what."""

    actor: Actor


E = TypeVar("E", bound=Event)

Within = Callable[[AsyncConnection, E], Awaitable[None]]
Afterwards = Callable[[E], None]


class Listeners:
    """Who is told of which events; a listener to a class also hears its subclasses."""

    def __init__(self) -> None:
        self._within: list[tuple[type[Event], Within[Any]]] = []
        self._afterwards: list[tuple[type[Event], Afterwards[Any]]] = []

    def within(self, kind: type[E], listener: Within[E]) -> None:
        """Have ``listener`` join the transaction of every event of ``kind``."""
        self._within.append((kind, listener))

    def afterwards(self, kind: type[E], listener: Afterwards[E]) -> None:
        """Have ``listener`` told of every event of ``kind`` that is kept."""
        self._afterwards.append((kind, listener))

    async def join(self, connection: AsyncConnection, event: Event) -> None:
        """Tell those within the transaction. Raises whatever one of them raises."""
        for kind, listener in self._within:
            if isinstance(event, kind):
                await listener(connection, event)

    def tell(self, events: Iterable[Event]) -> None:
        """Tell those afterwards; one that fails is logged, since the rows are kept."""
        for event in events:
            for kind, listener in self._afterwards:
                if isinstance(event, kind):
                    try:
                        listener(event)
                    except Exception as error:
                        log(logging.ERROR, "bug", route="listener", fault=fault(error))
