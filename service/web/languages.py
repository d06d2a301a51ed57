"""Route of the language switch: sets a cookie and goes back."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.http.back import own
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
    response = RedirectResponse(own(sent.get("back", "")), 303)
    response.set_cookie(
        COOKIE, code, max_age=_YEAR, path="/", secure=request.url.scheme == "https",
        httponly=True, samesite="lax",
    )  # fmt: skip
    return response
