"""Addresses of sign-in by the identity provider. Where none is set there are none."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from service.http.back import own
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.dependencies import resource
from service.http.problems import Problem
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.identity.oidc.contexts import RefusedPage
from service.identity.oidc.errors import RefusedError, UnavailableError, status
from service.identity.oidc.service import MaybeOidc, Oidc
from service.identity.rules import landing
from service.identity.services import CookieDep
from service.language import locale as language
from service.language.locale import N_
from service.web.dependencies import TemplatesDep
from service.web.templates import Templates

router = APIRouter(prefix="/auth/oidc", include_in_schema=False)

MaybeOidcDep = Annotated[MaybeOidc, Depends(resource(MaybeOidc))]


async def configured(maybe: MaybeOidcDep) -> Oidc:
    if maybe.oidc is None:
        raise Problem("not_found", N_("No page or resource has this address."))
    return maybe.oidc


OidcDep = Annotated[Oidc, Depends(configured)]


@router.get("/signin")
async def sign_in(
    request: Request, actor: Acting, oidc: OidcDep, templates: TemplatesDep
) -> Response:
    """Go to the provider; ``next``: where to go afterwards."""
    back = own(request.query_params.get("next", "/"))
    if actor.is_person:
        return RedirectResponse(_after(back, actor), 303, NO_STORE)
    return await _sent(request, actor, oidc, templates, back, again=False)


@router.get("/again")
async def again(
    request: Request, actor: Acting, oidc: OidcDep, templates: TemplatesDep
) -> Response:
    """The same for somebody who has signed in, and is to prove once more who they are."""
    back = own(request.query_params.get("next", "/"))
    return await _sent(request, actor, oidc, templates, back, again=True)


@router.get("/callback")
async def callback(
    request: Request, actor: Acting, oidc: OidcDep, cookie: CookieDep, templates: TemplatesDep
) -> Response:
    """Where the provider sends the browser back to."""
    named = Counter(name for name, _value in request.query_params.multi_items())
    # Of two of a name nobody can say which one is meant: it is there, and is nothing.
    answer = {
        name: request.query_params[name] if count == 1 else "" for name, count in named.items()
    }
    state = answer.get("state", "")
    try:
        begun, back = await oidc.finish(actor, answer, oidc.cookies.token(request.scope, state))
    except RefusedError as error:
        response = _refused(request, error, oidc, templates)
        if error.reason not in ("flow_unknown", "flow_cookie"):
            oidc.cookies.clear(response, state)
        return response
    response = RedirectResponse(_after(own(back), begun.actor), 303, NO_STORE)
    cookie.put(response, begun.token)
    oidc.cookies.clear(response, state)
    return response


@router.post("/logout")
async def logout(actor: Acting, oidc: OidcDep, sent: FormBody) -> Response:
    """What the provider sends when somebody has signed out there (back-channel logout)."""
    try:
        await oidc.obey(actor, sent.get("logout_token", ""))
    except UnavailableError as error:
        wait = {**NO_STORE, "Retry-After": str(max(1, round(error.retry_after)))}
        return JSONResponse({"error": "temporarily_unavailable"}, 503, wait)
    except RefusedError as error:
        told = {"error": "invalid_request", "error_description": error.reason}
        return JSONResponse(told, 400, NO_STORE)
    return Response(status_code=200, headers=NO_STORE)


async def _sent(
    request: Request,
    actor: Actor,
    oidc: Oidc,
    templates: Templates,
    back: str,
    *,
    again: bool,
) -> Response:
    try:
        begun = await oidc.begin(actor, back, language.current().code, again=again)
    except RefusedError as error:
        return _refused(request, error, oidc, templates)
    response = RedirectResponse(begun.address, 303, NO_STORE)
    oidc.cookies.put(request.scope, response, begun.state, begun.browser)
    return response


def _refused(request: Request, error: RefusedError, oidc: Oidc, templates: Templates) -> Response:
    wait = getattr(error, "retry_after", None)
    headers = dict(NO_STORE) if wait is None else {**NO_STORE, "Retry-After": str(round(wait) or 1)}
    page = RefusedPage.of(error.reason, oidc)
    return templates.respond(request, page, status(error.reason), headers)


def _after(back: str, actor: Actor) -> str:
    return landing(actor) if back == "/" else back
