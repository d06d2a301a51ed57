"""Reading the worklist, and taking it away as a table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Literal
from uuid import UUID

from service.identity.actor import Actor
from service.predictions.events import ListExported
from service.predictions.query import MOST
from service.predictions.worklist import repository
from service.predictions.worklist.query import WorklistQuery
from service.predictions.worklist.schemas import Listed, ListPage
from service.storage.transaction import Transactions

LONGEST_EXPORT: Final = 20_000
"""Rows of a table: more are asked for in parts, by date."""


class WorklistReading:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must, and
    :class:`~service.predictions.worklist.schemas.NoSuchPlaceError` where a query's place is gone.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def page(self, actor: Actor, query: WorklistQuery) -> ListPage:
        """Return a page of the results that the actor may see."""
        async with self._transactions.read() as connection:
            return await repository.page(connection, actor, query)

    async def next_unread(self, actor: Actor, behind: UUID | None) -> UUID | None:
        """Return what the actor might read next, after the result ``behind``; None: nothing."""
        async with self._transactions.read() as connection:
            return await repository.next_unread(connection, actor, behind)

    async def export(
        self, actor: Actor, query: WorklistQuery, form: Literal["csv", "xlsx"]
    ) -> AsyncIterator[tuple[Listed, ...]]:
        """Write down that the list leaves, then return its rows, some at a time.

        At most :data:`LONGEST_EXPORT` of them.
        """
        whole = query.model_copy(update={"after": None, "before": None, "limit": MOST})
        async with self._transactions.read() as connection:
            total = await repository.count(connection, actor, whole)
        event = ListExported(
            actor=actor,
            form=form,
            results=min(total, LONGEST_EXPORT),
            batch_id=query.batch,
        )
        await self._transactions.emit(event)
        return self._parts(actor, whole)

    async def _parts(self, actor: Actor, query: WorklistQuery) -> AsyncIterator[tuple[Listed, ...]]:
        left = LONGEST_EXPORT
        while left > 0:
            async with self._transactions.read() as connection:
                found, following = await repository.rows(connection, actor, query)
            yield found[:left]
            if following is None:
                return
            left -= len(found)
            query = query.model_copy(update={"after": following})
