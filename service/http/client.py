"""The address that a request came from, with proxies in between or without."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.requests import HTTPConnection

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address(connection: HTTPConnection, proxies: Sequence[Network]) -> str | None:
    """Return the nearest address that is none of our ``proxies``; None: there is none.

    What a client itself has put into ``X-Forwarded-For`` stands before what our proxies add, and is
    never reached.
    """
    found = _parsed(connection.client.host if connection.client else "")
    told = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    while found is not None and told and any(found in network for network in proxies):
        before = _parsed(told.pop())
        if before is None:
            break
        found = before
    return None if found is None else str(found)


def is_forwarded(connection: HTTPConnection) -> bool:
    """Whether a proxy says that it stands in between."""
    return any(name in connection.headers for name in ("x-forwarded-for", "forwarded", "via"))


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    # A zone names an interface of whoever said it.
    text = text.strip().partition("%")[0].removeprefix("[").removesuffix("]")
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
