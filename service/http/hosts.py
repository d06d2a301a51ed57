"""Allowed hosts and same origin: whom a request says it is for, and which pages it may come from.

A page of any site can have its name point to 127.0.0.1 a minute after it was loaded (DNS
rebinding); to the browser it then reads and writes its own site, which is us. What such a request
cannot hide is the name: it stands in Host. So names are only those that are known here. Addresses
all are: for one to stand in Host, the page itself was loaded from it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_NAME: Final = r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*"
_AUTHORITY: Final = re.compile(
    rf"(?P<host>\[[0-9a-f:.]{{2,45}}\]|{_NAME})\.?(?::(?P<port>[0-9]{{1,5}})?)?"
)
_ALLOWED: Final = re.compile(rf"(?:\*\.)?{_NAME}")

_PORTS: Final = {"http": 80, "https": 443}

LOOPBACK: Final = "localhost"


class HostError(ValueError):
    """What should be a name of a host is none."""


@dataclass(frozen=True)
class Authority:
    """A host and a port as Host or Origin name them."""

    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Authority | None:
        """Return what ``text`` names in lower case, without a last dot; None where it is none."""
        found = _AUTHORITY.fullmatch(text.strip().lower()) if len(text) <= 300 else None
        if found is None:
            return None
        host = found["host"]
        if host.startswith("["):
            if not _is_address(host):
                return None
            # One address has many spellings.
            host = f"[{ipaddress.ip_address(host[1:-1]).compressed}]"
        return cls(host, int(found["port"]) if found["port"] else None)

    def at(self, scheme: str) -> tuple[str, int | None]:
        """Return host and port, the port that ``scheme`` stands for where none is named."""
        return self.host, self.port if self.port is not None else _PORTS.get(scheme)


@dataclass(frozen=True)
class Hosts:
    """Names that requests may be for; addresses and ``localhost`` always may."""

    names: frozenset[str]
    public_url: str | None = None

    @classmethod
    def of(cls, names: str, listening: str = "", public_url: str | None = None) -> Hosts:
        """Read ``names``, with commas between. Raises :class:`HostError`."""
        known = {name.strip().lower().rstrip(".") for name in names.split(",")} - {""}
        for name in sorted(known):
            if not _ALLOWED.fullmatch(name):
                raise HostError(
                    "names of hosts with commas between are allowed, without scheme or port, "
                    "*. before one for all below it"
                )
        own = [listening, "" if public_url is None else (urlsplit(public_url).hostname or "")]
        known |= {name.lower().rstrip(".") for name in own if name}
        return cls(frozenset({LOOPBACK, *known}), public_url)

    def __contains__(self, authority: Authority) -> bool:
        host = authority.host
        if _is_address(host) or host in self.names:
            return True
        below = host.partition(".")[2]
        while below:
            if f"*.{below}" in self.names:
                return True
            below = below.partition(".")[2]
        return host.endswith(f".{LOOPBACK}")

    def same_origin(self, origin: str, host: str) -> bool:
        """Whether a page of ``origin`` is ours, asked as ``host``.

        Which scheme we are reached by only the proxy knows that ends TLS, so that the origin's own
        stands for both; where the public URL is known, it says.
        """
        scheme, separator, rest = origin.strip().partition("://")
        scheme = scheme.lower()
        theirs, ours = Authority.parse(rest), Authority.parse(host)
        if not separator or scheme not in _PORTS or theirs is None or ours is None:
            return False
        if self.public_url is not None:
            public = urlsplit(self.public_url)
            known = Authority.parse(public.netloc)
            if known is not None and known.host == theirs.host:
                return public.scheme == scheme and known.at(scheme) == theirs.at(scheme)
        return theirs.at(scheme) == ours.at(scheme)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
