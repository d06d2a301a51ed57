"""Puts the front together: nothing runs at import, the lifespan opens what requests use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypedDict

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from models.errors import ScanError
from service.analysis import Analyser, AnalysisError
from service.endpoints import docs, operations, predictions, web
from service.endpoints.state import State
from service.health import Health
from service.metrics import Metrics
from service.observation import Observation
from service.pages import STATIC, Pages
from service.problems import Problem, respond
from service.runners import Runners
from service.security import SecurityHeaders, same_origin
from service.settings import Settings, load
from service.storage import Database, Predictions, StorageUnavailableError

VERSION: Final = "0.1.0"

DESCRIPTION: Final = """\
A second look at spine DXA scans: three networks, one calibrated answer, every doubt shown.

**Research use only.** Not cleared, not a diagnosis, not for rule-out; does not replace the DXA
T-score; preliminary until a clinician signs.
"""


class Lifespan(TypedDict):
    osteoserve: State


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the front. Without ``settings`` they are read from the environment."""
    settings = load() if settings is None else settings
    metrics = Metrics()
    pages = Pages()

    def failed(request: Request, error: Exception) -> Response:
        return respond(request, error, pages)

    app = FastAPI(
        title="osteoserve",
        version=VERSION,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # A redirect would repeat the Host header back.
        redirect_slashes=False,
        lifespan=_lifespan(settings, metrics, pages),
        dependencies=[Depends(same_origin)],
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    for kind in (
        Problem, ScanError, AnalysisError, StorageUnavailableError,
        ClientDisconnect, RequestValidationError, HTTPException,
    ):  # fmt: skip
        app.add_exception_handler(kind, failed)
    for router in (
        web.router,
        predictions.router,
        operations.health,
        operations.metrics,
        docs.router,
    ):
        app.include_router(router)
    app.mount("/static/swagger", StaticFiles(directory=docs.ASSETS), name="swagger")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    # The last added is the outermost: even the answer to a bug carries the headers.
    app.add_middleware(Observation, metrics=metrics, respond=failed)
    app.add_middleware(SecurityHeaders)
    return app


def _lifespan(
    settings: Settings, metrics: Metrics, pages: Pages
) -> Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        database = Database(settings)
        try:
            async with Runners(settings, metrics) as runners:
                health = Health(settings, runners, database, metrics)
                await health.migrate()
                opened = State(
                    settings=settings,
                    metrics=metrics,
                    pages=pages,
                    analyser=Analyser(settings, runners),
                    predictions=Predictions(database),
                    health=health,
                )
                app.state.health = health
                async with health.watching():
                    yield Lifespan(osteoserve=opened)
        finally:
            await database.close()

    return lifespan
