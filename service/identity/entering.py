"""What pages of sign-in and of accounts share: letting somebody in, and saying what is wrong."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.http.caching import NO_STORE
from service.http.cookies import sent
from service.http.problem_types import KINDS
from service.http.problems import Problem, translate
from service.identity import secrets
from service.identity.actor import Actor
from service.identity.cookie import SessionCookie
from service.identity.dependencies import Acting
from service.identity.factors import PATIENCE, Factors
from service.identity.repository.factors import Step
from service.identity.rules import landing
from service.identity.sessions import Begun, Sessions
from service.language.locale import N_, _
from service.web.page import Page
from service.web.templates import Templates

SECOND: Final = "/signin/second"


async def accounts(actor: Acting) -> None:
    if actor.is_anybody:
        raise Problem("not_found", N_("Nobody signs in here."))


def refused(templates: Templates, request: Request, page: Page, error: ServiceError) -> Response:
    """Answer ``error`` with the ``page`` whose form it is about."""
    problem = translate(error)
    headers = {**NO_STORE, **problem.headers}
    return templates.respond(request, page, problem.kind.status, headers)


def trouble(error: ServiceError) -> str:
    """Return what is wrong with no field of a form; empty: the fields at fault say it."""
    return "" if error.faults else _(KINDS[error.code].help)


def entered(cookie: SessionCookie, begun: Begun, back: str = "/") -> Response:
    """Send somebody on who is signed in now."""
    response = RedirectResponse(after(back, begun.actor), 303, NO_STORE)
    cookie.put(response, begun.token)
    return response


def after(back: str, actor: Actor) -> str:
    return landing(actor) if back == "/" else back


def step_cookie(cookie: SessionCookie) -> str:
    """Return the name of the cookie of a sign-in that waits for its second factor."""
    return f"{cookie.name}-second"


async def waiting(request: Request, name: str, factors: Factors) -> tuple[str, Step] | None:
    """Return the sign-in that waits for its second factor in this browser, and its hash.

    ``name``: of its cookie. None: there is none any more.
    """
    found = sent(request.scope, name)
    step = await factors.waiting(found[0]) if len(found) == 1 else None
    return None if step is None else (secrets.hashed("step", found[0]), step)


async def proved(
    actor: Actor,
    person_id: UUID,
    sessions: Sessions,
    factors: Factors,
    cookie: SessionCookie,
    back: str = "/",
) -> Response:
    """Let in whoever has proved a first factor, or have them give the second one first."""
    standing = await factors.standing(person_id)
    if not (standing.has or standing.needed):
        return entered(cookie, await sessions.begin(actor, person_id), back)
    token = await factors.wait(person_id, back)
    response = RedirectResponse(SECOND, 303, NO_STORE)
    seconds = int(PATIENCE.total_seconds())
    cookie.set(response, step_cookie(cookie), token, seconds=seconds)
    return response
