"""Limits to guessing: who fails again and again waits longer each time.

Failures are counted for an account from an address, and for an address. So that nobody is locked
out by somebody else, there is no limit to an account from everywhere: under attack from many
addresses a try at it is only answered later, and each try where as many fail at all. Keys are
counted apart from people, or a program with an old one would lock its neighbours out.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from service.clock import now
from service.identity.refusals import Refusals
from service.identity.repository import attempts
from service.identity.schemas import TooOftenError
from service.storage.transaction import Transaction, Transactions

FREE: Final = 5
"""Failures of an account from one address that cost no wait."""
FREE_OF_ADDRESS: Final = 30
LONGEST: Final = 300.0
REMEMBERED: Final = timedelta(minutes=15)
"""After so long without a failure all are forgotten."""

ATTACKED: Final = 50
"""Failures of an account, from everywhere, after which a try at it is answered later."""
SPRAYED: Final = 200
"""Failures of all accounts, from everywhere, after which each try is answered later."""
LATER: Final = 1.0


def wait(failures: int, free: int) -> float:
    """Return the seconds between the last failure and the next try."""
    return 0.0 if failures < free else float(min(2.0 ** min(failures - free, 30), LONGEST))


class Attempts:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self.refusals = Refusals(transactions)
        """Where tries leave a row that were not even made."""

    async def begin(self, login: str | None, address: str | None) -> None:
        """Count a try before it is made, so that many at once are as many.

        ``login`` is None for a key. Raises :class:`~service.identity.schemas.TooOftenError`, and
        then it is not to be made.
        """
        free, many = _limits(login, address)

        async def work(transaction: Transaction) -> bool:
            at = now()
            connection = transaction.connection
            kept = await attempts.kept(connection, {*free, *many}, at - REMEMBERED)
            left = max(
                (_left(kept[hash], most, at) for hash, most in free.items() if hash in kept),
                default=0.0,
            )
            if left > 0:
                raise TooOftenError(left)
            for hash in (*free, *many):
                await attempts.count(connection, hash, at, at - REMEMBERED)
            return any(hash in kept and kept[hash].count >= most for hash, most in many.items())

        # On a full disk too: whoever makes room has to sign in first.
        if await self._transactions.write(work, frees=True):
            await asyncio.sleep(LATER)

    async def begin_second(self, person_id: UUID) -> None:
        """Count a code of a person's second factor before it is looked at, from wherever it comes.

        Whoever gives one has had the password right, so that no stranger makes anybody wait. Raises
        :class:`~service.identity.schemas.TooOftenError`.
        """
        hash = _hash(f"second:{person_id}")

        async def work(transaction: Transaction) -> None:
            at, connection = now(), transaction.connection
            kept = await attempts.kept(connection, {hash}, at - REMEMBERED)
            if hash in kept and (left := _left(kept[hash], FREE, at)) > 0:
                raise TooOftenError(left)
            await attempts.count(connection, hash, at, at - REMEMBERED)

        await self._transactions.write(work, frees=True)

    async def took_second(self, person_id: UUID) -> None:
        """Forget the codes that failed."""
        hash = _hash(f"second:{person_id}")
        await self._transactions.write(
            lambda transaction: attempts.take_back(transaction.connection, [hash], []), frees=True
        )

    async def succeeded(self, login: str, address: str | None) -> None:
        """Take back the try that was begun, and the failures before it from the same address."""
        free, many = _limits(login, address)
        pair, of_address = free
        await self._transactions.write(
            lambda transaction: attempts.take_back(
                transaction.connection, [pair], [of_address, *many]
            ),
            frees=True,
        )


def _left(kept: attempts.Failures, free: int, at: datetime) -> float:
    since = (at - kept.last_at).total_seconds()
    return wait(kept.count, free) - since


def _limits(login: str | None, address: str | None) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many failures cost no wait, and from how many on an answer comes later.

    By hash: neither names that nobody has nor addresses are kept, only what they are found by.
    """
    if login is None:
        return {_hash(f"key:{address}"): FREE}, {}
    free = {_hash(f"pair:{login}:{address}"): FREE, _hash(f"address:{address}"): FREE_OF_ADDRESS}
    return free, {_hash(f"account:{login}"): ATTACKED, _hash("all"): SPRAYED}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
