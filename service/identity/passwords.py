"""Hashes of passwords (Argon2id), and which passwords may be chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from service.errors import ServiceError
from service.identity.settings import IdentitySettings

T = TypeVar("T")

SHORTEST: Final = 12
LONGEST: Final = 128
"""Characters. Nothing is cut off: what is longer is refused before it is hashed."""

_LEAST: Final = 3
"""Of zxcvbn's scores: what is below is guessed within 10**8 tries by whoever begins with what is
common. It holds the 30,000 most common passwords, English words, names, and keyboards."""

_LOOKED_AT: Final = 72
"""First characters that are looked at: zxcvbn takes no more."""

_BETWEEN: Final = re.compile(r"[\W_]+")

CONTEXT: Final = (
    "osteoserve", "osteoporosis", "osteoporose", "osteopenia", "osteopenie", "densitometry",
    "densitometrie", "bonedensity", "knochendichte", "vertebra", "wirbel", "wirbelsäule", "spine",
    "xray", "röntgen", "radiology", "radiologie", "radiologist", "radiologe", "clinician",
    "clinic", "klinik", "klinikum", "hospital", "krankenhaus", "praxis", "patient", "doctor",
    "doktor", "password", "passwort", "kennwort", "passphrase", "willkommen", "welcome", "admin",
    "administrator", "geheim", "frühling", "fruehling", "sommer", "herbst", "winter", "januar",
    "februar", "märz", "april", "juni", "juli", "august", "september", "oktober", "november",
    "dezember",
)  # fmt: skip
"""Words of this product and of where it stands, which would be tried first (ASVS 6.2.11), and
German ones, which zxcvbn has none of."""

AT_ONCE: Final = 2
MOST_WAITING: Final = 16
"""Each takes the memory that the settings name, and a processor."""


_DISGUISES: Final = tuple(str.maketrans("0134579@$!|", f"o{letter}eastgasii") for letter in "il")
"""Signs that stand for letters: 1 for two of them."""


def is_guessable(password: str, told: Iterable[str] = ()) -> bool:
    """Whether ``password`` is among those that are tried first, or made of what is.

    ``told``: names that everybody would try it with, each taken in its words as well. They count
    for nothing, so that what stands beside them has to be a password.
    """
    rest = password.casefold()[:LONGEST]
    for word in sorted(_words(told), key=len, reverse=True):
        for disguise in ({}, *_DISGUISES):
            while (at := rest.translate(disguise).find(word)) >= 0:
                rest = rest[:at] + rest[at + len(word) :]
    return not rest or bool(zxcvbn(rest[:_LOOKED_AT])["score"] < _LEAST)


def _words(told: Iterable[str]) -> set[str]:
    names = [name.casefold() for name in told]
    words = {part for name in names for part in _BETWEEN.split(name)}
    words |= {_BETWEEN.sub("", name) for name in names} | set(names) | set(CONTEXT)
    words = {word for word in words if len(word) > 2}
    return words | {word[::-1] for word in words}


class Passwords:
    """Hashes and verifies in threads, a few at a time, so that a flood takes no memory."""

    def __init__(self, settings: IdentitySettings, known: Iterable[str] = ()) -> None:
        """``known``: names of this installation, which nobody's password may be made of."""
        self._known = tuple(known)
        self._hasher = PasswordHasher(
            time_cost=settings.password_passes, memory_cost=settings.password_kib, parallelism=1
        )
        self._limiter: anyio.CapacityLimiter | None = None
        self._waiting = 0
        self._nobody: str | None = None

    async def is_guessable(self, password: str, *told: str) -> bool:
        """As :func:`is_guessable`; ``told`` are names of whoever chooses it."""
        return await self._run(lambda: is_guessable(password, (*self._known, *told)))

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
