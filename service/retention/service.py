"""Letting go of what has been kept long enough, site by site and kind by kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from service.clock import now
from service.holds.schemas import HeldError
from service.identity.actor import Actor
from service.predictions import deletion
from service.predictions.schemas import SignedError
from service.retention import repository
from service.retention.events import RetentionApplied
from service.retention.settings import Days, Kind, RetentionSettings
from service.storage.transaction import Transaction, Transactions

MOST: Final = 200
"""Results looked for at a time; each goes in a transaction of its own."""

ORDER: Final[tuple[Kind, ...]] = ("signed", "results", "images")
"""What goes whole goes first: its image need not be removed by itself then."""

_REMOVE: Final[Mapping[Kind, Callable[[Transaction, Actor, UUID], Awaitable[bool]]]] = {
    "signed": lambda on, actor, id: deletion.delete(on, actor, id, "retention", most="standing"),
    "results": lambda on, actor, id: deletion.delete(on, actor, id, "retention", most="withdrawn"),
    "images": lambda on, actor, id: deletion.remove_image(on, actor, id, "retention"),
}


class Retention:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, settings: RetentionSettings, transactions: Transactions) -> None:
        self._settings = settings
        self._transactions = transactions

    def days(self, site: str) -> Days:
        """Return for how many days each kind is kept at ``site``; of those absent all is kept."""
        return self._settings.days(site)

    async def known_by(self, actor: Actor, identifier: str) -> tuple[UUID, ...]:
        """Return the keys of patients of the actor's site under ``identifier``, of any issuer."""
        async with self._transactions.read() as connection:
            return await repository.all_known_by(connection, actor.site, identifier)

    async def due(
        self, at: datetime | None = None, site: str | None = None
    ) -> dict[str, dict[Kind, int]]:
        """Return by site and kind how much :meth:`apply` would remove; ``site``: there alone."""
        moment = at or now()
        found: dict[str, dict[Kind, int]] = {}
        async with self._transactions.read() as connection:
            for one in await repository.sites(connection) if site is None else (site,):
                days = self._settings.days(one)
                counts = {
                    kind: await repository.count(
                        connection, kind, one, moment - timedelta(days=days[kind])
                    )
                    for kind in ORDER
                    if kind in days
                }
                if counts:
                    found[one] = counts
        return found

    async def apply(
        self,
        actor: Actor,
        at: datetime | None = None,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> dict[str, dict[Kind, int]]:
        """Remove what is due, and return by site and kind how much it was.

        Nothing that a hold is on. Whatever stops it, as ``goes_on``, what was removed till then is
        removed, and the next run goes on.
        """
        moment = at or now()
        async with self._transactions.read() as connection:
            sites = await repository.sites(connection)
        return {
            site: await self._at(replace(actor, site=site), moment, goes_on)
            for site in sites
            if self._settings.days(site).keys() & set(ORDER)
        }

    async def _at(
        self, actor: Actor, moment: datetime, goes_on: Callable[[], bool]
    ) -> dict[Kind, int]:
        days = self._settings.days(actor.site)
        removed: dict[Kind, int] = {}
        for kind in ORDER:
            if kind in days:
                before = moment - timedelta(days=days[kind])
                removed[kind] = await self._all(actor, kind, before, goes_on)
        if any(removed.values()):
            event = RetentionApplied(
                actor=actor, removed={str(kind): count for kind, count in removed.items()}
            )
            await self._transactions.emit(event, frees=True)
        return removed

    async def _all(
        self, actor: Actor, kind: Kind, before: datetime, goes_on: Callable[[], bool]
    ) -> int:
        removed, passed = 0, set[UUID]()
        while True:
            async with self._transactions.read() as connection:
                found = await repository.due(
                    connection, kind, actor.site, before, MOST + len(passed)
                )
            left = [id for id in found if id not in passed]
            if not left:
                return removed
            for id in left:
                if not goes_on():
                    return removed
                if await self._one(actor, kind, id):
                    removed += 1
                else:
                    passed.add(id)

    async def _one(self, actor: Actor, kind: Kind, id: UUID) -> bool:
        try:
            return await self._transactions.write(
                lambda transaction: _REMOVE[kind](transaction, actor, id), frees=True
            )
        except (HeldError, SignedError):
            # Held or signed since it was looked for.
            return False
