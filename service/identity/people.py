"""Accounts: the first one, further ones, their roles and passwords, and their end."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import timedelta
from typing import Final
from uuid import UUID

from service.clock import now
from service.identity import repository, schemas, secrets
from service.identity.actor import DEFAULT_SITE, Actor, Role
from service.identity.events import (
    LinkMade,
    PasswordChanged,
    PersonAdded,
    PersonDisabled,
    PersonEnabled,
    RolesChanged,
    SignInFailed,
)
from service.identity.passwords import Passwords
from service.identity.schemas import (
    LastAdministratorError,
    LinkError,
    LocalAccountsOffError,
    Person,
    in_order,
)
from service.identity.settings import IdentitySettings
from service.storage.transaction import Transaction, Transactions

FIRST: Final = timedelta(minutes=30)
INVITED: Final = timedelta(days=3)
"""How long a link is good for."""


class People:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self, settings: IdentitySettings, transactions: Transactions, passwords: Passwords
    ) -> None:
        token = settings.first_administrator
        self._set_token = None if token is None else token.get_secret_value()
        self._local = settings.oidc_issuer is None
        self._transactions = transactions
        self._passwords = passwords

    async def nobody(self) -> bool:
        """Whether there is no account yet, and one would be made here."""
        if not self._local:
            return False
        async with self._transactions.read() as connection:
            return await repository.is_empty(connection)

    async def first_link(self, actor: Actor) -> str | None:
        """Return the token of a new link for the first administrator; None: there is an account.

        Links made before are void. There is none where an identity provider signs people in.
        """
        if not self._local:
            return None
        token = secrets.token()

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            await repository.alone(connection)
            if not await repository.is_empty(connection):
                return False
            hash = secrets.hashed("first", token)
            await repository.add_claim(connection, hash, None, now() + FIRST)
            await transaction.emit(LinkMade(actor=actor, person_id=None))
            return True

        return token if await self._transactions.write(work) else None

    async def claim(
        self, actor: Actor, token: str, login: str, name: str, password: str, *, reads: bool
    ) -> UUID:
        """Return the id of the first account, an administrator's; ``reads``: and a clinician's.

        Raises :class:`~service.identity.schemas.LinkError`, before anything costly is done where
        the token is none.
        """
        hash = secrets.hashed("first", token)
        is_set = self._set_token is not None and hmac.compare_digest(
            self._set_token.encode(), token.encode("utf-8", "replace")
        )
        async with self._transactions.read() as connection:
            is_open = await repository.is_empty(connection)
            if (
                not self._local
                or not is_open
                or not (is_set or await repository.claimed(connection, hash, now()))
            ):
                raise LinkError
        kept = await self._passwords.hash(password)
        roles: tuple[Role, ...] = ("clinician", "administrator") if reads else ("administrator",)

        async def work(transaction: Transaction) -> UUID:
            connection = transaction.connection
            await repository.alone(connection)
            if not await repository.is_empty(connection):
                raise LinkError
            good, _ = await repository.use_claim(connection, hash, now())
            if not good and not is_set:
                raise LinkError
            await repository.end_claims(connection, None)
            made = await repository.add_person(connection, login, name, kept, now())
            if made is None:
                raise LinkError
            await repository.set_roles(connection, made, DEFAULT_SITE, roles)
            await transaction.emit(PersonAdded(actor=actor, person_id=made, roles=roles))
            return made

        return await self._transactions.write(work)

    async def add(
        self,
        actor: Actor,
        login: str,
        name: str,
        roles: Collection[Role],
        *,
        sealed: bool = False,
    ) -> tuple[UUID, str]:
        """Return the id of a new account at the actor's site, and its link's token.

        ``sealed``: it signs in by password where an identity provider does so for everybody else,
        and without that :class:`~service.identity.schemas.LocalAccountsOffError` is raised there.
        """
        if not self._local and not sealed:
            raise LocalAccountsOffError
        chosen, token = in_order(roles), secrets.token()

        async def work(transaction: Transaction) -> UUID:
            connection = transaction.connection
            made = await repository.add_person(connection, login, name, None, now(), sealed=sealed)
            if made is None:
                raise schemas.taken("login")
            await repository.set_roles(connection, made, actor.site, chosen)
            await transaction.emit(PersonAdded(actor=actor, person_id=made, roles=chosen))
            await self._invite(transaction, actor, made, token)
            return made

        return await self._transactions.write(work), token

    async def link(self, actor: Actor, person_id: UUID) -> str | None:
        """Return the token of a link by which they set their password; None without the person.

        Until it is used the password of before is good. Raises
        :class:`~service.identity.schemas.LocalAccountsOffError`.
        """
        token = secrets.token()

        async def work(transaction: Transaction) -> bool:
            if not await self._is_of(transaction, actor, person_id):
                return False
            account = await repository.by_id(transaction.connection, person_id)
            if account is None or not (self._local or account.sealed):
                raise LocalAccountsOffError
            await self._invite(transaction, actor, person_id, token)
            return True

        return token if await self._transactions.write(work) else None

    async def welcome(self, actor: Actor, token: str, password: str) -> UUID:
        """Set the password of whoever the link is for, and end their sign-ins; return their id.

        Raises :class:`~service.identity.schemas.LinkError`.
        """
        hash = secrets.hashed("password", token)
        async with self._transactions.read() as connection:
            good = await repository.claimed(connection, hash, now())
        if not good:

            async def failed(transaction: Transaction) -> None:
                await transaction.emit(SignInFailed(actor=actor, person_id=None, reason="link"))

            await self._transactions.write(failed)
            raise LinkError
        kept = await self._passwords.hash(password)

        async def work(transaction: Transaction) -> UUID:
            connection = transaction.connection
            good, person_id = await repository.use_claim(connection, hash, now())
            account = person_id and await repository.by_id(connection, person_id)
            if not good or not account or account.disabled or not (self._local or account.sealed):
                raise LinkError
            await repository.set_password(connection, account.id, kept)
            await repository.end_sessions(connection, account.id)
            await transaction.emit(PasswordChanged(actor=actor, person_id=account.id))
            return account.id

        return await self._transactions.write(work)

    async def change_password(self, actor: Actor, password: str) -> None:
        """Replace the actor's own password, and end their sign-ins."""
        person_id = self.own(actor)
        kept = await self._passwords.hash(password)

        async def work(transaction: Transaction) -> None:
            await repository.set_password(transaction.connection, person_id, kept)
            await repository.end_sessions(transaction.connection, person_id)
            await repository.end_claims(transaction.connection, person_id)
            await transaction.emit(PasswordChanged(actor=actor, person_id=person_id))

        await self._transactions.write(work)

    @staticmethod
    def own(actor: Actor) -> UUID:
        """Return the id of the actor, who is a person."""
        if actor.id is None or not actor.is_person:
            raise RuntimeError("asked of a route for people alone")
        return actor.id

    async def set_roles(self, actor: Actor, person_id: UUID, roles: Collection[Role]) -> bool:
        """Replace somebody's roles at the actor's site; False without the person.

        Raises :class:`~service.identity.schemas.LastAdministratorError`.
        """
        chosen = in_order(roles)

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            await repository.alone(connection)
            if not await self._is_of(transaction, actor, person_id):
                return False
            before = await repository.roles(connection, person_id, actor.site, repository.BY_HAND)
            if before == chosen:
                return True
            by_groups = await repository.roles(
                connection, person_id, actor.site, repository.BY_GROUPS
            )
            if "administrator" not in {*chosen, *by_groups}:
                await self._not_the_last(transaction, actor, person_id)
            await repository.set_roles(connection, person_id, actor.site, chosen)
            await transaction.emit(
                RolesChanged(actor=actor, person_id=person_id, before=before, after=chosen)
            )
            return True

        return await self._transactions.write(work)

    async def disable(self, actor: Actor, person_id: UUID) -> bool:
        """End an account, its sign-ins and what it has under way; False without the person.

        Raises :class:`~service.identity.schemas.LastAdministratorError`.
        """

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            await repository.alone(connection)
            if not await self._is_of(transaction, actor, person_id):
                return False
            await self._not_the_last(transaction, actor, person_id)
            if await repository.set_disabled(connection, person_id, now()):
                await repository.end_sessions(connection, person_id)
                await repository.end_claims(connection, person_id)
                await transaction.emit(PersonDisabled(actor=actor, account_id=person_id))
            return True

        return await self._transactions.write(work)

    async def enable(self, actor: Actor, person_id: UUID) -> bool:
        """Take a disabled account up again; False without the person."""

        async def work(transaction: Transaction) -> bool:
            if not await self._is_of(transaction, actor, person_id):
                return False
            if await repository.set_disabled(transaction.connection, person_id, None):
                await transaction.emit(PersonEnabled(actor=actor, person_id=person_id))
            return True

        return await self._transactions.write(work)

    async def all(self, actor: Actor) -> tuple[Person, ...]:
        """Return the accounts that the actor's site manages, by login."""
        async with self._transactions.read() as connection:
            return await repository.people(connection, actor.site)

    async def get(self, actor: Actor, person_id: UUID) -> Person | None:
        async with self._transactions.read() as connection:
            found = await repository.people(connection, actor.site, person_id)
        return found[0] if found else None

    async def sites(self, actor: Actor) -> tuple[str, ...]:
        """Return the sites at which the actor has a role."""
        if actor.id is None:
            return (actor.site,)
        async with self._transactions.read() as connection:
            return await repository.sites(connection, actor.id)

    async def _invite(
        self, transaction: Transaction, actor: Actor, person_id: UUID, token: str
    ) -> None:
        hash = secrets.hashed("password", token)
        await repository.add_claim(transaction.connection, hash, person_id, now() + INVITED)
        await transaction.emit(LinkMade(actor=actor, person_id=person_id))

    async def _is_of(self, transaction: Transaction, actor: Actor, person_id: UUID) -> bool:
        return bool(await repository.people(transaction.connection, actor.site, person_id))

    async def _not_the_last(self, transaction: Transaction, actor: Actor, person_id: UUID) -> None:
        if await repository.administrators(transaction.connection, actor.site) == {person_id}:
            raise LastAdministratorError
