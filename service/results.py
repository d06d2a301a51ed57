"""Addresses that name a result, and as much of it as subjects beneath predictions need.

Reviews and exams lie under ``/api/v1/predictions/{id}`` and beneath :mod:`service.predictions`,
whose answers hold them: they are given a way to a result instead of importing it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import Depends

from service.http.dependencies import resource
from service.http.ids import path_id
from service.http.problems import Problem
from service.identity.actor import Actor
from service.identity.dependencies import Acting
from service.types import Outcome


class Result(Protocol):
    @property
    def id(self) -> UUID: ...

    @property
    def outcome(self) -> Outcome: ...


@dataclass(frozen=True)
class Results:
    """The way to results: ``find`` returns None where there is none that an actor may see."""

    find: Callable[[Actor, UUID], Awaitable[Result | None]]


def no_such_prediction() -> Problem:
    return Problem("prediction_not_found", "There is no result with this id.")


PredictionId = Annotated[UUID, Depends(path_id(no_such_prediction))]


async def result(
    id: PredictionId, actor: Acting, results: Annotated[Results, Depends(resource(Results))]
) -> Result:
    found = await results.find(actor, id)
    if found is None:
        raise no_such_prediction()
    return found


ResultDep = Annotated[Result, Depends(result)]
"""The result that the path names; one that was never made, or is not theirs to see, is a 404."""
