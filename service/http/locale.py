"""Which language a request is answered in: its cookie decides, then ``Accept-Language``."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Final

from babel import negotiate_locale
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.cookies import SCOPE, values
from service.http.negotiation import weighed
from service.language.formats import telling_time_in
from service.language.locale import SOURCE, Language, languages, speaking

COOKIE: Final = "language"


def choose(headers: Headers) -> Language:
    """Return the language that the request asks for; what it cannot have is passed over."""
    known = languages()
    # The last one, where there are several.
    if (chosen := known.get((["", *values(headers.get("cookie", ""), COOKIE)])[-1])) is not None:
        return chosen
    wanted = weighed(headers.get("accept-language", ""))
    found = negotiate_locale([tag for tag, weight in wanted.items() if weight], known, sep="-")
    return known[found or SOURCE]


class LocaleMiddleware:
    """Answers each request in the language that it asks for.

    The header of cookies ends here; :mod:`service.http.cookies` says why, and has what was in it.
    """

    def __init__(self, app: ASGIApp, zone: tzinfo = UTC) -> None:
        """``zone``: what times are told in."""
        self._app = app
        self._zone = zone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope)
        chosen = choose(told).code
        headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        with speaking(chosen), telling_time_in(self._zone):
            inner = {**scope, "headers": headers, SCOPE: "; ".join(told.getlist("cookie"))}
            await self._app(inner, receive, send)
