"""Pages of break-glass: for whoever needs it, and for auditors who look into it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.identity import form
from service.identity.actor import Actor
from service.identity.contexts import GlassPage, UseRow, UsesPage
from service.identity.dependencies import Acting
from service.identity.entering import accounts, entered, refused, trouble
from service.identity.form import Typed
from service.identity.glass import LASTS, Glasses
from service.identity.schemas import AccountError
from service.identity.services import CookieDep, GlassesDep
from service.language.locale import N_, _
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix="/glass", include_in_schema=False, dependencies=[Depends(accounts)])


@router.get("")
async def ask(
    request: Request, actor: Acting, glasses: GlassesDep, templates: TemplatesDep
) -> Response:
    return templates.respond(request, await _asked(actor, glasses, {}), headers=NO_STORE)


@router.post("")
async def begin(
    request: Request,
    actor: Acting,
    glasses: GlassesDep,
    cookie: CookieDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``site``, ``reason``."""
    try:
        begun = await glasses.begin(actor, sent.get("site", ""), sent.get("reason", ""))
    except AccountError as error:
        page = await _asked(actor, glasses, sent, error)
        return refused(templates, request, page, error)
    return entered(cookie, begun, "/history")


@router.post("/end")
async def end(actor: Acting, glasses: GlassesDep, cookie: CookieDep) -> Response:
    begun = await glasses.end(actor)
    if begun is None:
        raise Problem("not_found", N_("You are at your own site."))
    return entered(cookie, begun)


@router.get("/uses")
async def uses(
    request: Request, actor: Acting, glasses: GlassesDep, templates: TemplatesDep
) -> Response:
    return templates.respond(request, await _uses(actor, glasses), headers=NO_STORE)


async def _id(id: Annotated[str, Path()]) -> UUID:
    try:
        return UUID(id)
    except ValueError:
        raise _none() from None


@router.post("/uses/{id}/close")
async def close(
    request: Request,
    id: Annotated[UUID, Depends(_id)],
    actor: Acting,
    glasses: GlassesDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form field: ``remark``, which may be empty."""
    try:
        if not await glasses.close(actor, id, sent.get("remark", "")):
            raise _none()
    except AccountError as error:
        page = await _uses(actor, glasses, trouble(error) or _("The remark is too long."))
        return refused(templates, request, page, error)
    return RedirectResponse("/glass/uses", 303, NO_STORE)


async def _asked(
    actor: Actor, glasses: Glasses, typed: Typed, error: ServiceError | None = None
) -> GlassPage:
    others = await glasses.others(actor)
    return GlassPage(
        fields=form.glass(typed, others, error.faults if error else ()),
        minutes=int(LASTS.total_seconds() // 60),
        sites=bool(others),
    )


async def _uses(actor: Actor, glasses: Glasses, trouble: str = "") -> UsesPage:
    rows = tuple(UseRow.of(one, actor.site) for one in await glasses.uses(actor))
    return UsesPage(rows=rows, trouble=trouble)


def _none() -> Problem:
    return Problem("not_found", N_("There is no open one of this number at your site."))
