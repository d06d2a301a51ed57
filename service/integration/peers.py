"""Who may send, and where results go: a TOML file, read once at the start.

::

    [[peer]]                       [[destination]]
    name = "dxa-1"                 name = "pacs"
    calling = "DXA1"               called = "PACS"
    called = "OSTEOSERVE"          calling = "OSTEOSERVE"
    addresses = ["10.1.2.0/24"]    host = "pacs.clinic.example"
    site = "default"               port = 104
    certificate = "dxa-1"          attempts = 100

All that a peer names must match. Its ``certificate`` is the common name of a TLS client; a
destination's, the file with what that is shown (:mod:`service.integration.reached`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Self
from uuid import UUID, uuid5

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from service.identity.actor import DEFAULT_SITE, ROLES, Actor, Role
from service.integration.reached import Committing, Network, Secured, contains

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
AeTitle = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[\x21-\x5b\x5d-\x7e]{1,16}$")
]

_BY_KEY: Final = "key/"
"""No peer's name has a slash."""
_SPACE: Final = UUID("6a0d4a54-2f0b-4a2e-9a70-5f3f2a6b6f11")


class PeersError(ValueError):
    """The file cannot be used; the message says why."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name


class Peer(_Entry):
    """Somebody who may send: an actor of a site."""

    calling: AeTitle
    called: AeTitle
    addresses: Annotated[tuple[Network, ...], Field(min_length=1)]
    site: Name = DEFAULT_SITE
    certificate: str | None = None
    report_host: str | None = None
    """Where it hears what is committed to; else on the association that it has asked on."""
    report_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    report_tls: bool = False
    """By TLS, with the gateway's own certificate and authorities."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.report_host is None) != (self.report_port is None):
            raise ValueError("report_host and report_port go together")
        if self.report_tls and self.report_host is None:
            raise ValueError("report_tls is of report_host, which is not there")
        return self

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


class Destination(_Entry, Secured, Committing):
    """A PACS that results are sent to."""

    called: AeTitle
    calling: AeTitle
    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    attempts: Annotated[int, Field(ge=1, le=10_000)] = 100

    @model_validator(mode="after")
    def _reports_from(self) -> Self:
        if self.commitment and not self.reports_from(self.host):
            raise ValueError(
                "commitment needs addresses: whence its reports come, since host is a name"
            )
        return self


class Peers(BaseModel):
    """All of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    peer: Annotated[tuple[Peer, ...], Field(min_length=1)]
    destination: Annotated[tuple[Destination, ...], Field(min_length=1)]

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
        """Whether any peer may come from ``address``, or a destination's report."""
        return any(one.is_at(address) for one in self.peer) or any(
            self._reports(one, address) for one in self.destination
        )

    @property
    def callers(self) -> frozenset[str]:
        """AE titles of everybody who may associate."""
        reporting = (one.called for one in self.destination if one.commitment)
        return frozenset((*(one.calling for one in self.peer), *reporting))

    def reporter(self, calling: str, called: str, address: str) -> Destination | None:
        """Return the destination whose report on what it commits to this association may bring."""
        for one in self.destination:
            named = (one.called, one.calling) == (title(calling), title(called))
            if named and self._reports(one, address):
                return one
        return None

    @staticmethod
    def _reports(one: Destination, address: str) -> bool:
        networks = one.reports_from(one.host) if one.commitment else ()
        return any(contains(network, address) for network in networks)

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

    def actor(self, sender: str, site: str) -> Actor | None:
        """Return whom somebody acts as who sent something of ``site``; None: not known any more."""
        peer = self.named(sender)
        if peer is not None and peer.site == site:
            return peer.actor()
        return _of_key(sender, site)


def by_key(actor: Actor) -> str:
    """Return what a program that sends by HTTP is called in the ledger."""
    return _BY_KEY if actor.id is None else f"{_BY_KEY}{actor.id}"


def _of_key(sender: str, site: str) -> Actor | None:
    if not sender.startswith(_BY_KEY):
        return None
    number = sender.removeprefix(_BY_KEY)
    try:
        id = UUID(number) if number else None
    except ValueError:
        return None
    roles: tuple[Role, ...] = ROLES if id is None else ("integrator",)
    return Actor(site=site, id=id, name="DICOMweb", roles=frozenset(roles))


def title(text: str) -> str:
    """Return an AE title without its padding, which means nothing."""
    return text.strip(" \0")


def _faults(path: Path, error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False, include_context=False):
        where = ".".join(map(str, one["loc"]))
        yield f"{path}: {where}: {one['msg']}"
