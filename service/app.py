"""Puts the front together: nothing runs at import, the lifespan opens what requests use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Final, TypedDict

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from models.artifact import ArtifactError
from models.errors import ScanError
from service import served, tracing
from service.analysis import Analyser, AnalysisError
from service.assets import Assets
from service.bulk.worker import Bulk
from service.drift import Drift, served_reference
from service.endpoints import (
    articles,
    batches,
    bulk,
    docs,
    guidance,
    history,
    languages,
    maps,
    models,
    operations,
    patients,
    predictions,
    report,
    results,
    reviews,
    studies,
    web,
)
from service.endpoints.state import State
from service.explanation import Explainer, ExplanationError
from service.head import Head
from service.health import Health
from service.idempotency import KeyInvalidError, KeyReusedError
from service.judging import Judging
from service.language import N_, Speaking
from service.metrics import Metrics
from service.observation import Observation
from service.pages import STATIC, Pages
from service.problems import Problem, respond
from service.reception import Reception
from service.review import ReviewError
from service.runners import Runners
from service.security import KnownHosts, SecurityHeaders, same_origin
from service.settings import Settings, load
from service.storage import (
    Batches,
    Database,
    History,
    Maps,
    Predictions,
    Reviews,
    StorageError,
    Studies,
)

VERSION: Final = "0.1.0"

DESCRIPTION: Final = """\
A second look at spine DXA scans: four models, one calibrated answer, every doubt shown.

**Research use only.** Not cleared, not a diagnosis, not for rule-out; does not replace the DXA
T-score; preliminary until a clinician signs.
"""

_AS_THEY_ARE: Final = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/pdf",
    "application/x-ndjson",  # lines that must not wait in a compressor for the next
)


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
        telemetry=tracing.REQUESTS,
    )

    def misdirected(request: Request, named: bool) -> Response:
        said = (
            N_("The request is for a host that this service is not known as.")
            if named
            else N_("The request does not say, or not once, which host it is for.")
        )
        return failed(request, Problem("host_not_known" if named else "bad_request", said))

    app.state.metrics = metrics
    for kind in (
        Problem, ScanError, AnalysisError, KeyReusedError, KeyInvalidError, StorageError,
        ExplanationError, ReviewError, ClientDisconnect, RequestValidationError, HTTPException,
    ):  # fmt: skip
        app.add_exception_handler(kind, failed)
    for router in (
        web.router,
        articles.router,
        guidance.pages,
        models.pages,
        predictions.router,
        maps.router,
        reviews.router,
        results.router,
        report.router,
        report.pages,
        history.router,
        history.pages,
        studies.router,
        studies.pages,
        patients.pages,
        batches.router,
        bulk.pages,
        guidance.api,
        models.api,
        operations.health,
        operations.metrics,
        docs.router,
        languages.router,
    ):
        app.include_router(router)
    app.mount("/static/swagger", Assets(directory=docs.ASSETS), name="swagger")
    app.mount("/static", Assets(directory=STATIC), name="static")
    # The last added is the outermost: even the answer to a bug has a language and the headers.
    app.add_middleware(Reception, settings=settings)
    app.add_middleware(KnownHosts, hosts=settings.allowed_hosts, refuse=misdirected)
    app.add_middleware(Observation, metrics=metrics, respond=failed)
    app.add_middleware(GZipMiddleware, compresslevel=6, exclude_content_types=_AS_THEY_ARE)
    app.add_middleware(Speaking)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Head)
    return app


def _lifespan(
    settings: Settings, metrics: Metrics, pages: Pages
) -> Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        database = Database(settings, metrics.row_unreadable)
        stored = Predictions(database)
        try:
            async with Runners(settings, metrics) as runners:
                health = Health(settings, runners, database, metrics)
                await health.migrate()
                # It may have to read artefacts whole.
                known = await anyio.to_thread.run_sync(served_reference)
                drift = Drift(settings, metrics, known)
                analyser = Analyser(settings, runners, metrics, drift)
                judging = Judging(analyser, stored, metrics, drift)
                lines = Batches(database)
                worker = Bulk(settings, lines, judging)
                opened = State(
                    settings=settings,
                    metrics=metrics,
                    pages=pages,
                    judging=judging,
                    predictions=stored,
                    reviews=Reviews(database),
                    history=History(database),
                    studies=Studies(database),
                    batches=lines,
                    bulk=worker,
                    explainer=Explainer(settings, runners, stored, Maps(database)),
                    health=health,
                )
                app.state.health = health
                # Compiling pages and reading whole artefacts is not for the first who asks.
                await anyio.to_thread.run_sync(pages.warm)
                with suppress(ArtifactError):
                    await anyio.to_thread.run_sync(served.lineup)
                async with analyser.working(), health.watching(), worker.working():
                    yield Lifespan(osteoserve=opened)
        finally:
            await stored.close()
            await database.close()

    return lifespan
