"""Sites: hospitals or departments on one installation, each with people, keys and results apart."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from service.errors import ServiceError
from service.identity import schemas
from service.identity.actor import DEFAULT_SITE, Actor, Role
from service.identity.events import RolesChanged, SiteAdded, SiteRenamed
from service.identity.repository import accounts, memberships, sites
from service.language.locale import N_
from service.storage.transaction import Transaction, Transactions


class Sites:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @staticmethod
    def may_add(actor: Actor) -> bool:
        """Whether the actor manages the installation: who does manages the first account's site."""
        return actor.site == DEFAULT_SITE and "administrator" in actor.roles

    async def all(self, actor: Actor) -> tuple[str, ...]:
        """Return codes of sites: of all where the actor may add some, else of those they manage."""
        async with self._transactions.read() as connection:
            if self.may_add(actor):
                return await sites.all(connection)
            if actor.id is None:
                return ()
            return await memberships.managed(connection, actor.id)

    async def managed(self, actor: Actor) -> tuple[str, ...]:
        """Return codes of sites whose people the actor manages: all of them for the operator."""
        if actor.id is None:
            return await self.all(actor)
        async with self._transactions.read() as connection:
            return await memberships.managed(connection, actor.id)

    async def names(self) -> dict[str, str]:
        """Return what people call those sites that have a name beside their code."""
        async with self._transactions.read() as connection:
            return await sites.names(connection)

    async def rename(self, actor: Actor, site: str, name: str) -> bool:
        """Have people call a site by ``name``; False where the actor does not manage it."""

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            mine = (
                await sites.all(connection)
                if actor.id is None
                else await memberships.managed(connection, actor.id)
            )
            if site not in mine:
                return False
            await sites.set_name(connection, site, name)
            await transaction.emit(SiteRenamed(actor=replace(actor, site=site), site=site))
            return True

        return await self._transactions.write(work)

    async def add(self, actor: Actor, site: str, administrator: UUID) -> None:
        """Make a site, of which somebody who has an account becomes the administrator.

        Raises :class:`~service.identity.schemas.AccountError` where there is one of this code, and
        :class:`~service.errors.ServiceError` for who may not.
        """
        if not self.may_add(actor):
            raise ServiceError("forbidden", N_("Sites are added from the first one."))

        first: tuple[Role, ...] = ("administrator",)

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await accounts.alone(connection)
            if site in await sites.all(connection):
                raise schemas.taken("site")
            await memberships.set_roles(connection, administrator, site, first)
            there = replace(actor, site=site)
            await transaction.emit(SiteAdded(actor=actor, site=site))
            await transaction.emit(
                RolesChanged(actor=there, person_id=administrator, before=(), after=first)
            )

        await self._transactions.write(work)
