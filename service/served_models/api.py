"""``/api/v1/models`` and ``/models``: what is being served, from one object."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from models.artifact import ArtifactError, artifacts_folder
from service.errors import ServiceError
from service.http.caching import IMMUTABLE, NO_CACHE
from service.http.problems import problems
from service.runners.dependencies import RunnerStatesDep
from service.served_models import schemas as served
from service.served_models.contexts import ModelsPage
from service.served_models.schemas import Lineup
from service.web.dependencies import TemplatesDep

api = APIRouter(prefix="/api/v1/models", tags=["models"])
pages = APIRouter(prefix="/models", include_in_schema=False)

PLOT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""A drawing needs nothing, wherever it is opened."""


async def _lineup() -> Lineup:
    try:
        return await run_in_threadpool(served.lineup)
    except ArtifactError as error:
        raise ServiceError(
            "models_unreadable", f"The models cannot be shown: {_plain(error)}"
        ) from None


def _plain(error: ArtifactError) -> str:
    """What is wrong with the artefact, without the folder it lies in."""
    root = str(artifacts_folder())
    return str(error).replace(root, "the artefacts folder") + "."


@api.get(
    "",
    summary="What is being served, and how good it is",
    response_model=Lineup,
    responses={
        200: {"description": "Versions, figures with intervals, provenance, cards and plots."},
        **problems(500),
    },
)
async def read(response: Response) -> Lineup:
    """Figures are normal against osteoporosis, on the data that `data` names. Read the intervals.

    Versions are those on disk beside the front; each prediction names the versions that judged it.
    """
    response.headers["Cache-Control"] = NO_CACHE
    return await _lineup()


@pages.get("")
async def page(request: Request, states: RunnerStatesDep, templates: TemplatesDep) -> Response:
    found = await _lineup()
    return templates.respond(request, ModelsPage.of(found, states))


@pages.get("/plots/{name}.svg")
async def plot(name: str, request: Request) -> Response:
    try:
        drawn = await run_in_threadpool(served.plot, name)
    except ArtifactError:
        drawn = None
    if drawn is None:
        raise ServiceError("not_found", "There is no such drawing.")
    # Only an address that names the version stands for this drawing alone.
    named = "v" in request.query_params
    return Response(
        drawn,
        media_type="image/svg+xml",
        headers={
            "Content-Security-Policy": PLOT_POLICY,
            "Cache-Control": IMMUTABLE if named else NO_CACHE,
        },
    )
