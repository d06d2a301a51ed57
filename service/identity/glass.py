"""Break-glass: a clinician reads what is another site's, for a reason that an auditor looks into.

It lasts an hour at most, in a session of its own, and lets nobody write or sign. All that is read
meanwhile stands in the trail of the site that it is of.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from service.clock import now
from service.errors import ServiceError
from service.identity import schemas, secrets
from service.identity.actor import Actor, Glass
from service.identity.events import GlassBroken, GlassClosed, GlassEnded
from service.identity.repository import glass, sessions, sites
from service.identity.repository.glass import Use
from service.identity.sessions import Begun
from service.language.locale import N_
from service.storage.transaction import Transaction, Transactions

LASTS: Final = timedelta(minutes=60)
MOST: Final = 200
"""Uses on the auditors' list."""


class Glasses:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def others(self, actor: Actor) -> tuple[str, ...]:
        """Return the sites that are not the actor's own."""
        async with self._transactions.read() as connection:
            return tuple(one for one in await sites.all(connection) if one != actor.site)

    async def begin(self, actor: Actor, site: str, why: str) -> Begun:
        """Return a session that reads what is ``site``'s; the actor's own ends.

        Raises :class:`~service.identity.schemas.AccountError` for a site or a reason that is none,
        and :class:`~service.errors.ServiceError` for who is no clinician in a session of their own.
        """
        session, person_id = actor.session, actor.id
        reason = schemas.reason(why)
        if session is None or person_id is None or session.glass or "clinician" not in actor.roles:
            raise ServiceError("forbidden", N_("Only a clinician who has signed in can do this."))
        at, token, id = now(), secrets.token(), uuid4()
        hash = secrets.hashed("session", token)

        async def work(transaction: Transaction) -> Begun:
            connection = transaction.connection
            if site not in await sites.all(connection) or site == actor.site:
                raise schemas.fault("site", "listed")
            old = await sessions.whole(connection, session.hash)
            if old is None:
                raise ServiceError("sign_in", N_("The sign-in has ended."))
            ends = min(at + LASTS, old["ends_at"])
            await glass.add(
                connection, id=id, person_id=person_id, home=actor.site, site=site, reason=reason,
                began_at=at, ends_at=ends, back_until=old["ends_at"],
            )  # fmt: skip
            await sessions.end(connection, session.hash)
            changed = {"hash": hash, "site": site, "seen_at": at, "ends_at": ends, "glass_id": id}
            await sessions.add(connection, **{**old, **changed})
            begun = replace(
                actor,
                site=site,
                roles=frozenset({"viewer"}),
                session=replace(
                    session, hash=hash, glass=Glass(id=id, home=actor.site, ends_at=ends)
                ),
            )
            await transaction.emit(
                GlassBroken(actor=begun, glass_id=id, person_id=person_id, home=actor.site)
            )
            return Begun(token=token, actor=begun)

        return await self._transactions.write(work)

    async def end(self, actor: Actor) -> Begun | None:
        """Return a session at the actor's own site again; None where they are there already."""
        session, person_id = actor.session, actor.id
        if session is None or person_id is None or session.glass is None:
            return None
        broken = session.glass
        at, token = now(), secrets.token()
        hash = secrets.hashed("session", token)

        async def work(transaction: Transaction) -> Begun | None:
            connection = transaction.connection
            old = await sessions.whole(connection, session.hash)
            known = await glass.one(connection, broken.id)
            if old is None or known is None:
                return None
            await sessions.end(connection, session.hash)
            changed = {
                "hash": hash, "site": known.home, "seen_at": at, "ends_at": known.back_until,
                "glass_id": None,
            }  # fmt: skip
            await sessions.add(connection, **{**old, **changed})
            await glass.end(connection, broken.id, at)
            await transaction.emit(
                GlassEnded(actor=actor, glass_id=broken.id, person_id=person_id, home=known.home)
            )
            home = replace(
                actor,
                site=known.home,
                roles=frozenset({"clinician"}),
                session=replace(session, hash=hash, glass=None),
            )
            return Begun(token=token, actor=home)

        return await self._transactions.write(work)

    async def uses(self, actor: Actor) -> tuple[Use, ...]:
        """Return who has read what is the auditor's site's, or came from there."""
        async with self._transactions.read() as connection:
            return await glass.uses(connection, actor.site, MOST)

    async def close(self, actor: Actor, id: UUID, remark: str) -> bool:
        """Note that the auditor has looked into a use of what is their site's.

        False where there is none that is open. Nobody closes their own:
        :class:`~service.errors.ServiceError`.
        """
        by = actor.id
        if by is None:
            return False
        said = schemas.remark(remark)

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            found = [one for one in await glass.uses(connection, actor.site, MOST) if one.id == id]
            if any(one.person_id == by for one in found):
                raise ServiceError("forbidden", N_("Somebody else has to look into this one."))
            if not await glass.close(connection, actor.site, id, now(), by, said):
                return False
            await transaction.emit(GlassClosed(actor=actor, glass_id=id))
            return True

        return await self._transactions.write(work)
