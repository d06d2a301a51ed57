"""Whoever comes from the identity provider, as a person here: their account, roles and session."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from service.clock import now
from service.identity.actor import Actor
from service.identity.events import PersonAdded, ProviderReason, RolesChanged
from service.identity.oidc import repository, tokens
from service.identity.oidc.claims import Who
from service.identity.oidc.errors import RefusedError
from service.identity.oidc.flow import Returned
from service.identity.oidc.grants import Grant, Grants, by_site, of_groups
from service.identity.repository import accounts
from service.identity.schemas import in_order
from service.identity.scim import repository as directory
from service.identity.scim.roles import refresh
from service.identity.sessions import Begun, ByProvider, Sessions
from service.storage.transaction import Transaction, Transactions

LONGEST_HINT = 2500
"""Characters of an id_token that may still stand in an address."""


class Arrivals:
    """Raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, grants: Grants, transactions: Transactions, sessions: Sessions) -> None:
        self._grants = grants
        self._transactions = transactions
        self._sessions = sessions

    async def begin(self, actor: Actor, returned: Returned) -> Begun:
        """Begin a session of whoever has come back; ``actor`` is whoever the browser's was.

        Roles are those of their groups as they are now, beside those given by hand. Raises
        :class:`~service.identity.oidc.errors.RefusedError`: the roles are changed all the same.
        """
        who, flow = returned.who, returned.flow
        again = flow.session is not None
        if again and (who.proved_at is None or who.proved_at < flow.created_at - tokens.LEEWAY):
            raise RefusedError("stale")
        is_theirs = actor.session is not None and actor.session.hash == flow.session
        asked = actor.id if is_theirs else None

        async def work(transaction: Transaction) -> tuple[UUID | None, ProviderReason | None]:
            return await self._arrived(transaction, actor, who, asked)

        person_id, refused = await self._transactions.write(work)
        if refused is not None or person_id is None:
            raise RefusedError(refused or "no_role", person_id)
        token = returned.id_token
        provider = ByProvider(
            issuer=who.issuer,
            sub=who.sub,
            sid=who.sid,
            id_token=token if token is not None and len(token) <= LONGEST_HINT else None,
            proved_at=who.proved_at,
        )
        return await self._sessions.begin(actor, person_id, provider, again=again and is_theirs)

    async def _arrived(
        self, transaction: Transaction, actor: Actor, who: Who, asked: UUID | None
    ) -> tuple[UUID | None, ProviderReason | None]:
        """Return whose account it is, and why they are not let in."""
        connection = transaction.connection
        await accounts.alone(connection)
        grants = of_groups(self._grants, who.groups)
        found = await repository.person(connection, who.issuer, who.subject)
        if asked is not None and (found is None or found.id != asked):
            return None if found is None else found.id, "other_person"
        if found is None:
            # Of somebody who may do nothing here nothing is kept.
            return (await self._added(transaction, actor, who, grants), None) if grants else (
                None, "no_role"
            )  # fmt: skip
        if found.disabled:
            return found.id, "disabled"
        if found.name != who.name:
            await repository.set_name(connection, found.id, who.name)
        before = await repository.given(connection, found.id)
        if before != grants:
            await repository.give(connection, found.id, grants)
            await self._tell(transaction, replace(actor, id=found.id), found.id, before, grants)
        await self._provisioned(transaction, replace(actor, id=found.id), found.id)
        return found.id, None if await repository.has_role(connection, found.id) else "no_role"

    async def _added(
        self, transaction: Transaction, actor: Actor, who: Who, grants: frozenset[Grant]
    ) -> UUID:
        connection = transaction.connection
        made = await repository.add_person(
            connection, who.issuer, who.subject, who.login, who.name, now()
        )
        await repository.give(connection, made, grants)
        for site, roles in by_site(grants).items():
            acting = replace(actor, id=made, site=site)
            await transaction.emit(PersonAdded(actor=acting, person_id=made, roles=in_order(roles)))
        return made

    async def _provisioned(self, transaction: Transaction, actor: Actor, person_id: UUID) -> None:
        """Have the groups of the hospital's directory give what settings say of them now."""
        site = await directory.site_of(transaction.connection, person_id)
        if site is not None:
            await refresh(transaction, replace(actor, site=site), self._grants, [person_id])

    async def _tell(
        self,
        transaction: Transaction,
        actor: Actor,
        person_id: UUID,
        before: frozenset[Grant],
        after: frozenset[Grant],
    ) -> None:
        old, new = by_site(before), by_site(after)
        for site in sorted({*old, *new}):
            was, now_is = old.get(site, frozenset()), new.get(site, frozenset())
            if was != now_is:
                await transaction.emit(
                    RolesChanged(
                        actor=replace(actor, site=site),
                        person_id=person_id,
                        before=in_order(was),
                        after=in_order(now_is),
                        source="idp",
                    )
                )
