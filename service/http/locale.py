"""Which language a request is answered in: its cookie decides, then ``Accept-Language``."""

from __future__ import annotations

from typing import Final

from babel import negotiate_locale
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.negotiation import weighed
from service.language.locale import SOURCE, Language, languages, speaking

COOKIE: Final = "language"


def choose(headers: Headers) -> Language:
    """Return the language that the request asks for; what it cannot have is passed over."""
    known = languages()
    if (chosen := known.get(_cookie(headers.get("cookie", "")))) is not None:
        return chosen
    wanted = weighed(headers.get("accept-language", ""))
    found = negotiate_locale([tag for tag, weight in wanted.items() if weight], known, sep="-")
    return known[found or SOURCE]


def _cookie(header: str) -> str:
    """Return the last value of our cookie, nothing where it is missing. Codes are never quoted."""
    found = ""
    for pair in header.split(";"):
        name, _separator, value = pair.partition("=")
        if name.strip() == COOKIE:
            found = value.strip()
    return found


class LocaleMiddleware:
    """Answers each request in the language that it asks for.

    Cookies end here: nobody behind needs one, and FastAPI reads them for every request, by Python's
    own parser, for which older patch levels take quadratic time (CVE-2024-7592).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        chosen = choose(Headers(scope=scope)).code
        headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        with speaking(chosen):
            await self._app({**scope, "headers": headers}, receive, send)
