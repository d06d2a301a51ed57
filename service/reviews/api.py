"""``/api/v1/predictions/{id}/reviews``: what clinicians say of a prediction. Only ever added to."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from service.http.body import json_body
from service.http.caching import NO_STORE
from service.http.preconditions import ETAG, IfMatch, tag
from service.http.problems import Problem, problems
from service.identity.dependencies import Acting
from service.results import ResultDep
from service.reviews.dependencies import ReviewsDep
from service.reviews.schemas import EXAMPLE, AnyDraft, Draft, Review, draft, version
from service.storage.errors import ChangedError

router = APIRouter(prefix="/api/v1/predictions/{id}/reviews", tags=["predictions"])

_SENT: Final[dict[str, Any]] = {name: EXAMPLE[name] for name in ("action", "outcome", "reason")}
DraftBody = Annotated[AnyDraft, Depends(json_body(Draft, draft, _SENT))]


@router.post(
    "",
    status_code=201,
    summary="Sign a prediction, override it, comment, or withdraw a signature",
    response_model=Review,
    responses={
        201: {
            "description": "Written down. The prediction stays as it was answered.",
            "content": {"application/json": {"example": EXAMPLE}},
        },
        **problems(400, 403, 404, 412, 413, 422, 500, 503, 507),
    },
)
async def add(
    response: Response,
    result: ResultDep,
    actor: Acting,
    reviews: ReviewsDep,
    review: DraftBody,
    seen: IfMatch,
) -> Review:
    """`sign` agrees with the outcome; `override` names another one and needs a reason.

    `comment` says something in `reason` and leaves what stands; `withdraw` takes back, with a
    reason, what was signed or overridden, and the result is preliminary again.

    Whoever has signed in signs with their account, within minutes of giving their password; keys
    of programs sign nothing. Where nobody signs in, `reviewer` is a name or initials, as it shall
    stand beside the result. `If-Match` takes the `ETag` of the list of reviews.
    """
    response.headers.update(NO_STORE)
    try:
        return await reviews.add(actor, result.id, review, result.outcome, seen)
    except ChangedError as error:
        more = {"kept": [one.model_dump(mode="json") for one in error.kept]}
        raise Problem(error.code, str(error), tag(version(error.kept)), more) from None


@router.get(
    "",
    summary="Every review of a prediction",
    response_model=tuple[Review, ...],
    responses={
        200: {
            "description": "The first one first; the last that signs or overrides counts, unless "
            "one that withdraws follows.",
            "headers": ETAG,
            "content": {"application/json": {"example": [EXAMPLE]}},
        },
        **problems(404, 500, 503),
    },
)
async def read(
    response: Response, result: ResultDep, actor: Acting, reviews: ReviewsDep
) -> tuple[Review, ...]:
    found = await reviews.of(actor, result.id)
    response.headers.update({**NO_STORE, **tag(version(found))})
    return found
