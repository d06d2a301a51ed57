"""Route of the language switch: sets a cookie and goes back."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.http.body import FormBody
from service.http.locale import COOKIE
from service.language.locale import N_, languages

router = APIRouter(include_in_schema=False)

_YEAR: Final = 365 * 24 * 3600


@router.post("/language")
async def choose(request: Request, sent: FormBody) -> RedirectResponse:
    """Form fields: ``language``, a code of :func:`languages`; ``back``, a path of this site."""
    code = sent.get("language", "")
    if code not in languages():
        raise ServiceError("invalid_request", N_("There are no pages in this language."))
    response = RedirectResponse(_own(sent.get("back", "")), 303)
    response.set_cookie(
        COOKIE, code, max_age=_YEAR, path="/", secure=request.url.scheme == "https",
        httponly=True, samesite="lax",
    )  # fmt: skip
    return response


def _own(address: str) -> str:
    """Return ``address`` if it is a path here, else the first page."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or not parts.path.startswith("/"):
        return "/"
    # A path that begins with // or /\\ would name a host to a browser.
    path = "/" + parts.path.lstrip("/\\")
    return quote(path, safe="/%:@-._~") + (
        f"?{quote(parts.query, safe='=&%+-._~')}" if parts.query else ""
    )
