"""Signing in and out, and whose a cookie is.

A session is a row, and the browser's cookie 256 random bits of which the row keeps the hash: it
ends on every front at once, and a database that does not answer ends none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from service.clock import now
from service.identity import secrets
from service.identity.actor import DEFAULT_SITE, Actor, Glass, Session
from service.identity.attempts import Attempts
from service.identity.events import (
    How,
    SealedAccountUsed,
    SignedIn,
    SignedInAgain,
    SignedOut,
    SignInFailed,
)
from service.identity.factors import Factors
from service.identity.passwords import LONGEST, Passwords
from service.identity.repository import accounts, glass, memberships, sessions, tries
from service.identity.repository.sessions import Open
from service.identity.repository.tries import Try
from service.identity.schemas import CredentialsError, TooOftenError
from service.identity.settings import IdentitySettings
from service.storage.errors import StorageError
from service.storage.transaction import Transaction, Transactions

NOTED: Final = timedelta(minutes=1)
"""A session's last use is written down no oftener."""

SHOWN: Final = 20
"""Tries of somebody's that they are shown."""

UNPROVED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when, where the identity provider has not said: never fresh enough to sign."""


@dataclass(frozen=True, kw_only=True)
class ByProvider:
    """What a session keeps of the identity provider that has signed somebody in."""

    issuer: str
    sub: str
    sid: str | None
    id_token: str | None
    proved_at: datetime | None
    """When they last proved there who they are; None: it has not said."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A session that has just begun: what the cookie is to hold, and who acts."""

    token: str
    actor: Actor


@dataclass(frozen=True, kw_only=True)
class Own:
    """One of somebody's own sign-ins."""

    open: Open
    here: bool
    """It is the one that they look at it by."""

    @property
    def number(self) -> str:
        """What names it on a page: part of a hash, by which nobody signs in."""
        return self.open.hash[:16]


