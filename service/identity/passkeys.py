"""Passkeys of people: making one, using one in place of password and code, losing one.

Each is used with a finger, a face or a PIN, which the device looks at, so that it is two factors at
once. What it signs is good once, for five minutes, for the browser that asked.
"""

from __future__ import annotations

import hashlib
import secrets as system
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from service.clock import now
from service.identity import ceremony, codes
from service.identity.actor import Actor
from service.identity.attempts import Attempts
from service.identity.ceremony import SECONDS, Answer, CeremonyError, Party, Used
from service.identity.events import (
    LocalReason,
    PasskeyAdded,
    PasskeyRemoved,
    SignInFailed,
)
from service.identity.repository import accounts, factors, passkeys, sessions
from service.identity.repository.passkeys import Passkey
from service.identity.schemas import PasskeyError, TooOftenError
from service.identity.settings import IdentitySettings
from service.storage.transaction import Transaction, Transactions

MOST: Final = 10
"""Passkeys of one person."""
WAITING: Final = 200
"""Challenges that wait at a time for answers from one address: nobody signs in more often."""

Purpose = Literal["make", "sign_in", "second", "again"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """By whom, and for what, a passkey is asked: an answer to anything else is not taken."""

    party: Party
    purpose: Purpose
    bound: str
    """The hash of the session, of the sign-in that waits, or of a cookie made for it."""
    person_id: UUID | None = None
    """None: whoever it is signs in."""


class Passkeys:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self,
        settings: IdentitySettings,
        transactions: Transactions,
        attempts: Attempts,
        public_url: str | None,
    ) -> None:
        self._fresh = timedelta(minutes=settings.signature_minutes)
        self._issuer = settings.oidc_issuer
        self._transactions = transactions
        self._attempts = attempts
        self._public_url = public_url

    def party(self, host: str) -> Party | None:
        """Return for whom passkeys are made at ``host``; None: there are none there."""
        return ceremony.party(self._public_url, host)

    def is_fresh(self, actor: Actor) -> bool:
        """Whether they have proved who they are just now, as changing passkeys asks for."""
        return actor.session is not None and now() - actor.session.since <= self._fresh

    async def of(self, person_id: UUID) -> tuple[Passkey, ...]:
        async with self._transactions.read() as connection:
            return await passkeys.of(connection, person_id)

    async def to_make(self, actor: Actor, asked: Asked, person_id: UUID) -> str:
        """Return the JSON by which their browser makes a passkey."""
        async with self._transactions.read() as connection:
            account = await accounts.by_id(connection, person_id)
            known = await passkeys.of(connection, person_id)
        if account is None or len(known) >= MOST:
            raise PasskeyError
        challenge = await self._challenge(actor, asked)
        return ceremony.to_make(
            asked.party,
            challenge,
            person_id,
            account.login,
            account.name,
            [one.credential for one in known],
        )

    async def to_use(self, actor: Actor, asked: Asked) -> str:
        """Return the JSON by which a browser uses a passkey."""
        known: tuple[Passkey, ...] = ()
        if asked.person_id is not None:
            known = await self.of(asked.person_id)
        challenge = await self._challenge(actor, asked)
        return ceremony.to_use(asked.party, challenge, [one.credential for one in known])

    async def make(
        self, actor: Actor, asked: Asked, person_id: UUID, text: str, name: str
    ) -> tuple[str, ...]:
        """Keep the passkey that a browser has made, under a ``name``.

        Return new recovery codes, shown once, where it is their first factor. All their sign-ins
        end. Raises :class:`~service.identity.schemas.PasskeyError`.
        """
        try:
            challenge = ceremony.challenge_made(text)
            await self._take(challenge, asked)
            made = ceremony.made(text, asked.party, challenge)
        except CeremonyError:
            raise await self._failed(actor, person_id) from None
        new = codes.recovery_codes()

        async def work(transaction: Transaction) -> tuple[str, ...] | None:
            connection = transaction.connection
            await accounts.alone(connection)
            factor = await factors.of(connection, person_id)
            kept = await passkeys.count(connection, person_id)
            if kept >= MOST:
                return None
            added = await passkeys.add(
                connection,
                _hash(made.credential),
                person_id=person_id,
                credential=made.credential,
                public_key=made.public_key,
                counter=made.counter,
                synced=made.synced,
                name=name,
                created_at=now(),
            )
            if added is None:
                return None
            await sessions.end_all(connection, person_id)
            await transaction.emit(PasskeyAdded(actor=actor, person_id=person_id, passkey_id=added))
            if kept or (factor is not None and factor.confirmed):
                return ()
            hashes = [codes.recovery_hash(person_id, one) for one in new]
            await factors.set_codes(connection, person_id, hashes)
            return new

        shown = await self._transactions.write(work)
        if shown is None:
            raise await self._failed(actor, person_id)
        return shown

    async def use(self, actor: Actor, asked: Asked, text: str) -> UUID:
        """Return whose passkey has answered.

        Tries count as those with a password do. Raises
        :class:`~service.identity.schemas.PasskeyError` or
        :class:`~service.identity.schemas.TooOftenError`.
        """
        try:
            answer = ceremony.answer(text)
        except CeremonyError:
            answer = None
        hash = "" if answer is None else _hash(answer.credential)
        async with self._transactions.read() as connection:
            key = await passkeys.by_hash(connection, hash)
            account = None if key is None else await accounts.by_id(connection, key.person_id)
        # Whatever nobody has counts for itself; no login has a blank.
        login = f"passkey {hash}" if account is None else account.login
        person_id = None if account is None else account.id
        await self._try(actor, login, person_id)
        if answer is None or key is None or account is None:
            raise await self._failed(actor, asked.person_id)
        try:
            await self._take(answer.challenge, asked)
            used = ceremony.used(answer, asked.party, answer.challenge, key.public_key)
        except CeremonyError:
            raise await self._failed(actor, person_id) from None
        if not _is_theirs(answer, used, key, asked):
            raise await self._failed(actor, person_id)
        if account.disabled:
            raise await self._failed(actor, person_id, "disabled")
        if self._issuer is not None and not account.sealed:
            raise await self._failed(actor, person_id, "local_off")
        if not await self._transactions.write(
            lambda on: passkeys.use(on.connection, key, used.counter, now()), frees=True
        ):
            raise await self._failed(actor, person_id, "passkey_counter")
        await self._attempts.succeeded(login, actor.address)
        return account.id

    async def remove(self, actor: Actor, person_id: UUID, passkey_id: UUID) -> bool:
        """Remove a passkey of somebody's, and end their sign-ins; False where it is not theirs."""

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            if not await passkeys.remove(connection, person_id, passkey_id):
                return False
            await factors.end_codes(connection, person_id)
            await sessions.end_all(connection, person_id)
            await transaction.emit(
                PasskeyRemoved(actor=actor, person_id=person_id, passkey_id=passkey_id)
            )
            return True

        return await self._transactions.write(work)

    async def _challenge(self, actor: Actor, asked: Asked) -> bytes:
        challenge = system.token_bytes(32)
        at = now()

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await passkeys.end_challenges(connection, at)
            if await passkeys.waiting(connection, actor.address) >= WAITING:
                raise TooOftenError(float(SECONDS))
            await passkeys.add_challenge(
                connection,
                hash=_hash(challenge),
                purpose=asked.purpose,
                bound=asked.bound,
                person_id=asked.person_id,
                address=actor.address,
                ends_at=at + timedelta(seconds=SECONDS),
            )

        await self._transactions.write(work, frees=True)
        return challenge

    async def _take(self, challenge: bytes, asked: Asked) -> None:
        """Use a challenge up, before anybody knows whether the answer is right."""
        if not await self._transactions.write(
            lambda on: passkeys.take_challenge(
                on.connection, _hash(challenge), asked.purpose, asked.bound, asked.person_id, now()
            ),
            frees=True,
        ):
            raise CeremonyError("no challenge of this browser")

    async def _try(self, actor: Actor, login: str, person_id: UUID | None) -> None:
        try:
            await self._attempts.begin(login, actor.address)
        except TooOftenError:
            event = SignInFailed(actor=actor, person_id=person_id, reason="too_often")
            await self._attempts.refusals.note(event)
            raise

    async def _failed(
        self, actor: Actor, person_id: UUID | None, reason: LocalReason = "passkey"
    ) -> PasskeyError:
        event = SignInFailed(actor=actor, person_id=person_id, reason=reason)
        if person_id is None:
            await self._attempts.refusals.note(event)
        else:
            await self._transactions.emit(event)
        return PasskeyError()


def _is_theirs(answer: Answer, used: Used, key: Passkey, asked: Asked) -> bool:
    """Whether a passkey that has answered is the one that was asked for.

    Where nobody was named before, it has to say itself whose it is.
    """
    named = answer.person or (None if asked.person_id is None else key.person_id.bytes)
    is_of = asked.person_id in (None, key.person_id)
    # What may be copied to other devices was so from the first day, or is another one.
    return is_of and named == key.person_id.bytes and used.synced == key.synced


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
