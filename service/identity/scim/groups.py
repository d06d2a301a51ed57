"""Groups of the hospital's directory, and who is in them, for the site of its key."""

from __future__ import annotations

from uuid import UUID, uuid4

from service.clock import now
from service.identity.actor import Actor
from service.identity.events import (
    GroupAdded,
    GroupChanged,
    GroupRemoved,
    MemberAdded,
    MemberRemoved,
)
from service.identity.oidc.grants import Grants
from service.identity.repository import accounts
from service.identity.scim import repository, schemas
from service.identity.scim.documents import matches
from service.identity.scim.errors import changed, nobody, other_site, taken
from service.identity.scim.filters import Filter
from service.identity.scim.patches import Membership
from service.identity.scim.roles import is_elsewhere, refresh
from service.identity.scim.schemas import Changes, Group
from service.storage.transaction import Transaction, Transactions

Tags = frozenset[str] | None
"""What ``If-Match`` demands."""


class Groups:
    """Every method raises :class:`~service.identity.scim.errors.ScimError`, or
    :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, grants: Grants, transactions: Transactions) -> None:
        self._grants = grants
        self._transactions = transactions

    async def page(
        self, actor: Actor, which: Filter, skip: int, most: int, *, members: bool = True
    ) -> tuple[int, tuple[Group, ...]]:
        """Return how many there are at the actor's site, and some of them."""
        async with self._transactions.read() as connection:
            return await repository.groups(
                connection, actor.site, which, skip, most, members=members
            )

    async def get(self, actor: Actor, id: UUID) -> Group:
        _, found = await self.page(actor, (("id", str(id)),), 0, 1)
        if not found:
            raise nobody()
        return found[0]

    async def add(self, actor: Actor, told: Changes, people: frozenset[UUID]) -> Group:
        """Return a new group; who is in it has what settings say of it."""
        id = uuid4()

        async def work(transaction: Transaction) -> None:
            connection, at = transaction.connection, now()
            await accounts.alone(connection)
            await self._checked(transaction, actor, told, None)
            await repository.add_group(
                connection, id=id, site=actor.site, created_at=at, changed_at=at, **_columns(told)
            )
            await transaction.emit(GroupAdded(actor=actor, group_id=id))
            await self._put(transaction, actor, id, frozenset(), people)
            await refresh(transaction, actor, self._grants, people)

        await self._transactions.write(work)
        return await self.get(actor, id)

    async def change(
        self,
        actor: Actor,
        id: UUID,
        told: Changes,
        steps: tuple[Membership, ...],
        tags: Tags,
    ) -> Group:
        """Return a group with another name, or with others in it after ``steps``."""

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await accounts.alone(connection)
            before = await self._mine(transaction, actor, id, tags)
            new = {name: one for name, one in told.items() if getattr(before, name) != one}
            inside = frozenset(one.id for one in before.members)
            after = inside
            for step in steps:
                after = _after(after, step)
            if new:
                merged = {**vars(before), **new}
                await self._checked(transaction, actor, merged, id)
                await repository.change_group(connection, id, changed_at=now(), **_columns(new))
                await transaction.emit(GroupChanged(actor=actor, group_id=id))
            elif after != inside:
                await repository.change_group(connection, id, changed_at=now())
            await self._put(transaction, actor, id, inside, after)
            touched = inside | after if new else inside ^ after
            await refresh(transaction, actor, self._grants, touched)

        await self._transactions.write(work)
        return await self.get(actor, id)

    async def remove(self, actor: Actor, id: UUID, tags: Tags) -> None:
        """Remove a group, and what it gave to those in it."""

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await accounts.alone(connection)
            before = await self._mine(transaction, actor, id, tags)
            inside = frozenset(one.id for one in before.members)
            await self._put(transaction, actor, id, inside, frozenset())
            await repository.remove_group(connection, id)
            await transaction.emit(GroupRemoved(actor=actor, group_id=id))
            await refresh(transaction, actor, self._grants, inside)

        await self._transactions.write(work, frees=True)

    async def _mine(self, transaction: Transaction, actor: Actor, id: UUID, tags: Tags) -> Group:
        found = await repository.group(transaction.connection, actor.site, id)
        if found is None:
            raise nobody()
        if not matches(found, tags):
            raise changed()
        return found

    async def _checked(
        self, transaction: Transaction, actor: Actor, told: Changes, but: UUID | None
    ) -> None:
        """Raise where another group has the name, or it gives roles at other sites alone."""
        name = told["display_name"]
        if is_elsewhere(self._grants, actor.site, name, told["external_id"]):
            raise other_site()
        if await repository.group_is_taken(transaction.connection, actor.site, name, but):
            raise taken("displayName")

    @staticmethod
    async def _put(
        transaction: Transaction,
        actor: Actor,
        id: UUID,
        before: frozenset[UUID],
        after: frozenset[UUID],
    ) -> None:
        """Have those ``after`` in the group instead of those ``before``."""
        connection, new, old = transaction.connection, after - before, before - after
        if await repository.who_are(connection, actor.site, new) != new:
            raise schemas.no_member()
        await repository.remove_members(connection, id, old)
        await repository.add_members(connection, id, new)
        for one in sorted(new):
            await transaction.emit(MemberAdded(actor=actor, person_id=one, group_id=id))
        for one in sorted(old):
            await transaction.emit(MemberRemoved(actor=actor, person_id=one, group_id=id))


def _after(inside: frozenset[UUID], step: Membership) -> frozenset[UUID]:
    if step.act == "add":
        return inside | step.people
    return inside - step.people if step.act == "remove" else step.people


def _columns(told: Changes) -> Changes:
    found: Changes = {name: told[name] for name in ("display_name", "external_id") if name in told}
    if "display_name" in found:
        found["display_key"] = found["display_name"].lower()
    return found
