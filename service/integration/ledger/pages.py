"""The queue: what of the hospital's traffic waits, and what an administrator decides about it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.ids import path_id
from service.identity.dependencies import Acting
from service.integration.ledger.contexts import DiscardPage, QueuePage
from service.integration.ledger.dependencies import LedgerDep
from service.integration.ledger.schemas import NotDecidedError
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix="/queue", include_in_schema=False)

SHOWN = 200
"""Lines on the page; the oldest come first."""


def _nothing() -> ServiceError:
    return ServiceError("not_found", "There is nothing of this number to decide on.")


LineId = Annotated[UUID, Depends(path_id(_nothing))]


@router.get("")
async def show(
    request: Request, actor: Acting, ledger: LedgerDep, templates: TemplatesDep
) -> Response:
    page = QueuePage.of(
        await ledger.waiting(SHOWN, actor.site), await ledger.balance(actor.site), SHOWN
    )
    return templates.respond(request, page, headers=NO_STORE)


@router.post("/{id}/restart")
async def restart(id: LineId, actor: Acting, ledger: LedgerDep) -> Response:
    try:
        await ledger.restart(actor, id, actor.site)
    except NotDecidedError:
        raise _nothing() from None
    return RedirectResponse("/queue", 303)


@router.get("/{id}/discard")
async def ask(request: Request, id: LineId, templates: TemplatesDep) -> Response:
    return templates.respond(request, DiscardPage.of(id), headers=NO_STORE)


@router.post("/{id}/discard")
async def discard(
    request: Request,
    id: LineId,
    actor: Acting,
    ledger: LedgerDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form field: ``reason``."""
    page = DiscardPage.of(id, sent.get("reason", "").strip())
    if page.reason.error:
        return templates.respond(request, page, 422, NO_STORE)
    try:
        await ledger.discard(actor, id, page.reason.value, actor.site)
    except NotDecidedError:
        raise _nothing() from None
    return RedirectResponse("/queue", 303)
