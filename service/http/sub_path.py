"""A front below a path of its host, as ``https://intranet.example/osteoserve/``.

Every address inside the front begins at its own root: routes, links, redirects, log lines. Only
here, at the edge, does the path in front of them come off what is asked and go on what is answered,
so that no template and no redirect can forget it.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCOPE: Final = "osteoserve.sub_path"

_HEADERS: Final = ("location", "content-location")
_ADDRESS: Final = re.compile(
    r"""(\s(?:href|src|action|formaction|data-[a-z-]+)="|;\ url=)/(?=[^/])""", re.VERBOSE
)
"""Where our HTML names an address. Text of others cannot look like it: it has no plain quote."""


def of(scope: Scope) -> str:
    """Return the path that addresses of the answer begin with; empty where there is none."""
    return str(scope.get(SCOPE, ""))


def below(sub_path: str, html: str) -> str:
    """Return ``html`` with ``sub_path`` before every address in it."""
    if not sub_path:
        return html
    return _ADDRESS.sub(rf"\g<1>{sub_path}/", html)


class SubPath:
    """Takes ``sub_path`` off the path of a request and puts it before the addresses in headers.

    A proxy may have taken it off already: what does not begin with it is taken as it is. Probes and
    scrapers, who come without a proxy, ask so as well.
    """

    def __init__(self, app: ASGIApp, sub_path: str) -> None:
        self._app = app
        self._sub_path = sub_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path == self._sub_path and scope["method"] in ("GET", "HEAD"):
            await RedirectResponse(f"{self._sub_path}/", 308)(scope, receive, send)
            return
        if path.startswith(f"{self._sub_path}/"):
            raw = scope.get("raw_path") or b""
            scope = {
                **scope,
                "path": path[len(self._sub_path) :],
                "raw_path": raw.removeprefix(self._sub_path.encode("ascii")),
            }
        scope = {**scope, SCOPE: self._sub_path}

        async def rooted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in _HEADERS:
                    address = headers.get(name, "")
                    if address.startswith("/") and not address.startswith("//"):
                        headers[name] = self._sub_path + address
            await send(message)

        await self._app(scope, receive, rooted)
