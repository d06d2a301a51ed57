"""Pages of second factors: a code at sign-in, and one's own app, recovery codes and their end."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.identity import form, schemas
from service.identity.actor import Actor
from service.identity.contexts import CodePage, CodesPage, FactorPage
from service.identity.dependencies import ACTOR, Acting
from service.identity.entering import (
    SECOND,
    accounts,
    entered,
    refused,
    step_cookie,
    trouble,
    waiting,
)
from service.identity.factors import Factors
from service.identity.people import People
from service.identity.proving import FIELD, UNPROVED, Prover, ProverDep
from service.identity.repository.factors import Step
from service.identity.schemas import CodeError, CredentialsError, PasskeyError, TooOftenError
from service.identity.services import CookieDep, FactorsDep, PasskeysDep, SessionsDep
from service.language.locale import N_
from service.web.dependencies import TemplatesDep

router = APIRouter(include_in_schema=False, dependencies=[Depends(accounts)])


async def _asked(
    factors: Factors, prover: Prover, step: Step, error: ServiceError | None = None
) -> CodePage:
    standing = await factors.standing(step.person_id)
    offer = await factors.due(step.person_id)
    return CodePage(
        fields=form.code(offered=offer is not None, app=standing.app or offer is not None),
        offer=offer,
        app=standing.app,
        passkey=standing.passkeys > 0 and prover.has_passkeys,
        trouble=trouble(error) if error else "",
    )


@router.get(SECOND)
async def ask(
    request: Request,
    cookie: CookieDep,
    factors: FactorsDep,
    prover: ProverDep,
    templates: TemplatesDep,
) -> Response:
    found = await waiting(request, step_cookie(cookie), factors)
    if found is None:
        return RedirectResponse("/signin", 303, NO_STORE)
    page = await _asked(factors, prover, found[1])
    return templates.respond(request, page, headers=NO_STORE)


@router.post(SECOND)
async def give(
    request: Request,
    actor: Acting,
    cookie: CookieDep,
    factors: FactorsDep,
    passkeys: PasskeysDep,
    prover: ProverDep,
    sessions: SessionsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form field: ``passkey``, or ``code``, of the app or a recovery code."""
    found = await waiting(request, step_cookie(cookie), factors)
    if found is None:
        return RedirectResponse("/signin", 303, NO_STORE)
    bound, step = found
    made: tuple[str, ...] = ()
    by_passkey = FIELD in sent
    try:
        if by_passkey:
            asked = prover.asked("second", bound, step.person_id)
            await passkeys.use(actor, asked, sent[FIELD])
        elif await factors.due(step.person_id) is not None:
            made = await factors.take_up(actor, step.person_id, sent.get("code", ""))
        else:
            await factors.check(actor, step.person_id, sent.get("code", ""))
    except (CodeError, PasskeyError, TooOftenError) as error:
        page = await _asked(factors, prover, step, error)
        return refused(templates, request, page, error)
    begun = await sessions.begin(actor, step.person_id, second=True, passkey=by_passkey)
    response = entered(cookie, begun, step.next)
    if made:
        request.scope[ACTOR] = begun.actor
        shown = CodesPage(codes=made, next=step.next)
        response = templates.respond(request, shown, headers=NO_STORE)
        cookie.put(response, begun.token)
    cookie.set(response, step_cookie(cookie), "", seconds=0)
    return response


@router.get("/account/second")
async def own(
    request: Request,
    actor: Acting,
    prover: ProverDep,
    factors: FactorsDep,
    templates: TemplatesDep,
) -> Response:
    return templates.respond(request, await _own(actor, prover, factors), headers=NO_STORE)


@router.post("/account/second")
async def begin(
    request: Request,
    actor: Acting,
    prover: ProverDep,
    factors: FactorsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``passkey``, or ``password`` and ``code``.

    What an app is to take up is shown then.
    """
    try:
        await prover.again(actor, sent)
        await factors.begin(_person(actor))
    except UNPROVED as error:
        told = _of_field(error)
        return refused(templates, request, await _own(actor, prover, factors, told), told)
    return RedirectResponse("/account/second", 303, NO_STORE)


@router.post("/account/second/confirm")
async def confirm(
    request: Request,
    actor: Acting,
    prover: ProverDep,
    sessions: SessionsDep,
    cookie: CookieDep,
    factors: FactorsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form field: ``code``. Sign-ins elsewhere end, this one is by two factors now."""
    person_id = _person(actor)
    try:
        made = await factors.take_up(actor, person_id, sent.get("code", ""))
    except (CodeError, TooOftenError) as error:
        page = await _own(actor, prover, factors, error)
        return refused(templates, request, page, error)
    begun = await sessions.begin(actor, person_id, again=True, second=True)
    request.scope[ACTOR] = begun.actor
    response = templates.respond(request, CodesPage(codes=made, next="/account"), headers=NO_STORE)
    cookie.put(response, begun.token)
    return response


@router.post("/account/second/codes")
async def codes(
    request: Request,
    actor: Acting,
    prover: ProverDep,
    factors: FactorsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``passkey``, or ``password`` and ``code``. Recovery codes of before are void."""
    _has(actor)
    try:
        await prover.again(actor, sent)
    except UNPROVED as error:
        told = _of_field(error)
        return refused(templates, request, await _own(actor, prover, factors, told), told)
    made = await factors.new_codes(actor, _person(actor))
    return templates.respond(request, CodesPage(codes=made, next="/account"), headers=NO_STORE)


@router.post("/account/second/remove")
async def remove(
    request: Request,
    actor: Acting,
    prover: ProverDep,
    sessions: SessionsDep,
    cookie: CookieDep,
    factors: FactorsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``passkey``, or ``password`` and ``code``."""
    _has(actor)
    standing = await factors.standing(_person(actor))
    if not standing.may_lose_app:
        raise ServiceError("forbidden", N_("Your role needs a second factor."))
    try:
        again = await prover.again(actor, sent)
    except UNPROVED as error:
        told = _of_field(error)
        return refused(templates, request, await _own(actor, prover, factors, told), told)
    person_id = _person(actor)
    await factors.remove(actor, person_id)
    by_passkey = again.session is not None and again.session.by_passkey
    begun = await sessions.begin(actor, person_id, again=True, passkey=by_passkey)
    response = RedirectResponse("/account/second", 303, NO_STORE)
    cookie.put(response, begun.token)
    return response


async def _own(
    actor: Actor, prover: Prover, factors: Factors, error: ServiceError | None = None
) -> FactorPage:
    person_id = _person(actor)
    standing = await factors.standing(person_id)
    offer = await factors.offer(person_id) if factors.may_be_taken_up else None
    faults = error.faults if error else ()
    return FactorPage(
        standing=standing,
        offer=offer,
        can=factors.may_be_taken_up,
        confirming=form.code(offered=True),
        proving=form.proving(code=standing.has, faults=faults),
        removing=form.proving(code=standing.has, within="remove-"),
        passkey=standing.passkeys > 0 and prover.has_passkeys,
        trouble=trouble(error) if error else "",
    )


def _of_field(error: ServiceError) -> ServiceError:
    return schemas.wrong("password") if isinstance(error, CredentialsError) else error


def _person(actor: Actor) -> UUID:
    if actor.session is not None and actor.session.by_provider:
        raise Problem("not_found", N_("The identity provider asks for what it wants at sign-in."))
    return People.own(actor)


def _has(actor: Actor) -> None:
    if actor.session is None or not actor.session.has_factor:
        raise Problem("not_found", N_("You have no second factor."))
