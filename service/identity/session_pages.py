"""Where somebody is signed in, how they signed in lately, and the end of what they do not know."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.identity import form, schemas
from service.identity.actor import Actor
from service.identity.contexts import SessionRow, SessionsPage, TryRow
from service.identity.dependencies import Acting
from service.identity.entering import accounts, refused, trouble
from service.identity.passkeys import Passkeys
from service.identity.proving import UNPROVED, Prover, ProverDep, fresh
from service.identity.schemas import CredentialsError
from service.identity.services import PasskeysDep, SessionsDep
from service.identity.sessions import Sessions
from service.language.locale import N_
from service.web.dependencies import TemplatesDep

router = APIRouter(include_in_schema=False, dependencies=[Depends(accounts)])

OWN: Final = "/account/sessions"


@router.get(OWN)
async def own(
    request: Request,
    actor: Acting,
    sessions: SessionsDep,
    passkeys: PasskeysDep,
    prover: ProverDep,
    templates: TemplatesDep,
) -> Response:
    page = await _own(actor, sessions, passkeys, prover)
    return templates.respond(request, page, headers=NO_STORE)


@router.post(f"{OWN}/again")
async def prove(
    request: Request,
    actor: Acting,
    sessions: SessionsDep,
    passkeys: PasskeysDep,
    prover: ProverDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``passkey``, or ``password`` and ``code``."""
    try:
        await prover.again(actor, sent)
    except UNPROVED as error:
        told = schemas.wrong("password") if isinstance(error, CredentialsError) else error
        page = await _own(actor, sessions, passkeys, prover, told)
        return refused(templates, request, page, told)
    return RedirectResponse(OWN, 303, NO_STORE)


@router.post(f"{OWN}/end", dependencies=[Depends(fresh)])
async def end_others(actor: Acting, sessions: SessionsDep) -> Response:
    """End all but this one."""
    await sessions.end_others(actor)
    return RedirectResponse(OWN, 303, NO_STORE)


@router.post(f"{OWN}/{{id}}/end", dependencies=[Depends(fresh)])
async def end(id: str, actor: Acting, sessions: SessionsDep) -> Response:
    """End one of those elsewhere."""
    if not await sessions.end_others(actor, only=id):
        raise Problem("not_found", N_("No sign-in of yours has this number any more."))
    return RedirectResponse(OWN, 303, NO_STORE)


async def _own(
    actor: Actor,
    sessions: Sessions,
    passkeys: Passkeys,
    prover: Prover,
    error: ServiceError | None = None,
) -> SessionsPage:
    session = actor.session
    has = session is not None and session.has_factor
    return SessionsPage(
        rows=tuple(SessionRow.of(one) for one in await sessions.own(actor)),
        tries=tuple(TryRow.of(one) for one in await sessions.tries(actor)),
        fresh=passkeys.is_fresh(actor),
        by_provider=session is not None and session.by_provider,
        proving=form.proving(code=has, faults=error.faults if error else ()),
        passkey=session is not None and session.has_passkey and prover.has_passkeys,
        trouble=trouble(error) if error else "",
    )
