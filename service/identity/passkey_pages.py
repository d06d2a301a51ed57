"""Passkeys: what browsers ask them for, and the page of one's own."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.identity import form, schemas, secrets
from service.identity.actor import Actor
from service.identity.ceremony import SECONDS
from service.identity.contexts import CodesPage, PasskeyRow, PasskeysPage
from service.identity.dependencies import ACTOR, Acting
from service.identity.entering import accounts, refused, step_cookie, trouble, waiting
from service.identity.factors import Factors
from service.identity.passkeys import MOST, Passkeys
from service.identity.people import People
from service.identity.proving import FIELD, UNPROVED, Prover, ProverDep, fresh
from service.identity.schemas import AccountError, CredentialsError, PasskeyError
from service.identity.services import CookieDep, FactorsDep, PasskeysDep, SessionsDep
from service.language.locale import N_
from service.web.dependencies import TemplatesDep

router = APIRouter(include_in_schema=False, dependencies=[Depends(accounts)])

OWN: Final = "/account/passkeys"


async def holder(actor: Acting) -> UUID:
    """Return who has passkeys: whoever signs in here, not at an identity provider."""
    if actor.session is not None and actor.session.by_provider:
        raise Problem("not_found", N_("The identity provider asks for what it wants at sign-in."))
    return People.own(actor)


HolderDep = Annotated[UUID, Depends(holder)]


@router.post("/signin/passkey")
async def to_sign_in(
    actor: Acting, prover: ProverDep, passkeys: PasskeysDep, cookie: CookieDep
) -> Response:
    """Return what any passkey of ours is asked, for this browser alone."""
    token = secrets.token()
    asked = prover.asked("sign_in", secrets.hashed("passkey", token))
    response = _json(await passkeys.to_use(actor, asked))
    cookie.set(response, prover.sign_in_cookie, token, seconds=SECONDS)
    return response


@router.post("/signin/second/passkey")
async def to_go_on(
    request: Request,
    actor: Acting,
    prover: ProverDep,
    passkeys: PasskeysDep,
    factors: FactorsDep,
    cookie: CookieDep,
) -> Response:
    """Return what a passkey is asked of whoever has given their password."""
    found = await waiting(request, step_cookie(cookie), factors)
    if found is None:
        raise Problem("invalid_request", N_("No sign-in waits here for a second factor."))
    bound, step = found
    return _json(await passkeys.to_use(actor, prover.asked("second", bound, step.person_id)))


@router.post("/account/passkey")
async def to_prove(
    actor: Acting, _: HolderDep, prover: ProverDep, passkeys: PasskeysDep
) -> Response:
    """Return what a passkey is asked of whoever proves once more who they are."""
    return _json(await passkeys.to_use(actor, prover.of_session("again", actor)))


@router.get(OWN)
async def own(
    request: Request,
    actor: Acting,
    person_id: HolderDep,
    prover: ProverDep,
    passkeys: PasskeysDep,
    factors: FactorsDep,
    templates: TemplatesDep,
) -> Response:
    page = await _own(actor, person_id, prover, passkeys, factors)
    return templates.respond(request, page, headers=NO_STORE)


@router.post(f"{OWN}/again")
async def prove(
    request: Request,
    actor: Acting,
    person_id: HolderDep,
    prover: ProverDep,
    passkeys: PasskeysDep,
    factors: FactorsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``passkey``, or ``password`` and ``code``."""
    try:
        await prover.again(actor, sent)
    except UNPROVED as error:
        told = schemas.wrong("password") if isinstance(error, CredentialsError) else error
        page = await _own(actor, person_id, prover, passkeys, factors, told)
        return refused(templates, request, page, told)
    return RedirectResponse(OWN, 303, NO_STORE)


@router.post(f"{OWN}/options", dependencies=[Depends(fresh)])
async def to_make(
    actor: Acting, person_id: HolderDep, prover: ProverDep, passkeys: PasskeysDep
) -> Response:
    """Return what a browser makes a passkey by."""
    return _json(await passkeys.to_make(actor, prover.of_session("make", actor), person_id))


@router.post(OWN, dependencies=[Depends(fresh)])
async def make(
    request: Request,
    actor: Acting,
    person_id: HolderDep,
    prover: ProverDep,
    passkeys: PasskeysDep,
    factors: FactorsDep,
    sessions: SessionsDep,
    cookie: CookieDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``name``, ``passkey``. Sign-ins elsewhere end."""
    try:
        name = schemas.key_name(sent.get("name", ""))
        asked = prover.of_session("make", actor)
        codes = await passkeys.make(actor, asked, person_id, sent.get(FIELD, ""), name)
    except (AccountError, PasskeyError) as error:
        page = await _own(actor, person_id, prover, passkeys, factors, error)
        return refused(templates, request, page, error)
    begun = await sessions.begin(actor, person_id, again=True, passkey=True)
    request.scope[ACTOR] = begun.actor
    response: Response = RedirectResponse(OWN, 303, NO_STORE)
    if codes:
        response = templates.respond(request, CodesPage(codes=codes, next=OWN), headers=NO_STORE)
    cookie.put(response, begun.token)
    return response


@router.post(f"{OWN}/{{id}}/remove", dependencies=[Depends(fresh)])
async def remove(
    id: UUID,
    actor: Acting,
    person_id: HolderDep,
    passkeys: PasskeysDep,
    factors: FactorsDep,
    sessions: SessionsDep,
    cookie: CookieDep,
) -> Response:
    """Sign-ins elsewhere end."""
    standing = await factors.standing(person_id)
    if standing.needed and standing.passkeys == 1 and not standing.app:
        raise ServiceError("forbidden", N_("Your role needs a second factor."))
    if not await passkeys.remove(actor, person_id, id):
        raise Problem("not_found", N_("You have no such passkey."))
    session = actor.session
    begun = await sessions.begin(
        actor,
        person_id,
        again=True,
        second=session is not None and session.second and standing.app,
    )
    response = RedirectResponse(OWN, 303, NO_STORE)
    cookie.put(response, begun.token)
    return response


async def _own(
    actor: Actor,
    person_id: UUID,
    prover: Prover,
    passkeys: Passkeys,
    factors: Factors,
    error: ServiceError | None = None,
) -> PasskeysPage:
    found = await passkeys.of(person_id)
    standing = await factors.standing(person_id)
    only = standing.needed and len(found) == 1 and not standing.app
    faults = error.faults if error else ()
    return PasskeysPage(
        rows=tuple(PasskeyRow.of(one) for one in found),
        fresh=passkeys.is_fresh(actor),
        here=prover.has_passkeys,
        full=len(found) >= MOST,
        removable=not only,
        naming=form.passkey_name(faults),
        proving=form.proving(code=standing.has, faults=faults),
        trouble=trouble(error) if error else "",
    )


def _json(options: str) -> Response:
    return Response(options, media_type="application/json", headers=dict(NO_STORE))
