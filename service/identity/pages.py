"""Pages of sign-in and of one's own account. Where nobody signs in there are none."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from service.http.back import own
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.http.problems import Problem, translate
from service.identity import schemas
from service.identity.actor import Actor
from service.identity.contexts import (
    AccountPage,
    SetupPage,
    SignInPage,
    WelcomePage,
    named,
    said,
)
from service.identity.dependencies import ACTOR, Acting
from service.identity.oidc.contexts import SignedOutPage
from service.identity.oidc.pages import MaybeOidcDep
from service.identity.oidc.service import MaybeOidc
from service.identity.people import People
from service.identity.rules import landing
from service.identity.schemas import AccountError, CredentialsError, LinkError, TooOftenError
from service.identity.secrets import is_token
from service.identity.services import CookieDep, PeopleDep, SessionsDep
from service.language.locale import N_, _
from service.web.dependencies import TemplatesDep


async def accounts(actor: Acting) -> None:
    if actor.is_anybody:
        raise Problem("not_found", N_("Nobody signs in here."))


router = APIRouter(include_in_schema=False, dependencies=[Depends(accounts)])


@router.get("/signin")
async def ask(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    maybe: MaybeOidcDep,
    templates: TemplatesDep,
) -> Response:
    back = own(request.query_params.get("next", "/"))
    if actor.is_person:
        return RedirectResponse(_after(back, actor), 303, NO_STORE)
    page = SignInPage(next=back, nobody=await people.nobody(), **await _provider(maybe))
    return templates.respond(request, page, headers=NO_STORE)


@router.post("/signin")
async def sign_in(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    sessions: SessionsDep,
    cookie: CookieDep,
    maybe: MaybeOidcDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``login``, ``password``, ``next``."""
    back = own(sent.get("next", "/"))
    try:
        begun = await sessions.sign_in(actor, sent.get("login", ""), sent.get("password", ""))
    except (CredentialsError, TooOftenError) as error:
        problem = translate(error)
        page = SignInPage(
            next=back,
            nobody=await people.nobody(),
            typed={"login": sent.get("login", "")},
            trouble=_(KINDS[problem.code].help),
            **await _provider(maybe),
        )
        headers = {**NO_STORE, **problem.headers}
        return templates.respond(request, page, problem.kind.status, headers)
    response = RedirectResponse(_after(back, begun.actor), 303, NO_STORE)
    cookie.put(response, begun.token)
    return response


@router.post("/signout")
async def sign_out(
    request: Request,
    actor: Acting,
    sessions: SessionsDep,
    cookie: CookieDep,
    maybe: MaybeOidcDep,
    templates: TemplatesDep,
) -> Response:
    oidc = maybe.oidc
    address = None if oidc is None else await oidc.logout.address(actor)
    await sessions.sign_out(actor)
    response: Response = RedirectResponse("/signin", 303, NO_STORE)
    if oidc is not None and address is not None:
        page = SignedOutPage(provider=oidc.name, address=address)
        request.scope[ACTOR] = Actor(address=actor.address)
        response = templates.respond(request, page, headers=NO_STORE)
    cookie.clear(response)
    return response


async def setting_up(people: PeopleDep) -> People:
    """Until there is an account; then the address is like any that is none."""
    if not await people.nobody():
        raise Problem("not_found", N_("No page or resource has this address."))
    return people


SetupDep = Annotated[People, Depends(setting_up)]


@router.get("/setup")
async def setup(request: Request, _people: SetupDep, templates: TemplatesDep) -> Response:
    return templates.respond(request, SetupPage(typed={"reads": "on"}), headers=NO_STORE)


