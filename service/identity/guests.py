"""Programs of others that come to one part of the front: their tokens, and their pages.

Whoever opens such a part says here how its callers are known, and which origins a browser may call
it from; to the rest of the front they are nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.identity.actor import Actor

Find = Callable[[str, str | None, str, str], Awaitable[Actor | None]]
"""Returns whose a token is: of token, network address, URL and path."""


@dataclass(frozen=True)
class _Part:
    prefix: str
    find: Find
    origins: frozenset[str]

    def has(self, path: str) -> bool:
        return path == self.prefix or path.startswith(f"{self.prefix}/")


class Guests:
    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def welcome(self, prefix: str, find: Find, origins: frozenset[str]) -> None:
        """Have ``find`` asked for the addresses below ``prefix``, and ``origins`` call them."""
        self._parts.append(_Part(prefix, find, origins))

    def has(self, path: str) -> bool:
        """Whether somebody has said how callers of ``path`` are known."""
        return any(one.has(path) for one in self._parts)

    async def find(self, token: str, address: str | None, url: str, path: str) -> Actor | None:
        """Return whose ``token`` is; None where it opens nothing here."""
        for one in self._parts:
            if one.has(path):
                return await one.find(token, address, url, path)
        return None

    def may_come_from(self, origin: str | None, path: str) -> bool:
        """Whether a page of ``origin`` may call ``path``."""
        return origin is not None and any(
            one.has(path) and origin in one.origins for one in self._parts
        )
