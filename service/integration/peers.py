"""Who may send, and where results go: a TOML file, read once at the start.

::

    [[peer]]                       [[destination]]
    name = "dxa-1"                 name = "pacs"
    calling = "DXA1"               kind = "dicom"
    called = "OSTEOSERVE"          called = "PACS"
    addresses = ["10.1.2.0/24"]    calling = "OSTEOSERVE"
    site = "default"               host = "pacs.clinic.example"
    certificate = "dxa-1"          port = 104

All that a peer names must match. Its ``certificate`` is the common name of a TLS client. What each
kind of destination takes: :mod:`service.integration.destinations`; what is judged of what comes:
:mod:`service.integration.rules`; who sends HL7: :mod:`service.integration.feeds`; who is asked
for studies and orders: :mod:`service.integration.archives`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from service.identity.actor import ROLES, Actor, Role
from service.integration.archives import Archive, Worklist
from service.integration.callers import Caller
from service.integration.destinations import (
    KINDS,
    AeTitle,
    AnyDestination,
    DicomDestination,
    Port,
)
from service.integration.feeds import Feed
from service.integration.reached import contains
from service.integration.rules import Rule

_BY_KEY: Final = "key/"
"""No peer's name has a slash."""
_SPACE: Final = UUID("6a0d4a54-2f0b-4a2e-9a70-5f3f2a6b6f11")


class PeersError(ValueError):
    """The file cannot be used; the message says why."""


class Peer(Caller):
    """Somebody who may send by DICOM."""

    space: ClassVar = _SPACE

    calling: AeTitle
    called: AeTitle
    report_host: str | None = None
    """Where it hears what is committed to; else on the association that it has asked on."""
    report_port: Port | None = None
    report_tls: bool = False
    """By TLS, with the gateway's own certificate and authorities."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.report_host is None) != (self.report_port is None):
            raise ValueError("report_host and report_port go together")
        if self.report_tls and self.report_host is None:
            raise ValueError("report_tls is of report_host, which is not there")
        return self


class Peers(BaseModel):
    """All of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    peer: Annotated[tuple[Peer, ...], Field(min_length=1)]
    destination: Annotated[tuple[AnyDestination, ...], Field(min_length=1)]
    feed: tuple[Feed, ...] = ()
    rule: tuple[Rule, ...] = ()
    archive: tuple[Archive, ...] = ()
    worklist: tuple[Worklist, ...] = ()

    @model_validator(mode="after")
    def _rules_name_entries(self) -> Self:
        peers = {one.name for one in self.peer}
        destinations = {one.name for one in self.destination}
        for rule in self.rule:
            for kind, named, known in (
                ("peer", rule.peer, peers),
                ("destination", rule.to, destinations),
            ):
                strangers = sorted(set(named or ()) - known)
                if strangers:
                    raise ValueError(
                        f"rule {rule.name} names no {kind} of this file: {strangers[0]}"
                    )
        return self

    @model_validator(mode="after")
    def _archives_name_peers(self) -> Self:
        known = {one.name for one in self.peer}
        for one in self.archive:
            if one.peer not in known:
                raise ValueError(f"archive {one.name} names no peer of this file: {one.peer}")
        return self

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
        for entries in (
            found.peer, found.destination, found.rule, found.feed, found.archive, found.worklist,
        ):  # fmt: skip
            names = [one.name for one in entries]
            if len(names) != len(set(names)):
                raise PeersError(f"{path}: two entries have the same name")
        return found

    def known(self, address: str) -> bool:
        """Whether any peer may come from ``address``, or a destination's report."""
        return any(one.is_at(address) for one in self.peer) or any(
            self._reports(one, address) for one in self.pacs
        )

    @property
    def callers(self) -> frozenset[str]:
        """AE titles of everybody who may associate."""
        reporting = (one.called for one in self.pacs if one.commitment)
        return frozenset((*(one.calling for one in self.peer), *reporting))

    @property
    def pacs(self) -> tuple[DicomDestination, ...]:
        """The destinations that are reached by DICOM."""
        return tuple(one for one in self.destination if isinstance(one, DicomDestination))

    def reporter(self, calling: str, called: str, address: str) -> DicomDestination | None:
        """Return the destination whose report on what it commits to this association may bring."""
        for one in self.pacs:
            named = (one.called, one.calling) == (title(calling), title(called))
            if named and self._reports(one, address):
                return one
        return None

    @staticmethod
    def _reports(one: DicomDestination, address: str) -> bool:
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

    def sends(self, archive: Archive) -> Peer:
        """Return the peer whose objects those are that ``archive`` sends."""
        return next(one for one in self.peer if one.name == archive.peer)

    @property
    def wants_sheets(self) -> bool:
        """Whether any destination takes results as PDF."""
        return any(one.pdf for one in self.destination)

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
        # A destination's fields are named below its kind.
        where = ".".join(str(part) for part in one["loc"] if part not in KINDS)
        yield f"{path}: {where}: {one['msg']}"
