"""The session that spans leave by: no proxy stands between us and a collector of our own network.

``HTTP_PROXY`` and ``HTTPS_PROXY`` name the way out of a hospital. A collector beside the front, on
the same machine or in the same cluster, is not out there, and the proxy cannot reach it.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any, Final
from urllib.parse import urlsplit

import requests

LOCAL: Final = (".localhost", ".local", ".internal", ".svc")
"""Ends of names that no public DNS answers: RFC 6761, RFC 6762, ICANN's .internal, Services'."""


def is_near(url: str) -> bool:
    """Tell whether ``url`` is on this machine or in a private network, by its name or addresses."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    if "." not in host or host.endswith(LOCAL):
        return True
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    # A scope may stand behind an address of the link.
    addresses = (ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found)
    return not any(address.is_global for address in addresses)


class Session(requests.Session):
    """A session that asks a proxy of the environment only on the way to an address that
    :func:`is_near` does not hold of; certificates are the environment's in either case."""

    def merge_environment_settings(
        self,
        url: str,
        proxies: dict[str, str] | None,
        stream: bool | None,
        verify: bool | str | None,
        cert: str | tuple[str, str] | None,
    ) -> dict[str, Any]:
        """Return the settings of a request to ``url``, without the environment's proxies where it
        is near."""
        # What is given is added to in place.
        given = dict(proxies or {})
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        if is_near(url):
            settings["proxies"] = given
        return settings
