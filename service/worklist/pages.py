"""What pages do with a result beside reading it; each form leads back to where it stood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.http.back import own
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.identity.rules import landing, may
from service.results import PredictionId, no_such_prediction
from service.web.dependencies import TemplatesDep
from service.worklist.contexts import RetirePage
from service.worklist.dependencies import WorklistDep
from service.worklist.schemas import (
    Entry,
    NoReaderError,
    NoRetirementReasonError,
    retirement_reason,
)

router = APIRouter(prefix="/results/{id}", include_in_schema=False)

BACK: Final = "back"
"""The forms' field that says which page they stood on."""


@router.post("/flag")
async def flag(id: PredictionId, actor: Acting, worklist: WorklistDep, sent: FormBody) -> Response:
    """Form fields: ``flagged``, yes or nothing; ``back``."""
    return _back(await worklist.flag(actor, id, "flagged" in sent), id, sent)


@router.post("/assign")
async def assign(
    id: PredictionId, actor: Acting, worklist: WorklistDep, sent: FormBody
) -> Response:
    """Form fields: ``person``, an account or nothing; ``back``."""
    return _back(await worklist.assign(actor, id, _person(sent.get("person"))), id, sent)


@router.get("/retire")
async def ask(
    request: Request,
    id: PredictionId,
    actor: Acting,
    worklist: WorklistDep,
    templates: TemplatesDep,
) -> Response:
    found = await worklist.of(actor, id)
    if found is None:
        raise no_such_prediction()
    return templates.respond(request, RetirePage.of(id, found), headers=NO_STORE)


@router.post("/retire")
async def retire(
    request: Request,
    id: PredictionId,
    actor: Acting,
    worklist: WorklistDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form field: ``reason``, one of those listed."""
    try:
        found = await worklist.retire(actor, id, retirement_reason(sent.get("reason")))
    except NoRetirementReasonError as error:
        found = await worklist.of(actor, id)
        if found is None:
            raise no_such_prediction() from None
        page = RetirePage.of(id, found, missing=True)
        return templates.respond(request, page, KINDS[error.code].status, NO_STORE)
    return _shown(found, id, actor)


@router.post("/restore")
async def restore(id: PredictionId, actor: Acting, worklist: WorklistDep) -> Response:
    return _shown(await worklist.restore(actor, id), id, actor)


def _person(sent: str | None) -> UUID | None:
    if sent is None:
        return None
    try:
        return UUID(sent)
    except ValueError:
        raise NoReaderError from None


def _shown(found: Entry | None, id: UUID, actor: Actor) -> Response:
    if found is None:
        raise no_such_prediction()
    # Who manages accounts alone sees no result.
    sees = may(actor, "GET", "/results/{id}")
    return RedirectResponse(f"/results/{id}" if sees else landing(actor), 303)


def _back(found: Entry | None, id: UUID, sent: Mapping[str, str]) -> Response:
    if found is None:
        raise no_such_prediction()
    return RedirectResponse(own(sent.get(BACK) or f"/results/{id}"), 303)
