"""Pages of sign-in and of one's own account. Where nobody signs in there are none."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.http.back import own
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.identity import form, schemas
from service.identity.actor import Actor
from service.identity.contexts import (
    AccountPage,
    PausedPage,
    SetupPage,
    SignInPage,
    WelcomePage,
    named,
)
from service.identity.dependencies import ACTOR, Acting
from service.identity.entering import accounts, after, entered, proved, refused, trouble
from service.identity.events import SignInFailed
from service.identity.oidc.contexts import SignedOutPage
from service.identity.oidc.pages import MaybeOidcDep
from service.identity.oidc.service import MaybeOidc
from service.identity.people import People
from service.identity.proving import FIELD, ProverDep
from service.identity.refusals import Refusals
from service.identity.schemas import (
    AccountError,
    CodeError,
    CredentialsError,
    LinkError,
    PasskeyError,
    TooOftenError,
)
from service.identity.services import (
    CookieDep,
    FactorsDep,
    PeopleDep,
    RefusalsDep,
    SessionsDep,
)
from service.identity.sessions import Sessions
from service.language.locale import N_, _
from service.storage.errors import StorageFullError, StorageUnavailableError
from service.web.dependencies import TemplatesDep

router = APIRouter(include_in_schema=False, dependencies=[Depends(accounts)])


@router.get("/signin")
async def ask(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    maybe: MaybeOidcDep,
    prover: ProverDep,
    templates: TemplatesDep,
) -> Response:
    back = own(request.query_params.get("next", "/"))
    if actor.is_person:
        if "idle" in request.query_params:
            return templates.respond(request, PausedPage(back=back), headers=NO_STORE)
        return RedirectResponse(after(back, actor), 303, NO_STORE)
    page = SignInPage(
        fields=form.signing_in({}),
        next=back,
        nobody=await people.nobody(),
        passkeys=prover.has_passkeys,
        **await _provider(maybe),
    )
    return templates.respond(request, page, headers=NO_STORE)


@router.post("/signin")
async def sign_in(
    request: Request,
    actor: Acting,
    sessions: SessionsDep,
    factors: FactorsDep,
    cookie: CookieDep,
    maybe: MaybeOidcDep,
    prover: ProverDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``passkey``, or ``login`` and ``password``; ``next``."""
    back = own(sent.get("next", "/"))
    try:
        if FIELD in sent:
            person_id = await prover.signed_in(actor, sent)
            return entered(cookie, await sessions.begin(actor, person_id, passkey=True), back)
        proved_by = await sessions.prove(actor, sent.get("login", ""), sent.get("password", ""))
    except (
        CredentialsError,
        PasskeyError,
        TooOftenError,
        StorageFullError,
        StorageUnavailableError,
    ) as error:
        page = SignInPage(
            fields=form.signing_in(sent),
            next=back,
            nobody=False,
            passkeys=prover.has_passkeys,
            trouble=trouble(error),
            **await _provider(maybe),
        )
        return refused(templates, request, page, error)
    return await proved(actor, proved_by, sessions, factors, cookie, back)


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
    page = SetupPage(fields=form.first_account({"reads": "yes"}))
    return templates.respond(request, page, headers=NO_STORE)


@router.post("/setup")
async def claim(
    request: Request,
    actor: Acting,
    people: SetupDep,
    sessions: SessionsDep,
    factors: FactorsDep,
    cookie: CookieDep,
    refusals: RefusalsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``token``, ``login``, ``name``, ``password``, ``again``, ``reads``."""
    try:
        token = schemas.token(sent)
        login, name = schemas.account(sent)
        password = schemas.chosen(sent)
        made = await people.claim(actor, token, login, name, password, reads="reads" in sent)
    except (AccountError, LinkError) as error:
        await _noted(refusals, actor, error)
        fields = form.first_account(sent, error.faults)
        page = SetupPage(fields=fields, trouble=trouble(error))
        return refused(templates, request, page, error)
    return await proved(actor, made, sessions, factors, cookie)


@router.get("/welcome")
async def welcome(request: Request, templates: TemplatesDep) -> Response:
    return templates.respond(request, WelcomePage(fields=form.by_link({})), headers=NO_STORE)


@router.post("/welcome")
async def choose(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    sessions: SessionsDep,
    factors: FactorsDep,
    cookie: CookieDep,
    refusals: RefusalsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``token``, ``password``, ``again``."""
    try:
        token = schemas.token(sent)
        person_id = await people.welcome(actor, token, schemas.chosen(sent))
    except (AccountError, LinkError) as error:
        await _noted(refusals, actor, error)
        page = WelcomePage(fields=form.by_link(sent, error.faults), trouble=trouble(error))
        return refused(templates, request, page, error)
    return await proved(actor, person_id, sessions, factors, cookie)


@router.get("/account")
async def account(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    sessions: SessionsDep,
    templates: TemplatesDep,
) -> Response:
    return templates.respond(request, await _account(actor, people, sessions), headers=NO_STORE)


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
    """Form fields: ``old``, ``password``, ``again``, ``code``. Sign-ins elsewhere end."""
    try:
        password = schemas.chosen(sent)
        again = await sessions.again(actor, sent.get("old", ""), sent.get("code", ""))
        await people.change_password(actor, password)
    except CredentialsError as error:
        page = await _account(actor, people, sessions, schemas.wrong("old"))
        return refused(templates, request, page, error)
    except (AccountError, CodeError, TooOftenError) as error:
        return refused(templates, request, await _account(actor, people, sessions, error), error)
    second = again.session is not None and again.session.second
    begun = await sessions.begin(actor, people.own(actor), second=second)
    page = await _account(begun.actor, people, sessions, changed=True)
    response = templates.respond(request, page, headers=NO_STORE)
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
    sessions: Sessions,
    error: ServiceError | None = None,
    *,
    changed: bool = False,
) -> AccountPage:
    sites = await people.sites(actor)
    return AccountPage(
        roles=named(actor.roles) or _("none"),
        site=actor.site,
        sites=form.another_site(actor.site, sites) if len(sites) > 1 else None,
        fields=form.another_password(
            error.faults if error else (),
            code=sessions.needs_code(actor),
        ),
        trouble=trouble(error) if error else "",
        changed=changed,
    )


async def _noted(refusals: Refusals, actor: Actor, error: ServiceError) -> None:
    if isinstance(error, LinkError):
        await refusals.note(SignInFailed(actor=actor, person_id=None, reason="link"))


async def _provider(maybe: MaybeOidc) -> dict[str, Any]:
    """Return what the sign-in page says of an identity provider."""
    oidc = maybe.oidc
    return {} if oidc is None else {"provider": oidc.name, "away": await oidc.is_away()}
