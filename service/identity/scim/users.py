"""People of the hospital's directory: added, changed, ended, for the site of its key."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from service.clock import now
from service.identity.actor import Actor
from service.identity.events import (
    MemberRemoved,
    PersonAdded,
    PersonChanged,
    PersonDisabled,
    PersonEnabled,
)
from service.identity.oidc import repository as provider
from service.identity.oidc.claims import LONGEST_SUBJECT, login_of
from service.identity.oidc.grants import Grants
from service.identity.repository import accounts, claims, memberships, sessions
from service.identity.scim import repository, subjects
from service.identity.scim.documents import matches
from service.identity.scim.errors import changed, nobody, taken, wrong
from service.identity.scim.filters import Filter
from service.identity.scim.roles import refresh
from service.identity.scim.schemas import Changes, Named, User, name_for
from service.storage.transaction import Transaction, Transactions

Tags = frozenset[str] | None
"""What ``If-Match`` demands."""

_ERASED: Final = dict.fromkeys(
    ("formatted", "given_name", "family_name", "display_name", "email"), ""
)


class Users:
    """Every method raises :class:`~service.identity.scim.errors.ScimError`, or
    :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self,
        issuer: str,
        subject: tuple[str | None, ...],
        grants: Grants,
        transactions: Transactions,
    ) -> None:
        self._issuer = issuer
        self._subject = subject
        self._grants = grants
        self._transactions = transactions

    async def page(
        self, actor: Actor, which: Filter, skip: int, most: int
    ) -> tuple[int, tuple[User, ...]]:
        """Return how many there are at the actor's site, and some of them."""
        async with self._transactions.read() as connection:
            total, found = await repository.users(connection, actor.site, which, skip, most)
            groups = await repository.groups_of(connection, [one.id for one in found])
        named = {
            person: tuple(Named(id=one.id, name=one.display_name) for one in inside)
            for person, inside in groups.items()
        }
        return total, tuple(replace(one, groups=named.get(one.id, ())) for one in found)

    async def get(self, actor: Actor, id: UUID) -> User:
        _, found = await self.page(actor, (("id", str(id)),), 0, 1)
        if not found:
            raise nobody()
        return found[0]

    async def add(self, actor: Actor, told: Changes) -> User:
        """Return somebody new: an account that the provider signs in by ``externalId``.

        Whoever has signed in before keeps their account, where its roles are of this site alone.
        """
        if not told["external_id"]:
            raise wrong("externalId is needed: by it the identity provider knows who signs in.")
        subject = subjects.subject(self._subject, told["external_id"])
        if len(subject) > LONGEST_SUBJECT:
            raise wrong(f"At most {LONGEST_SUBJECT} characters are allowed.")
        active = told.get("active", True)

        async def work(transaction: Transaction) -> UUID:
            connection, at = transaction.connection, now()
            await accounts.alone(connection)
            field = await repository.user_is_taken(connection, actor.site, told)
            if field is not None:
                raise taken(field)
            known = await provider.person(connection, self._issuer, subject)
            kept = None
            if known is None:
                login = login_of(told["user_name"])
                person_id = await provider.add_person(
                    connection, self._issuer, subject, login, name_for(told), at
                )
                await transaction.emit(PersonAdded(actor=actor, person_id=person_id, roles=()))
            else:
                person_id = known.id
                kept = await repository.kept(connection, person_id)
                elsewhere = {*await memberships.sites(connection, person_id)} - {actor.site}
                if elsewhere or (kept is not None and not kept.is_deleted):
                    raise taken("externalId")
                await provider.set_name(connection, person_id, name_for(told))
                await self._tell(transaction, actor, person_id, told)
            columns = {**_columns(told), "site": actor.site, "created_at": at, "changed_at": at}
            await repository.put_user(connection, person_id, is_new=kept is None, **columns)
            await self._set_active(transaction, actor, person_id, active)
            return person_id

        return await self.get(actor, await self._transactions.write(work))

    async def change(
        self, actor: Actor, id: UUID, told: Changes, tags: Tags, *, whole: bool = False
    ) -> User:
        """Return somebody with what ``told`` says of them; ``whole``: it stands for all there is.

        Where the directory disables somebody their sign-ins end at once, and batches under way.
        """

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await accounts.alone(connection)
            before = await self._mine(transaction, actor, id, tags)
            new = {
                name: value
                for name, value in told.items()
                if name != "active" and getattr(before, name) != value
            }
            if whole and not told["external_id"]:
                new.pop("external_id", None)
            if "external_id" in new:
                raise wrong("externalId stays: by it people are known.", "mutability")
            field = await repository.user_is_taken(connection, actor.site, new, id)
            if field is not None:
                raise taken(field)
            if new:
                columns = {**_columns(new), "changed_at": now()}
                await repository.put_user(connection, id, is_new=False, **columns)
                await provider.set_name(connection, id, name_for({**vars(before), **new}))
                await self._tell(transaction, actor, id, new)
            if "active" in told:
                await self._set_active(transaction, actor, id, told["active"])

        await self._transactions.write(work)
        return await self.get(actor, id)

    async def remove(self, actor: Actor, id: UUID, tags: Tags) -> None:
        """Disable an account and forget what the directory said of it; signatures keep the name."""

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await accounts.alone(connection)
            await self._mine(transaction, actor, id, tags)
            await self._set_active(transaction, actor, id, False)
            for group in (await repository.groups_of(connection, [id])).get(id, ()):
                await repository.remove_members(connection, group.id, [id])
                await transaction.emit(MemberRemoved(actor=actor, person_id=id, group_id=group.id))
            await refresh(transaction, actor, self._grants, [id])
            await repository.put_user(
                connection, id, is_new=False, changed_at=now(), user_name=None, user_key=None,
                external_id=None, **_ERASED,
            )  # fmt: skip
            await self._tell(transaction, actor, id, {"user_name": ""})

        await self._transactions.write(work, frees=True)

    async def _mine(self, transaction: Transaction, actor: Actor, id: UUID, tags: Tags) -> User:
        found = await repository.user(transaction.connection, actor.site, id)
        if found is None:
            raise nobody()
        groups = (await repository.groups_of(transaction.connection, [id])).get(id, ())
        inside = tuple(Named(id=one.id, name=one.display_name) for one in groups)
        if not matches(replace(found, groups=inside), tags):
            raise changed()
        return found

    @staticmethod
    async def _tell(transaction: Transaction, actor: Actor, person_id: UUID, told: Changes) -> None:
        fields = tuple(sorted(name for name in told if name != "active"))
        await transaction.emit(PersonChanged(actor=actor, person_id=person_id, fields=fields))

    @staticmethod
    async def _set_active(
        transaction: Transaction, actor: Actor, person_id: UUID, active: bool
    ) -> None:
        """Enable or disable; whom an administrator disabled here stays disabled."""
        connection, at = transaction.connection, now()
        if not active:
            if await accounts.set_disabled(connection, person_id, at):
                await repository.put_user(connection, person_id, is_new=False, disabled_at=at)
                await transaction.emit(PersonDisabled(actor=actor, account_id=person_id))
            await sessions.end_all(connection, person_id)
            await claims.end(connection, person_id)
            return
        kept = await repository.kept(connection, person_id)
        since = await accounts.disabled_at(connection, person_id)
        if since is not None and kept is not None and kept.disabled_at == since:
            await accounts.set_disabled(connection, person_id, None)
            await transaction.emit(PersonEnabled(actor=actor, person_id=person_id))


def _columns(told: Changes) -> Changes:
    """Return what is told of somebody as the table has it."""
    found = {name: value for name, value in told.items() if name != "active"}
    if "user_name" in found:
        found["user_key"] = found["user_name"].lower()
    return found
