"""Who connects to the gateway: known by address and, where one is named, certificate."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID, uuid5

from pydantic import Field

from service.identity.actor import DEFAULT_SITE, Actor
from service.integration.destinations import Entry, Name
from service.integration.reached import Network, contains


class Caller(Entry):
    """An entry of the file of peers that acts for a site."""

    space: ClassVar[UUID]
    """Of the numbers of actors of this kind."""

    addresses: Annotated[tuple[Network, ...], Field(min_length=1)]
    site: Name = DEFAULT_SITE
    certificate: str | None = None
    """The common name of the one that it shows by TLS."""

    def actor(self, address: str | None = None) -> Actor:
        """Return whom it acts as; the same whenever it connects."""
        return Actor(
            site=self.site,
            id=uuid5(self.space, f"{self.site}/{self.name}"),
            name=self.name,
            roles=frozenset({"integrator"}),
            address=address,
        )

    def is_at(self, address: str) -> bool:
        return any(contains(one, address) for one in self.addresses)
