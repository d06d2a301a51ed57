"""Security headers, allowed hosts, and same-origin checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import ServiceError
from service.http.hosts import Authority, Hosts

POLICY: Final = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
DOCS_POLICY: Final = POLICY + "; img-src 'self' data:"
"""The API documentation draws its icons from data: addresses."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": under it a browser sends "Origin: null" with our own forms, and over plain
    # http from a name that is not loopback there is no Sec-Fetch-Site that would tell them apart.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


TRANSPORT: Final = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
"""Where people find the front under https: a year, as ASVS 3.4.1 asks."""


class SecurityHeaders:
    """Adds :data:`HEADERS` to every answer that has not set its own.

    ``secure``: people find the front under https, and are to come by nothing else.
    """

    def __init__(self, app: ASGIApp, *, secure: bool = False) -> None:
        self._app = app
        self._headers = {**HEADERS, **(TRANSPORT if secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


class SameOrigin:
    """Refuses what a browser sends on behalf of another site.

    Programs send neither header.
    """

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def check(self, request: Request) -> None:
        """Raise :class:`~service.errors.ServiceError` where it is."""
        if request.method not in _SAFE_METHODS and not _ours(request.headers, self._hosts):
            raise ServiceError("cross_origin", "The request was sent from a page of another site.")


def _ours(headers: Headers, hosts: Hosts) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or hosts.same_origin(origin, _asked(headers))


def _asked(headers: Headers) -> str:
    """Return what Host says; nothing where it is missing or there are several."""
    found = headers.getlist("host")
    return found[0] if len(found) == 1 else ""


class KnownHosts:
    """Answers only what is asked of a host that is known; ``refuse`` answers the rest.

    Probes may call us what they like: ``/health/`` tells nothing that is anybody's.
    """

    def __init__(
        self, app: ASGIApp, hosts: Hosts, refuse: Callable[[Request, bool], Response]
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/health/"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        # Before HTTP/1.1 nobody had to say, and a browser always does.
        silent = scope["http_version"] == "1.0" and "host" not in headers
        authority = Authority.parse(_asked(headers))
        if silent or (authority is not None and authority in self._hosts):
            await self._app(scope, receive, send)
            return
        await self._refuse(Request(scope), authority is not None)(scope, receive, send)
