"""The page of one result, and what can be done with it there."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.http.body import form_fields
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.http.problems import translate
from service.language.locale import _
from service.predictions.contexts import ResultPage
from service.predictions.schemas import Prediction
from service.reviews.contexts import VERSION, Signing
from service.reviews.schemas import ReviewError, draft
from service.state import Acting, Opened, State, Stored
from service.storage.errors import (
    ChangedError,
    StorageFullError,
    StorageUnavailableError,
    UnreadableError,
)

router = APIRouter(prefix="/results/{id}", include_in_schema=False)


@router.get("")
async def read(request: Request, prediction: Stored, state: Opened) -> Response:
    return await shown(request, prediction, state)


@router.post("/reviews")
async def review(request: Request, prediction: Stored, actor: Acting, state: Opened) -> Response:
    """Form fields as in the API: ``action``, ``reviewer``, ``outcome``, ``reason``."""
    typed = await form_fields(request)
    version = typed.pop(VERSION, None)
    seen = None if version is None else {version}
    try:
        written = draft(typed, prediction.outcome)
        await state.reviews.sign(actor, prediction.id, written, prediction.outcome, seen)
    except ReviewError as error:
        signing = Signing.of(prediction.outcome, typed, error.faults, version)
        return await shown(request, prediction, state, signing=signing, status=422)
    except ChangedError as error:
        signing = Signing.beside(prediction.outcome, typed, error.kept, version)
        status = KINDS[error.code].status
        return await shown(request, prediction, state, signing=signing, status=status)
    except (StorageUnavailableError, StorageFullError) as error:
        problem = translate(error)
        signing = Signing.of(prediction.outcome, typed, version=version, trouble=_(problem.detail))
        status = problem.kind.status
        return await shown(
            request, prediction, state, signing=signing, status=status, headers=problem.headers
        )
    # Loading the page again must not sign again.
    return RedirectResponse(f"/results/{prediction.id}#review", 303)


async def shown(
    request: Request,
    prediction: Prediction,
    state: State,
    *,
    signing: Signing | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with the result's page; ``signing`` holds a form that could not be taken."""
    down = [name for name, found in state.health.states.items() if found == "down"]
    exam, unreadable = None, False
    try:
        exam = await state.exams.get(prediction.id)
    except UnreadableError:
        unreadable = True
    page = ResultPage.of(
        prediction,
        reviews=await state.reviews.of(prediction.id),
        exam=exam,
        exam_unreadable=unreadable,
        signing=signing,
        out_of_reach=await state.explainer.out_of_reach(prediction, down),
    )
    whence = {**NO_STORE, "Content-Location": f"/results/{prediction.id}", **(headers or {})}
    return state.pages.respond(request, page, status, whence)
