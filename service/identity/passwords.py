"""Hashes of passwords (Argon2id), and which passwords may be chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import ServiceError
from service.identity.settings import IdentitySettings

T = TypeVar("T")

SHORTEST: Final = 12
LONGEST: Final = 128
"""Characters. Nothing is cut off: what is longer is refused before it is hashed."""

_DIFFERENT: Final = 5
"""Least number of different characters."""

AT_ONCE: Final = 2
MOST_WAITING: Final = 16
"""Each takes the memory that the settings name, and a processor."""


def fault(password: str, *told: str) -> str | None:
    """Return the code of what is wrong with a chosen ``password``; None: it may be chosen.

    ``told``: names that everybody knows it would be tried with.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return "length"
    plain = password.casefold()
    known = [word.casefold() for word in (*told, "osteoserve", "password") if len(word) > 2]
    rest = plain
    for word in known:
        rest = rest.replace(word, "")
    if len(set(plain)) < _DIFFERENT or len(rest) < SHORTEST // 2:
        return "guessable"
    return None


class Passwords:
    """Hashes and verifies in threads, a few at a time, so that a flood takes no memory."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.password_passes, memory_cost=settings.password_kib, parallelism=1
        )
        self._limiter: anyio.CapacityLimiter | None = None
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        return await self._run(self._hasher.hash, password)

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether ``password`` is the one ``kept``; without one it takes as long to say no."""
        return await self._run(self._verify, kept, password)

    def outdated(self, kept: str) -> bool:
        """Whether the settings ask for another cost than ``kept`` was made with."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str | None, password: str) -> bool:
        if kept is None and self._nobody is None:
            self._nobody = self._hasher.hash("nobody's")
        try:
            right = self._hasher.verify(kept or self._nobody or "", password)
        except (VerificationError, InvalidHashError):
            return False
        return right and kept is not None

    async def _run(self, function: Callable[..., T], *arguments: str | None) -> T:
        if self._waiting >= MOST_WAITING:
            raise ServiceError(
                "too_many_requests", "More people are signing in than can at once.", retry_after=2
            )
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(AT_ONCE)
        self._waiting += 1
        try:
            return await anyio.to_thread.run_sync(function, *arguments, limiter=self._limiter)
        finally:
            self._waiting -= 1
