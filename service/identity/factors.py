"""Second factors of people: taking one up, giving a code of it, losing it.

An app makes codes of a secret that the server keeps too, sealed. A code is good once, and so is
each of ten recovery codes, of which hashes are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from service.clock import now
from service.identity import codes, secrets
from service.identity.actor import Actor
from service.identity.attempts import Attempts
from service.identity.events import (
    FactorAdded,
    FactorRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    SignInFailed,
)
from service.identity.repository import accounts, factors, memberships, passkeys, sessions
from service.identity.repository.factors import Step
from service.identity.schemas import CodeError, NoKeyError, TooOftenError
from service.identity.settings import IdentitySettings
from service.sealing import Ring, SealError
from service.storage.transaction import Transaction, Transactions

PATIENCE: Final = timedelta(minutes=10)
"""How long a sign-in waits for its second factor."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What somebody has of a second factor; ``needed``: their roles ask for one."""

    app: bool
    """An app of theirs makes codes."""
    passkeys: int
    needed: bool
    codes_left: int = 0

    @property
    def has(self) -> bool:
        return self.app or self.passkeys > 0

    @property
    def may_lose_app(self) -> bool:
        return self.app and (self.passkeys > 0 or not self.needed)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A secret that an app is to take up: as a picture, and for whoever types it."""

    picture: str
    typed: str


class Factors:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self,
        settings: IdentitySettings,
        transactions: Transactions,
        attempts: Attempts,
        ring: Ring | None,
    ) -> None:
        """``ring``: None where no key is set that fronts share, and nobody takes a factor up."""
        self._settings = settings
        self._transactions = transactions
        self._attempts = attempts
        self._ring = ring

    @property
    def may_be_taken_up(self) -> bool:
        return self._ring is not None

    async def standing(self, person_id: UUID) -> Standing:
        """Return what somebody has, and whether they need it at any site."""
        async with self._transactions.read() as connection:
            factor = await factors.of(connection, person_id)
            keys = await passkeys.count(connection, person_id)
            left = await factors.codes_left(connection, person_id)
            roles: set[str] = set()
            for site in await memberships.sites(connection, person_id):
                roles.update(await memberships.roles(connection, person_id, site))
        return Standing(
            app=factor is not None and factor.confirmed,
            passkeys=keys,
            needed=self._settings.needs_second_factor(roles),
            codes_left=left,
        )

    async def wait(self, person_id: UUID, next: str) -> str:
        """Return the token of a sign-in that waits for a second factor, for the browser's cookie.

        Whoever has none and needs it is offered one there. Others of theirs that wait are void.
        """
        token = secrets.token()

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await factors.end_steps(connection, person_id, now())
            await factors.add_step(
                connection, secrets.hashed("step", token), person_id, next, now() + PATIENCE
            )

        standing = await self.standing(person_id)
        await self._transactions.write(work, frees=True)
        if not standing.has:
            await self.begin(person_id)
        return token

    async def waiting(self, token: str) -> Step | None:
        """Return the sign-in that waits under ``token``; None: there is none any more."""
        if not secrets.is_token(token):
            return None
        async with self._transactions.read() as connection:
            return await factors.step(connection, secrets.hashed("step", token), now())

    async def begin(self, person_id: UUID) -> None:
        """Make a secret that somebody's app is to take up, unless they have a factor.

        Raises :class:`~service.identity.schemas.NoKeyError`.
        """
        sealed = self._needed().seal(_use(person_id), codes.new_secret().encode())
        await self._transactions.write(
            lambda on: factors.begin(on.connection, person_id, sealed, now())
        )

    async def offer(self, person_id: UUID) -> Offer | None:
        """Return the secret that is to be taken up; None: there is none, or it was already."""
        async with self._transactions.read() as connection:
            factor = await factors.of(connection, person_id)
            account = await accounts.by_id(connection, person_id)
        if factor is None or factor.confirmed or account is None:
            return None
        secret = self._opened(person_id, factor.secret)
        if secret is None:
            return None
        return Offer(picture=codes.picture(secret, account.login), typed=codes.spaced(secret))

    async def due(self, person_id: UUID) -> Offer | None:
        """Return what somebody without any factor takes up before they are in.

        None where they have one: whoever knows a password alone is shown nothing that codes are
        made of.
        """
        standing = await self.standing(person_id)
        return None if standing.has else await self.offer(person_id)

    async def take_up(self, actor: Actor, person_id: UUID, code: str) -> tuple[str, ...]:
        """Return new recovery codes, shown once, where ``code`` shows that the app has the secret.

        All their sign-ins end: they were by one factor. Raises
        :class:`~service.identity.schemas.CodeError` or
        :class:`~service.identity.schemas.TooOftenError`.
        """
        await self._try(actor, person_id)
        made = codes.recovery_codes()

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            step = await self._step(transaction, person_id, code)
            if step is None or not await factors.take(connection, person_id, step, now()):
                return False
            hashes = [codes.recovery_hash(person_id, one) for one in made]
            await factors.set_codes(connection, person_id, hashes)
            await sessions.end_all(connection, person_id)
            await transaction.emit(FactorAdded(actor=actor, person_id=person_id))
            return True

        if not await self._transactions.write(work):
            await self._failed(actor, person_id)
        await self._attempts.took_second(person_id)
        return made

    async def check(self, actor: Actor, person_id: UUID, code: str) -> None:
        """Return where ``code`` is one of the app's, or a recovery code; it is used up by that.

        Raises :class:`~service.identity.schemas.CodeError` or
        :class:`~service.identity.schemas.TooOftenError`.
        """
        await self._try(actor, person_id)

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            step = await self._step(transaction, person_id, code)
            if step is not None:
                return await factors.take(connection, person_id, step)
            hash = codes.recovery_hash(person_id, code)
            if not await factors.use_code(connection, person_id, hash):
                return False
            await transaction.emit(RecoveryCodeUsed(actor=actor, person_id=person_id))
            return True

        if not await self._transactions.write(work):
            await self._failed(actor, person_id)
        await self._attempts.took_second(person_id)

    async def new_codes(self, actor: Actor, person_id: UUID) -> tuple[str, ...]:
        """Return new recovery codes, shown once; the old ones are void."""
        made = codes.recovery_codes()

        async def work(transaction: Transaction) -> None:
            hashes = [codes.recovery_hash(person_id, one) for one in made]
            await factors.set_codes(transaction.connection, person_id, hashes)
            await transaction.emit(RecoveryCodesMade(actor=actor, person_id=person_id))

        await self._transactions.write(work)
        return made

    async def remove(self, actor: Actor, person_id: UUID) -> bool:
        """Remove what somebody's app makes codes of, and end their sign-ins.

        Recovery codes stay as long as they have a passkey.

        False where there was none.
        """

        async def work(transaction: Transaction) -> bool:
            if not await factors.remove(transaction.connection, person_id):
                return False
            await sessions.end_all(transaction.connection, person_id)
            await transaction.emit(FactorRemoved(actor=actor, person_id=person_id))
            return True

        return await self._transactions.write(work)

    async def reseal(self) -> tuple[int, int]:
        """Seal all secrets with the ring's first key; return how many, and how many none opens."""
        ring, done, lost = self._needed(), 0, 0
        async with self._transactions.read() as connection:
            found = await factors.all(connection)
        # mypy infers no type for defaults of a lambda, which bind each turn of the loop.
        for one in found:
            secret = self._opened(one.person_id, one.secret)
            if secret is None:
                lost += 1
            elif not ring.is_newest(one.secret):
                new = ring.seal(_use(one.person_id), secret.encode())
                await self._transactions.write(
                    lambda on, one=one, new=new: factors.reseal(  # type: ignore[misc]
                        on.connection, one.person_id, one.secret, new
                    )
                )
                done += 1
        return done, lost

    def _needed(self) -> Ring:
        if self._ring is None:
            raise NoKeyError
        return self._ring

    def _opened(self, person_id: UUID, sealed: str) -> str | None:
        try:
            return self._needed().open(_use(person_id), sealed).decode()
        except SealError:
            return None

    async def _step(self, transaction: Transaction, person_id: UUID, code: str) -> int | None:
        factor = await factors.of(transaction.connection, person_id)
        secret = None if factor is None else self._opened(person_id, factor.secret)
        return None if secret is None else codes.step_of(secret, code, now())

    async def _try(self, actor: Actor, person_id: UUID) -> None:
        try:
            await self._attempts.begin_second(person_id)
        except TooOftenError:
            event = SignInFailed(actor=actor, person_id=person_id, reason="too_often")
            await self._attempts.refusals.note(event)
            raise

    async def _failed(self, actor: Actor, person_id: UUID) -> None:
        event = SignInFailed(actor=actor, person_id=person_id, reason="code")
        await self._transactions.emit(event)
        raise CodeError


def _use(person_id: UUID) -> str:
    return f"second factor of {person_id}"
