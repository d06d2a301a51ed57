"""The page of administrators: how long what is kept, what is due, and legal holds."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import RedirectResponse

from service.holds.schemas import ObjectKind
from service.holds.service import Holds
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.dependencies import resource
from service.http.problems import Problem
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.language.locale import N_, _
from service.retention import form
from service.retention.contexts import RetentionPage
from service.retention.form import Typed
from service.retention.service import Retention
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix="/retention", include_in_schema=False)

HoldsDep = Annotated[Holds, Depends(resource(Holds))]
RetentionDep = Annotated[Retention, Depends(resource(Retention))]


@router.get("")
async def shown(
    request: Request,
    actor: Acting,
    holds: HoldsDep,
    retention: RetentionDep,
    templates: TemplatesDep,
) -> Response:
    """Query: ``all``, for holds that were released as well."""
    every = "all" in request.query_params
    page = await _page(actor, holds, retention, {}, {}, every=every)
    return templates.respond(request, page, headers=NO_STORE)


@router.post("/holds")
async def place(
    request: Request,
    actor: Acting,
    holds: HoldsDep,
    retention: RetentionDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``by``, ``what``, ``reason``."""
    faults = form.faults(sent)
    if not faults and not await _placed(actor, holds, retention, sent):
        faults["what"] = _("Nothing of this site is kept under it.")
    if faults:
        page = await _page(actor, holds, retention, sent, faults)
        return templates.respond(request, page, 422, NO_STORE)
    return RedirectResponse("/retention", 303, NO_STORE)


async def _id(id: Annotated[str, Path()]) -> UUID:
    found = form.number(id)
    if found is None:
        raise _none()
    return found


@router.post("/holds/{id}/release")
async def release(id: Annotated[UUID, Depends(_id)], actor: Acting, holds: HoldsDep) -> Response:
    if not await holds.release(actor, id):
        raise _none()
    return RedirectResponse("/retention", 303, NO_STORE)


async def _placed(actor: Actor, holds: Holds, retention: Retention, sent: Typed) -> bool:
    """Place holds on whatever is named; False where there is nothing of the kind."""
    by, what, why = sent["by"], sent["what"].strip(), sent["reason"]
    if by == "reference":
        keys = await retention.known_by(actor, what)
        placed = [await holds.place(actor, "patient", key, why) for key in keys]
        return any(one is not None for one in placed)
    kind: ObjectKind = "patient" if by == "patient" else "result"
    number = form.number(what)
    return number is not None and await holds.place(actor, kind, number, why) is not None


async def _page(
    actor: Actor,
    holds: Holds,
    retention: Retention,
    sent: Typed,
    faults: Typed,
    *,
    every: bool = False,
) -> RetentionPage:
    return RetentionPage.of(
        actor.site,
        retention.days(actor.site),
        (await retention.due(site=actor.site)).get(actor.site, {}),
        await holds.all(actor, released=every),
        form.hold(sent, faults),
        every=every,
    )


def _none() -> Problem:
    return Problem("not_found", N_("No open hold of this site has this number."))
