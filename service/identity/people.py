"""Accounts: the first one, further ones, their roles and passwords, and their end."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.errors import ServiceError
from service.identity import schemas, secrets
from service.identity.actor import DEFAULT_SITE, Actor, Role
from service.identity.events import (
    FactorRemoved,
    LinkMade,
    PasskeyRemoved,
    PasswordChanged,
    PersonAdded,
    PersonDisabled,
    PersonEnabled,
    RolesChanged,
)
from service.identity.passwords import Passwords
from service.identity.repository import (
    accounts,
    claims,
    factors,
    memberships,
    passkeys,
    sessions,
    sites,
)
from service.identity.repository.memberships import BY_GROUPS, BY_HAND, BY_SCIM
from service.identity.schemas import (
    LastAdministratorError,
    LinkError,
    LocalAccountsOffError,
    Person,
    in_order,
)
from service.identity.settings import IdentitySettings
from service.language.locale import N_
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
            return await accounts.is_empty(connection)

    async def first_link(self, actor: Actor) -> str | None:
        """Return the token of a new link for the first administrator; None: there is an account.

        Links made before are void. There is none where an identity provider signs people in.
        """
        if not self._local:
            return None
        token = secrets.token()

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            await accounts.alone(connection)
            if not await accounts.is_empty(connection):
                return False
            hash = secrets.hashed("first", token)
            await claims.add(connection, hash, None, now() + FIRST)
            await transaction.emit(LinkMade(actor=actor, person_id=None))
            return True

        return token if await self._transactions.write(work) else None

    async def claim(
        self, actor: Actor, token: str, login: str, name: str, password: str, *, reads: bool
    ) -> UUID:
        """Return the id of the first account, an administrator's; ``reads``: and a clinician's.

        Raises :class:`~service.identity.schemas.LinkError`, before anything costly is done where
        the token is none, or :class:`~service.identity.schemas.AccountError` for a password that
        is easily guessed.
        """
        hash = secrets.hashed("first", token)
        is_set = self._set_token is not None and hmac.compare_digest(
            self._set_token.encode(), token.encode("utf-8", "replace")
        )
        async with self._transactions.read() as connection:
            is_open = self._local and await accounts.is_empty(connection)
            if not is_open or not (is_set or await claims.is_good(connection, hash, now())):
                raise LinkError
        kept = await self._hash(password, login, name, DEFAULT_SITE)
        roles: tuple[Role, ...] = ("clinician", "administrator") if reads else ("administrator",)

        async def work(transaction: Transaction) -> UUID:
            connection = transaction.connection
            await accounts.alone(connection)
            if not await accounts.is_empty(connection):
                raise LinkError
            good, _ = await claims.use(connection, hash, now())
            if not good and not is_set:
                raise LinkError
            await claims.end(connection, None)
            made = await accounts.add(connection, login, name, kept, now())
            if made is None:
                raise LinkError
            await memberships.set_roles(connection, made, DEFAULT_SITE, roles)
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
            made = await accounts.add(connection, login, name, None, now(), sealed=sealed)
            if made is None:
                raise schemas.taken("login")
            await memberships.set_roles(connection, made, actor.site, chosen)
            await transaction.emit(PersonAdded(actor=actor, person_id=made, roles=chosen))
            await self._invite(transaction, actor, made, token)
            return made

        return await self._transactions.write(work), token

    async def link(self, actor: Actor, person_id: UUID) -> str | None:
        """Return the token of a link by which they set their password; None without the person.

        Until it is used the password of before is good. Whoever has it can act as them, so it is
        made by those alone who manage every site where they have a role: else
        :class:`~service.errors.ServiceError`. Raises
        :class:`~service.identity.schemas.LocalAccountsOffError` where the provider signs them in.
        """
        token = secrets.token()

        async def work(transaction: Transaction) -> bool:
            if not await self._is_of(transaction, actor, person_id):
                return False
            await self._theirs(transaction, actor, person_id)
            account = await accounts.by_id(transaction.connection, person_id)
            if account is None or not (self._local or account.sealed):
                raise LocalAccountsOffError
            await self._invite(transaction, actor, person_id, token)
            return True

        return token if await self._transactions.write(work) else None

    async def welcome(self, actor: Actor, token: str, password: str) -> UUID:
        """Set the password of whoever the link is for, and end their sign-ins; return their id.

        Raises :class:`~service.identity.schemas.LinkError`, or
        :class:`~service.identity.schemas.AccountError` for a password that is easily guessed, for
        which the link stays good.
        """
        hash = secrets.hashed("password", token)
        async with self._transactions.read() as connection:
            invited = await claims.whose(connection, hash, now())
            account = invited and await accounts.by_id(connection, invited)
            told = await memberships.sites(connection, invited) if invited else ()
        if not account:
            raise LinkError
        kept = await self._hash(password, account.login, account.name, *told)

        async def work(transaction: Transaction) -> UUID:
            connection = transaction.connection
            good, person_id = await claims.use(connection, hash, now())
            account = person_id and await accounts.by_id(connection, person_id)
            if not good or not account or account.disabled or not (self._local or account.sealed):
                raise LinkError
            await accounts.set_password(connection, account.id, kept)
            await sessions.end_all(connection, account.id)
            await transaction.emit(PasswordChanged(actor=actor, person_id=account.id))
            return account.id

        return await self._transactions.write(work)

    async def change_password(self, actor: Actor, password: str) -> None:
        """Replace the actor's own password, and end their sign-ins.

        Raises :class:`~service.identity.schemas.AccountError` for one that is easily guessed.
        """
        person_id = self.own(actor)
        async with self._transactions.read() as connection:
            account = await accounts.by_id(connection, person_id)
            told = await memberships.sites(connection, person_id)
        login = "" if account is None else account.login
        kept = await self._hash(password, login, actor.name, *told)

        async def work(transaction: Transaction) -> None:
            await accounts.set_password(transaction.connection, person_id, kept)
            await sessions.end_all(transaction.connection, person_id)
            await claims.end(transaction.connection, person_id)
            await transaction.emit(PasswordChanged(actor=actor, person_id=person_id))

        await self._transactions.write(work)

    @staticmethod
    def own(actor: Actor) -> UUID:
        """Return the id of the actor, who is a person."""
        if actor.id is None or not actor.is_person:
            raise RuntimeError("asked of a route for people alone")
        return actor.id

    async def set_roles(
        self, actor: Actor, person_id: UUID, roles: Collection[Role], site: str | None = None
    ) -> bool:
        """Replace somebody's roles at the actor's site, or another ``site`` that they manage.

        False without the person or the site. Raises
        :class:`~service.identity.schemas.LastAdministratorError`.
        """
        chosen = in_order(roles)
        there = actor if site is None else replace(actor, site=site)

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            await accounts.alone(connection)
            if not await self._is_of(transaction, actor, person_id):
                return False
            if there.site != actor.site and there.site not in await self._managed(
                connection, actor
            ):
                return False
            before = await memberships.roles(connection, person_id, there.site, BY_HAND)
            if before == chosen:
                return True
            by_groups = await memberships.roles(connection, person_id, there.site, BY_GROUPS)
            by_scim = await memberships.roles(connection, person_id, there.site, BY_SCIM)
            if "administrator" not in {*chosen, *by_groups, *by_scim}:
                await self._not_the_last(transaction, there.site, person_id)
            await memberships.set_roles(connection, person_id, there.site, chosen)
            await transaction.emit(
                RolesChanged(actor=there, person_id=person_id, before=before, after=chosen)
            )
            return True

        return await self._transactions.write(work)

    async def elsewhere(self, actor: Actor, person_id: UUID) -> dict[str, tuple[Role, ...]]:
        """Return somebody's roles at each other site that the actor manages."""
        async with self._transactions.read() as connection:
            return {
                site: await memberships.roles(connection, person_id, site, BY_HAND)
                for site in await self._managed(connection, actor)
                if site != actor.site
            }

    async def disable(self, actor: Actor, person_id: UUID) -> bool:
        """End an account, its sign-ins and what it has under way; False without the person.

        Raises :class:`~service.identity.schemas.LastAdministratorError`.
        """

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            await accounts.alone(connection)
            if not await self._is_of(transaction, actor, person_id):
                return False
            await self._theirs(transaction, actor, person_id)
            for site in await memberships.managed(connection, person_id):
                await self._not_the_last(transaction, site, person_id)
            if await accounts.set_disabled(connection, person_id, now()):
                await sessions.end_all(connection, person_id)
                await claims.end(connection, person_id)
                await transaction.emit(PersonDisabled(actor=actor, account_id=person_id))
            return True

        return await self._transactions.write(work)

    async def enable(self, actor: Actor, person_id: UUID) -> bool:
        """Take a disabled account up again; False without the person."""

        async def work(transaction: Transaction) -> bool:
            if not await self._is_of(transaction, actor, person_id):
                return False
            await self._theirs(transaction, actor, person_id)
            if await accounts.set_disabled(transaction.connection, person_id, None):
                await transaction.emit(PersonEnabled(actor=actor, person_id=person_id))
            return True

        return await self._transactions.write(work)

    async def reset_second(self, actor: Actor, person_id: UUID) -> bool:
        """Remove somebody's second factor and passkeys, and end their sign-ins.

        False without the person. As a link for a password: by those alone who manage every site
        where they have a role.
        """

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            if not await self._is_of(transaction, actor, person_id):
                return False
            await self._theirs(transaction, actor, person_id)
            keys = await passkeys.remove_all(connection, person_id)
            app = await factors.remove(connection, person_id)
            for key in keys:
                await transaction.emit(
                    PasskeyRemoved(actor=actor, person_id=person_id, passkey_id=key)
                )
            if app:
                await transaction.emit(FactorRemoved(actor=actor, person_id=person_id))
            if keys or app:
                await sessions.end_all(connection, person_id)
            return True

        return await self._transactions.write(work)

    @property
    def may_add(self) -> bool:
        """Whether accounts that sign in by password are made by hand."""
        return self._local

    async def all(self, actor: Actor) -> tuple[Person, ...]:
        """Return the accounts that the actor's site manages, by login."""
        async with self._transactions.read() as connection:
            return await accounts.all(connection, actor.site)

    async def known(self, login: str) -> Person | None:
        """Return whoever signs in by this name, with the roles that they have anywhere."""
        async with self._transactions.read() as connection:
            account = await accounts.by_login(connection, login.lower())
            found = account and await accounts.all(connection, None, account.id)
        return found[0] if found else None

    async def get(self, actor: Actor, person_id: UUID) -> Person | None:
        async with self._transactions.read() as connection:
            found = await accounts.all(connection, actor.site, person_id)
        return found[0] if found else None

    async def sites(self, actor: Actor) -> tuple[str, ...]:
        """Return the sites at which the actor has a role."""
        if actor.id is None:
            return (actor.site,)
        async with self._transactions.read() as connection:
            return await memberships.sites(connection, actor.id)

    async def _hash(self, password: str, *told: str) -> str:
        """``told``: names that everybody would try it with."""
        if await self._passwords.is_guessable(password, *told):
            raise schemas.guessable()
        return await self._passwords.hash(password)

    async def _invite(
        self, transaction: Transaction, actor: Actor, person_id: UUID, token: str
    ) -> None:
        hash = secrets.hashed("password", token)
        await claims.add(transaction.connection, hash, person_id, now() + INVITED)
        await transaction.emit(LinkMade(actor=actor, person_id=person_id))

    async def _is_of(self, transaction: Transaction, actor: Actor, person_id: UUID) -> bool:
        # The command line, which has no account, is of every site.
        site = None if actor.id is None else actor.site
        return bool(await accounts.all(transaction.connection, site, person_id))

    async def _theirs(self, transaction: Transaction, actor: Actor, person_id: UUID) -> None:
        """Raise unless the actor manages every site that the account has a role at."""
        managed = {actor.site, *await self._managed(transaction.connection, actor)}
        if not managed.issuperset(await memberships.sites(transaction.connection, person_id)):
            raise ServiceError(
                "forbidden",
                N_("They have a role at a site that you do not manage: take theirs here away."),
            )

    @staticmethod
    async def _managed(connection: AsyncConnection, actor: Actor) -> tuple[str, ...]:
        """Return the sites that the actor manages: all where they have no account."""
        if actor.id is None:
            return await sites.all(connection)
        return await memberships.managed(connection, actor.id)

    @staticmethod
    async def _not_the_last(transaction: Transaction, site: str, person_id: UUID) -> None:
        if await memberships.administrators(transaction.connection, site) == {person_id}:
            raise LastAdministratorError