class Sessions:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self,
        settings: IdentitySettings,
        transactions: Transactions,
        passwords: Passwords,
        attempts: Attempts,
        factors: Factors,
    ) -> None:
        self._idle = timedelta(minutes=settings.session_idle_minutes)
        self._fresh = timedelta(minutes=settings.signature_minutes)
        self._longest = timedelta(hours=settings.session_hours)
        self._issuer = settings.oidc_issuer
        self._others: frozenset[str] = frozenset()
        self._transactions = transactions
        self._passwords = passwords
        self._attempts = attempts
        self._factors = factors

    def let_in(self, issuers: Iterable[str]) -> None:
        """Take what these issuers begin for a sign-in too, beside the identity provider."""
        self._others |= frozenset(issuers)

    async def find(self, token: str, address: str | None, *, counts: bool = True) -> Actor | None:
        """Return whose session ``token`` is; None where it has ended or never was.

        ``counts``: whether it is used by this, which puts its end off.
        """
        if not secrets.is_token(token):
            return None
        hash = secrets.hashed("session", token)
        rows = await self._transactions.read_sync(
            lambda connection: sessions.rows(connection, hash)
        )
        at = now()
        if not rows:
            return None
        row = rows[0]
        ended = row.ends_at <= at or row.seen_at <= at - self._idle
        # Of those that another setting let in, only a sealed account's is one still.
        by_other = row.issuer in self._others or (row.issuer is None and row.sealed)
        is_ours = row.issuer == self._issuer or by_other
        if ended or row.disabled_at is not None or not is_ours:
            return None
        if counts and row.seen_at < at - NOTED:
            await self._note(hash, at)
        roles = frozenset(one.role for one in rows if one.role is not None)
        broken = None
        if row.glass_id is not None:
            broken = await self._glass(row.glass_id, row.person_id, at)
            if broken is None:
                return None
            roles = frozenset({"viewer"})
        return Actor(
            site=row.site,
            id=row.person_id,
            name=row.name,
            roles=roles,
            session=Session(
                hash=hash,
                since=row.signed_in_at,
                left=min(self._idle, row.ends_at - at),
                by_provider=row.issuer is not None,
                second=row.second,
                has_factor=row.has_app or row.has_passkey,
                by_passkey=row.by_passkey,
                has_passkey=row.has_passkey,
                glass=broken,
            ),
            address=address,
        )

    async def _glass(self, id: UUID, person_id: UUID, at: datetime) -> Glass | None:
        """Return a break-glass that goes on; None where it is over, or its clinician is none."""
        async with self._transactions.read() as connection:
            known = await glass.one(connection, id)
            if known is None or known.ends_at <= at:
                return None
            if "clinician" not in await memberships.roles(connection, person_id, known.home):
                return None
        return Glass(id=id, home=known.home, ends_at=known.ends_at)

    async def prove(self, actor: Actor, login: str, password: str) -> UUID:
        """Return whose ``login`` and ``password`` these are; a second factor may still be due.

        ``actor`` is whoever asks, whom nobody knows yet. Raises
        :class:`~service.identity.schemas.CredentialsError`, in the same time whether or not
        somebody has the login, or :class:`~service.identity.schemas.TooOftenError`.
        """
        login = login.strip().lower()[:LONGEST]
        async with self._transactions.read() as connection:
            account = await accounts.by_login(connection, login)
        person_id = None if account is None else account.id
        await self._try(actor, login, person_id)
        if len(password) > LONGEST or not await self._passwords.verify(
            None if account is None else account.password, password
        ):
            await self._failed(SignInFailed(actor=actor, person_id=person_id, reason="password"))
            raise CredentialsError
        if account is None or account.disabled:
            await self._failed(SignInFailed(actor=actor, person_id=person_id, reason="disabled"))
            raise CredentialsError
        if self._issuer is not None and not account.sealed:
            await self._failed(SignInFailed(actor=actor, person_id=person_id, reason="local_off"))
            raise CredentialsError
        if account.password is not None and self._passwords.outdated(account.password):
            again = await self._passwords.hash(password)
            await self._transactions.write(
                lambda on: accounts.set_password(on.connection, account.id, again)
            )
        await self._attempts.succeeded(login, actor.address)
        return account.id

    async def begin(
        self,
        actor: Actor,
        person_id: UUID,
        provider: ByProvider | None = None,
        *,
        again: bool = False,
        second: bool = False,
        passkey: bool = False,
    ) -> Begun:
        """Begin a session of a person who has proved who they are; the actor's own ends.

        ``provider``: where they have done so, if not here; ``again``: they had signed in already;
        ``second``: they gave a second factor too; ``passkey``: they used one, which is both.
        """
        second = second or passkey
        token = secrets.token()
        hash = secrets.hashed("session", token)
        at = now()
        since = at if provider is None else min(provider.proved_at or UNPROVED, at)

        async def work(transaction: Transaction) -> Actor:
            connection = transaction.connection
            await sessions.end_old(connection, at, self._idle)
            if actor.session is not None:
                await sessions.end(connection, actor.session.hash)
            sites = await memberships.sites(connection, person_id)
            site = DEFAULT_SITE if DEFAULT_SITE in sites or not sites else sites[0]
            if actor.id == person_id and actor.site in sites:
                site = actor.site
            await sessions.add(
                connection,
                hash=hash,
                person_id=person_id,
                site=site,
                created_at=at,
                seen_at=at,
                ends_at=at + self._longest,
                signed_in_at=since,
                second=second,
                by_passkey=passkey,
                **_columns(provider),
            )
            account = await accounts.by_id(connection, person_id)
            begun = Actor(
                site=site,
                id=person_id,
                name="" if account is None else account.name,
                roles=frozenset(await memberships.roles(connection, person_id, site)),
                session=Session(
                    hash=hash,
                    since=since,
                    left=min(self._idle, self._longest),
                    by_provider=provider is not None,
                    second=second,
                    has_factor=second,
                    by_passkey=passkey,
                    has_passkey=passkey,
                ),
                address=actor.address,
            )
            kind = SignedInAgain if again else SignedIn
            how: How = "password" if provider is None else "provider"
            if second:
                how = "passkey" if passkey else "two_factors"
            await transaction.emit(kind(actor=begun, person_id=person_id, how=how))
            if account is not None and account.sealed:
                await transaction.emit(SealedAccountUsed(actor=begun, person_id=person_id))
            return begun

        return Begun(token=token, actor=await self._transactions.write(work, frees=True))

    def needs_code(self, actor: Actor) -> bool:
        """Whether a code goes with the actor's password: not within minutes of a passkey."""
        session = actor.session
        if session is None or not session.has_factor:
            return False
        return not session.by_passkey or now() - session.since > self._fresh

    async def again(self, actor: Actor, password: str, code: str = "") -> Actor:
        """Return the actor as signed in just now, where ``password`` is theirs.

        Whoever has a second factor gives a ``code`` of it as well, unless they have used a passkey
        within the last minutes. Raises
        :class:`~service.identity.schemas.CredentialsError`,
        :class:`~service.identity.schemas.CodeError` or
        :class:`~service.identity.schemas.TooOftenError`.
        """
        if actor.session is None or actor.id is None:
            raise CredentialsError
        session, person_id = actor.session, actor.id
        async with self._transactions.read() as connection:
            account = await accounts.by_id(connection, person_id)
        login = "" if account is None else account.login
        await self._try(actor, login, person_id)
        if len(password) > LONGEST or not await self._passwords.verify(
            None if account is None else account.password, password
        ):
            await self._failed(SignInFailed(actor=actor, person_id=person_id, reason="password"))
            raise CredentialsError
        await self._attempts.succeeded(login, actor.address)
        if self.needs_code(actor):
            await self._factors.check(actor, person_id, code)
        how: How = "two_factors" if session.has_factor else "password"
        return await self._proved(actor, session, person_id, how)

    async def again_by_passkey(self, actor: Actor) -> Actor:
        """Return the actor as signed in just now, by a passkey of theirs that has answered."""
        if actor.session is None or actor.id is None:
            raise CredentialsError
        return await self._proved(actor, actor.session, actor.id, "passkey")

    async def _proved(self, actor: Actor, session: Session, person_id: UUID, how: How) -> Actor:
        at, second, by_passkey = now(), how != "password", how == "passkey"
        proved = replace(session, since=at, second=second, by_passkey=by_passkey)
        again = replace(actor, session=proved)

        async def work(transaction: Transaction) -> None:
            if not await sessions.change(
                transaction.connection,
                session.hash,
                signed_in_at=at,
                second=second,
                by_passkey=by_passkey,
            ):
                raise CredentialsError
            await transaction.emit(SignedInAgain(actor=again, person_id=person_id, how=how))

        await self._transactions.write(work)
        return again

    async def sign_out(self, actor: Actor) -> None:
        """End the actor's session, on every front."""
        session = actor.session
        if session is None:
            return

        async def work(transaction: Transaction) -> None:
            person_id = await sessions.end(transaction.connection, session.hash)
            if person_id is not None:
                await transaction.emit(SignedOut(actor=actor, person_id=person_id))

        await self._transactions.write(work, frees=True)

    async def own(self, actor: Actor) -> tuple[Own, ...]:
        """Return the actor's sign-ins that go on, the last used first."""
        if actor.id is None or actor.session is None:
            return ()
        async with self._transactions.read() as connection:
            found = await sessions.of(connection, actor.id, now(), self._idle)
        here = actor.session.hash
        return tuple(Own(open=one, here=one.hash == here) for one in found)

    async def tries(self, actor: Actor) -> tuple[Try, ...]:
        """Return how the actor, or somebody with their name, tried to sign in lately."""
        if actor.id is None:
            return ()
        async with self._transactions.read() as connection:
            return await tries.last(connection, actor.id, SHOWN)

    async def end_others(self, actor: Actor, only: str | None = None) -> int:
        """End the actor's sign-ins but this one; return how many there were.

        ``only``: the number of the one that is to end, as :attr:`Own.number` has it.
        """
        session, person_id = actor.session, actor.id
        if session is None or person_id is None:
            return 0

        async def work(transaction: Transaction) -> int:
            connection, ended = transaction.connection, 0
            for one in await sessions.of(connection, person_id, now(), self._idle):
                number = Own(open=one, here=one.hash == session.hash).number
                if one.hash == session.hash or only not in (None, number):
                    continue
                if await sessions.end(connection, one.hash) is not None:
                    ended += 1
                    event = SignedOut(actor=actor, person_id=person_id, elsewhere=True)
                    await transaction.emit(event)
            return ended

        return await self._transactions.write(work, frees=True)

    async def move(self, actor: Actor, site: str) -> bool:
        """Have the actor act for ``site`` from now on; False where they have no role there."""
        session, person_id = actor.session, actor.id
        if session is None or person_id is None or session.glass is not None:
            return False

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            if site not in await memberships.sites(connection, person_id):
                return False
            return await sessions.change(connection, session.hash, site=site)

        return await self._transactions.write(work)

    async def _try(self, actor: Actor, login: str, person_id: UUID | None) -> None:
        try:
            await self._attempts.begin(login, actor.address)
        except TooOftenError:
            event = SignInFailed(actor=actor, person_id=person_id, reason="too_often")
            await self._attempts.refusals.note(event)
            raise

    async def _failed(self, event: SignInFailed) -> None:
        await self._transactions.emit(event)

    async def _note(self, hash: str, at: datetime) -> None:
        try:
            await self._transactions.write(
                lambda transaction: sessions.seen(transaction.connection, hash, at, NOTED)
            )
        except StorageError:
            # The session was found; that it could not be noted is no reason to turn anybody away.
            return


def _columns(provider: ByProvider | None) -> dict[str, str | None]:
    if provider is None:
        return {}
    return {
        "issuer": provider.issuer,
        "idp_sub": provider.sub,
        "idp_sid": provider.sid,
        "id_token": provider.id_token,
    }
