"""Normalises what is asked to what routes know: HEAD to GET, and no slash at the end.

The router would redirect from one to the other, and repeat the Host header back.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadAsGet:
    """Has a HEAD answered as the GET that it stands for (RFC 9110, section 9.3.2), and a path with
    a slash at its end as the one without, in a scope of its own.

    The server, whose scope stays as it was, leaves the body out; logs and metrics count a GET.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        if scope["type"] == "http" and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self._app(scope, receive, send)
