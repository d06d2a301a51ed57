"""The page of one result, and what can be done with it there."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.caching import NO_STORE
from service.endpoints.state import Opened, State, Stored
from service.fields import form_fields
from service.pages import ResultPage
from service.pages.signing import Signing
from service.prediction import Prediction
from service.review import ReviewError, draft

router = APIRouter(prefix="/results/{id}", include_in_schema=False)


@router.get("")
async def read(request: Request, prediction: Stored, state: Opened) -> Response:
    return await shown(request, prediction, state)


@router.post("/reviews")
async def review(request: Request, prediction: Stored, state: Opened) -> Response:
    """Form fields as in the API: ``action``, ``reviewer``, ``outcome``, ``reason``."""
    typed = await form_fields(request)
    try:
        written = draft(typed, prediction.outcome)
    except ReviewError as error:
        signing = Signing.of(prediction.outcome, typed, error.faults)
        return await shown(request, prediction, state, signing=signing, status=422)
    await state.reviews.add(prediction.id, written, prediction.outcome)
    # Loading the page again must not sign again.
    return RedirectResponse(f"/results/{prediction.id}#review", 303)


async def shown(
    request: Request,
    prediction: Prediction,
    state: State,
    *,
    signing: Signing | None = None,
    status: int = 200,
) -> Response:
    """Answer with the result's page; ``signing`` holds a form that could not be taken."""
    down = [name for name, found in state.health.states.items() if found == "down"]
    page = ResultPage.of(
        prediction,
        reviews=await state.reviews.all(prediction.id),
        study=await state.studies.get(prediction.id),
        signing=signing,
        out_of_reach=await state.explainer.out_of_reach(prediction, down),
    )
    headers = {**NO_STORE, "Content-Location": f"/results/{prediction.id}"}
    return state.pages.respond(request, page, status, headers)
