"""The API's list of predictions, and taking one away."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse

from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.http.problems import Problem, problems
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.identity.rules import landing, may
from service.predictions import query as listing
from service.predictions.dependencies import PredictionsDep
from service.predictions.history_contexts import DeletePage, deletion_reason
from service.predictions.query import CursorError
from service.predictions.schemas import (
    EXAMPLE,
    DeletionReason,
    NoReasonError,
    Prediction,
    SignedError,
)
from service.predictions.service import Predictions
from service.results import PredictionId, no_such_prediction
from service.storage.documents import Unreadable
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix="/api/v1/predictions", tags=["predictions"])
pages = APIRouter(include_in_schema=False)


class PredictionList(BaseModel):
    """One page of a list."""

    model_config = ConfigDict(frozen=True)

    items: tuple[Prediction, ...]
    unreadable: tuple[UUID, ...] = Field(
        (),
        description="Results of this page that cannot be read here: a newer version has written "
        "them, or they are damaged. They can be deleted by their ids.",
    )
    next: str | None = Field(
        description="Send as `after`, with all else unchanged, for the page behind this one; null "
        "on the last."
    )


_LIST_EXAMPLE: Final[dict[str, Any]] = {"items": [EXAMPLE], "unreadable": [], "next": None}


@router.get(
    "",
    summary="List predictions",
    response_model=PredictionList,
    responses={
        200: {
            "description": "One page, newest first unless asked otherwise.",
            "content": {"application/json": {"example": _LIST_EXAMPLE}},
        },
        **problems(422, 500, 503),
    },
)
async def listed(
    query: Annotated[listing.Query, Query()],
    response: Response,
    actor: Acting,
    predictions: PredictionsDep,
) -> PredictionList:
    """Filters narrow each other. Results that arrive while you read on do not shift the pages.

    Retired results are not among them: `retired=true` lists these alone.
    """
    response.headers.update(NO_STORE)
    items, following = await _found(query, actor, predictions)
    return PredictionList(
        items=tuple(one for one in items if isinstance(one, Prediction)),
        unreadable=tuple(one.id for one in items if isinstance(one, Unreadable)),
        next=following,
    )


@router.delete(
    "/{id}",
    status_code=204,
    summary="Delete a prediction",
    responses={204: {"description": "Gone."}, **problems(403, 404, 409, 422, 500, 503, 507)},
)
async def delete(
    id: PredictionId,
    actor: Acting,
    predictions: PredictionsDep,
    reason: Annotated[
        DeletionReason | None,
        Query(description="Why: kept in the trail. Needed where people sign in."),
    ] = None,
) -> Response:
    """Remove the prediction with its image, heat maps and study facts, for good.

    Image and facts stay while another prediction on the same file has them. One that is signed,
    or overridden, cannot be removed.
    """
    if not await predictions.delete(actor, id, reason):
        raise no_such_prediction()
    return Response(status_code=204)


@pages.get("/results/{id}/delete")
async def ask(
    request: Request,
    id: PredictionId,
    actor: Acting,
    predictions: PredictionsDep,
    templates: TemplatesDep,
) -> Response:
    prediction = await predictions.placed(actor, id)
    if prediction is None:
        raise no_such_prediction()
    return templates.respond(request, DeletePage.of(prediction), headers=NO_STORE)


@pages.post("/results/{id}/delete")
async def confirmed(
    request: Request,
    id: PredictionId,
    actor: Acting,
    predictions: PredictionsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form field: ``reason``, as in the API."""
    try:
        if not await predictions.delete(actor, id, deletion_reason(sent)):
            raise no_such_prediction()
    except (NoReasonError, SignedError) as error:
        prediction = await predictions.placed(actor, id)
        if prediction is None:
            raise no_such_prediction() from None
        page = DeletePage.of(prediction, error)
        return templates.respond(request, page, KINDS[error.code].status, NO_STORE)
    # Who manages accounts alone sees no list.
    back = "/history" if may(actor, "GET", "/history") else landing(actor)
    return RedirectResponse(back, 303)


async def _found(
    query: listing.Query, actor: Actor, predictions: Predictions
) -> tuple[tuple[Prediction | Unreadable, ...], str | None]:
    """Return a page of results, and the cursor of the next one."""
    try:
        items, following = await predictions.page(actor, query)
    except CursorError:
        raise Problem(
            "invalid_request", "query.after: not a cursor that was given for this order."
        ) from None
    return items, following.cursor() if following else None