@router.post("/setup")
async def claim(
    request: Request,
    actor: Acting,
    people: SetupDep,
    sessions: SessionsDep,
    cookie: CookieDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``token``, ``login``, ``name``, ``password``, ``again``, ``reads``."""
    typed = {name: sent.get(name, "") for name in ("token", "login", "name", "reads")}
    token = sent.get("token", "").strip()
    try:
        if not is_token(token):
            raise LinkError
        login, name = schemas.account(sent)
        password = schemas.chosen(sent, login, name)
        made = await people.claim(actor, token, login, name, password, reads="reads" in sent)
    except AccountError as error:
        page = SetupPage(typed=typed, faults=said(error.faults))
        return templates.respond(request, page, 422, NO_STORE)
    except LinkError as error:
        page = SetupPage(typed=typed, trouble=_(KINDS[error.code].help))
        return templates.respond(request, page, KINDS[error.code].status, NO_STORE)
    begun = await sessions.begin(actor, made)
    response = RedirectResponse(landing(begun.actor), 303, NO_STORE)
    cookie.put(response, begun.token)
    return response


@router.get("/welcome")
async def welcome(request: Request, templates: TemplatesDep) -> Response:
    return templates.respond(request, WelcomePage(), headers=NO_STORE)


@router.post("/welcome")
async def choose(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    sessions: SessionsDep,
    cookie: CookieDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``token``, ``password``, ``again``."""
    typed = {"token": sent.get("token", "")}
    token = typed["token"].strip()
    try:
        if not is_token(token):
            raise LinkError
        person_id = await people.welcome(actor, token, schemas.chosen(sent))
    except AccountError as error:
        page = WelcomePage(typed=typed, faults=said(error.faults))
        return templates.respond(request, page, 422, NO_STORE)
    except LinkError as error:
        page = WelcomePage(typed=typed, trouble=_(KINDS[error.code].help))
        return templates.respond(request, page, KINDS[error.code].status, NO_STORE)
    begun = await sessions.begin(actor, person_id)
    response = RedirectResponse(landing(begun.actor), 303, NO_STORE)
    cookie.put(response, begun.token)
    return response


@router.get("/account")
async def account(
    request: Request, actor: Acting, people: PeopleDep, templates: TemplatesDep
) -> Response:
    return templates.respond(request, await _account(actor, people), headers=NO_STORE)


@router.post("/account/password")
async def change(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    sessions: SessionsDep,
    cookie: CookieDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``old``, ``password``, ``again``. Sign-ins elsewhere end."""
    try:
        password = schemas.chosen(sent, actor.name)
        await sessions.again(actor, sent.get("old", ""))
    except AccountError as error:
        page = await _account(actor, people, faults=dict(said(error.faults)))
        return templates.respond(request, page, 422, NO_STORE)
    except (CredentialsError, TooOftenError) as error:
        problem = translate(error)
        page = await _account(actor, people, faults={"old": _("This is not your password.")})
        headers = {**NO_STORE, **problem.headers}
        return templates.respond(request, page, problem.kind.status, headers)
    await people.change_password(actor, password)
    begun = await sessions.begin(actor, people.own(actor))
    response = templates.respond(
        request, await _account(begun.actor, people, changed=True), headers=NO_STORE
    )
    cookie.put(response, begun.token)
    return response


@router.post("/account/site")
async def move(actor: Acting, sessions: SessionsDep, sent: FormBody) -> Response:
    """Form field: ``site``, one at which they have a role."""
    if not await sessions.move(actor, sent.get("site", "")):
        raise Problem("invalid_request", N_("You have no role at this site."))
    return RedirectResponse("/account", 303, NO_STORE)


async def _account(
    actor: Actor,
    people: People,
    faults: dict[str, str] | None = None,
    *,
    changed: bool = False,
) -> AccountPage:
    return AccountPage(
        roles=named(actor.roles) or _("none"),
        site=actor.site,
        sites=await people.sites(actor),
        faults=faults or {},
        changed=changed,
    )


async def _provider(maybe: MaybeOidc) -> dict[str, Any]:
    """Return what the sign-in page says of an identity provider."""
    oidc = maybe.oidc
    return {} if oidc is None else {"provider": oidc.name, "away": await oidc.is_away()}


def _after(back: str, actor: Actor) -> str:
    return landing(actor) if back == "/" else back
