"""``/api/v1/predictions/{id}/worklist``: flag, assign, retire and restore for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.http.body import json_body
from service.http.caching import NO_STORE
from service.http.problems import Problem, problems
from service.identity.dependencies import Acting
from service.results import PredictionId, no_such_prediction
from service.worklist.dependencies import WorklistDep
from service.worklist.schemas import Entry, RetirementReason

router = APIRouter(prefix="/api/v1/predictions/{id}/worklist", tags=["worklist"])


class WorklistEntry(BaseModel):
    """What the people of a site have done with a result beside reading it."""

    model_config = ConfigDict(frozen=True)

    flagged: bool = Field(description="Marked for everybody at the site.")
    assigned_to: UUID | None = Field(description="The account that is to read it.")
    retired_at: datetime | None = Field(description="Since when it is in no list of pages.")
    retired_reason: RetirementReason | None = None

    @classmethod
    def of(cls, entry: Entry) -> WorklistEntry:
        return cls(
            flagged=entry.flagged_at is not None,
            assigned_to=entry.assigned_to,
            retired_at=entry.retired_at,
            retired_reason=entry.retired_reason,
        )


class WorklistChange(BaseModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flagged: bool | None = Field(None, strict=True)
    assigned_to: UUID | None = Field(None, description="null: whoever comes first.")
    retired: RetirementReason | None = Field(None, description="Why; null: list it again.")


_CHANGE: Final[dict[str, Any]] = {"flagged": True}
_EXAMPLE: Final[dict[str, Any]] = {
    "flagged": True,
    "assigned_to": "3c1f0d52-7e0b-4f4b-9a36-5d0f1c7f2b18",
    "retired_at": None,
    "retired_reason": None,
}
_ANSWER: Final[dict[str, Any]] = {"content": {"application/json": {"example": _EXAMPLE}}}


def _change(sent: Mapping[str, Any]) -> WorklistChange:
    try:
        return WorklistChange.model_validate(sent)
    except ValidationError as error:
        fields = sorted({str(one["loc"][0])[:32] for one in error.errors() if one["loc"]})
        known = [name for name in fields if name in WorklistChange.model_fields]
        raise Problem(
            "invalid_request",
            f"Not valid: {', '.join(known) or 'a field that is not known here'}.",
        ) from None


ChangeBody = Annotated[WorklistChange, Depends(json_body(WorklistChange, _change, _CHANGE))]


@router.get(
    "",
    summary="Read what is done with a result",
    response_model=WorklistEntry,
    responses={200: {"description": "As it is now.", **_ANSWER}, **problems(404, 500, 503)},
)
async def read(
    id: PredictionId, response: Response, actor: Acting, worklist: WorklistDep
) -> WorklistEntry:
    return _told(await worklist.of(actor, id), response)


@router.patch(
    "",
    summary="Flag, assign, retire or restore a result",
    response_model=WorklistEntry,
    responses={
        200: {"description": "As it is from now on.", **_ANSWER},
        **problems(400, 403, 404, 413, 422, 500, 503, 507),
    },
)
async def change(
    id: PredictionId,
    response: Response,
    actor: Acting,
    worklist: WorklistDep,
    wanted: ChangeBody,
) -> WorklistEntry:
    """Nothing of it changes what was judged or signed. Each change is one of its own."""
    found = await worklist.of(actor, id)
    if found is not None and "assigned_to" in wanted.model_fields_set:
        found = await worklist.assign(actor, id, wanted.assigned_to)
    if found is not None and wanted.flagged is not None:
        found = await worklist.flag(actor, id, wanted.flagged)
    if found is not None and "retired" in wanted.model_fields_set:
        if wanted.retired is None:
            found = await worklist.restore(actor, id)
        else:
            found = await worklist.retire(actor, id, wanted.retired)
    return _told(found, response)


def _told(found: Entry | None, response: Response) -> WorklistEntry:
    if found is None:
        raise no_such_prediction()
    response.headers.update(NO_STORE)
    return WorklistEntry.of(found)
