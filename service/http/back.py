"""Where a form leads back to: a path of this site, whatever was sent."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

LONGEST: Final = 2000


def own(address: str) -> str:
    """Return ``address`` if it is a path here, else the first page."""
    if len(address) > LONGEST or not address.isprintable() or "\\" in address:
        return "/"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or not parts.path.startswith("/"):
        return "/"
    # A path that begins with // would name a host to a browser.
    path = "/" + parts.path.lstrip("/")
    return quote(path, safe="/%:@-._~") + (
        f"?{quote(parts.query, safe='=&%+-._~')}" if parts.query else ""
    )
