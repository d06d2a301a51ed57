"""Who may send HL7 messages: a feed of patients and orders, in the file of peers.

::

    [[feed]]
    name = "engine"
    addresses = ["10.1.2.9/32"]
    site = "default"
    certificate = "engine"
    typed = "HOSPITAL"

All that a feed names must match. ``typed`` is the authority whose numbers people type as references
here: they are kept without an issuer.
"""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID, uuid5

from pydantic import Field

from service.identity.actor import DEFAULT_SITE, Actor
from service.integration.destinations import Entry, Name, Word
from service.integration.reached import Network, contains

_SPACE: Final = UUID("0f0c1a52-2f3f-4d35-8c60-0e2f7f1f9b27")


class Feed(Entry):
    """An interface engine: an actor of a site, that reads nothing."""

    addresses: Annotated[tuple[Network, ...], Field(min_length=1)]
    site: Name = DEFAULT_SITE
    certificate: str | None = None
    typed: Word = ""

    def actor(self, address: str | None = None) -> Actor:
        """Return whom this feed acts as; the same whenever it sends."""
        return Actor(
            site=self.site,
            id=uuid5(_SPACE, f"{self.site}/{self.name}"),
            name=self.name,
            roles=frozenset({"integrator"}),
            address=address,
        )

    def is_at(self, address: str) -> bool:
        return any(contains(one, address) for one in self.addresses)

    def issuers(self, authority: str) -> tuple[str, ...]:
        """Return the issuers that a number of ``authority`` is kept under, its own first."""
        return (authority, "") if authority and authority == self.typed else (authority,)
