"""The browser's side of a session: one cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

PLAIN = "osteoserve"
HOST = "__Host-osteoserve"
"""A browser takes this name over https alone, and from no other host of the domain."""


class SessionCookie:
    """Named and marked for https where that is how people find the front.

    The path below which they find it is in the name and not in ``Path``, which the safer name
    forbids: of two installations on one host each finds its own.
    """

    def __init__(self, public_url: str | None) -> None:
        self._secure = public_url is not None and public_url.startswith("https:")
        below = urlsplit(public_url or "").path.strip("/").replace("/", ".")
        self.name = ".".join(filter(None, (HOST if self._secure else PLAIN, below)))

    def put(self, response: Response, token: str) -> None:
        """Have the browser send ``token`` until it is closed; how long it is good the row says."""
        self.set(response, self.name, token)

    def set(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Set a cookie of another name that is as safe; in 0 seconds it is gone."""
        response.set_cookie(
            name, value, seconds, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def clear(self, response: Response) -> None:
        response.delete_cookie(
            self.name, path="/", secure=self._secure, httponly=True, samesite="lax"
        )
