"""Who may send, and where results go: a TOML file, read once at the start.

::

    [[peer]]                       [[destination]]
    name = "dxa-1"                 name = "pacs"
    calling = "DXA1"               kind = "dicom"
    called = "OSTEOSERVE"          called = "PACS"
    addresses = ["10.1.2.0/24"]    calling = "OSTEOSERVE"
    site = "default"               host = "pacs.clinic.example"
    certificate = "dxa-1"          port = 104

All that a peer names must match. ``certificate`` is the common name of a TLS client. What each kind
of destination takes: :mod:`service.integration.destinations`.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.identity.actor import DEFAULT_SITE, Actor
from service.integration.destinations import KINDS, AeTitle, AnyDestination, Entry, Name

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SPACE: Final = UUID("6a0d4a54-2f0b-4a2e-9a70-5f3f2a6b6f11")


class PeersError(ValueError):
    """The file cannot be used; the message says why."""


class Peer(Entry):
    """Somebody who may send: an actor of a site."""

    calling: AeTitle
    called: AeTitle
    addresses: Annotated[tuple[Network, ...], Field(min_length=1)]
    site: Name = DEFAULT_SITE
    certificate: str | None = None

    def actor(self, address: str | None = None) -> Actor:
        """Return whom this peer acts as; the same whenever it sends."""
        return Actor(
            site=self.site,
            id=uuid5(_SPACE, f"{self.site}/{self.name}"),
            name=self.name,
            roles=frozenset({"integrator"}),
            address=address,
        )

    def is_at(self, address: str) -> bool:
        return any(contains(one, address) for one in self.addresses)


class Peers(BaseModel):
    """All of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    peer: Annotated[tuple[Peer, ...], Field(min_length=1)]
    destination: Annotated[tuple[AnyDestination, ...], Field(min_length=1)]

    @classmethod
    def read(cls, path: Path) -> Peers:
        """Return what ``path`` says. Raises :class:`PeersError`."""
        try:
            found = cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except OSError as error:
            raise PeersError(f"{path} cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise PeersError(f"{path} is no TOML: {error}") from None
        except ValidationError as error:
            raise PeersError("\n".join(_faults(path, error))) from None
        for entries in (found.peer, found.destination):
            names = [one.name for one in entries]
            if len(names) != len(set(names)):
                raise PeersError(f"{path}: two entries have the same name")
        return found

    def known(self, address: str) -> bool:
        """Whether any peer may come from ``address``."""
        return any(one.is_at(address) for one in self.peer)

    def match(
        self, calling: str, called: str, address: str, certificate: str | None
    ) -> Peer | None:
        """Return who it is; None for nobody that is known."""
        for one in self.peer:
            named = (one.calling, one.called) == (title(calling), title(called))
            proven = one.certificate in (None, certificate)
            if named and proven and one.is_at(address):
                return one
        return None

    def named(self, name: str) -> Peer | None:
        return next((one for one in self.peer if one.name == name), None)

    @property
    def wants_sheets(self) -> bool:
        """Whether any destination takes results as PDF."""
        return any(one.pdf for one in self.destination)


def title(text: str) -> str:
    """Return an AE title without its padding, which means nothing."""
    return text.strip(" \0")


def contains(network: Network, address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found in network


def _faults(path: Path, error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False, include_context=False):
        # A destination's fields are named below its kind.
        where = ".".join(str(part) for part in one["loc"] if part not in KINDS)
        yield f"{path}: {where}: {one['msg']}"
