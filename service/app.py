"""Puts the front together: nothing runs at import, the lifespan opens what requests use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from typing import Any, Final, TypedDict

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from models.artifact import ArtifactError
from models.image.errors import ScanError
from service import openapi as docs
from service.batches import api as batches
from service.batches import pages as bulk
from service.batches.service import Batches
from service.batches.worker import Bulk
from service.events import Listeners
from service.exams import api as exams
from service.exams.service import Exams
from service.http.access_log import Observation
from service.http.head_as_get import Head
from service.http.idempotency_key import KeyInvalidError, KeyReusedError
from service.http.problems import Problem, respond
from service.http.reception import Reception
from service.http.security import KnownHosts, SecurityHeaders, same_origin
from service.http.static import Assets
from service.language.locale import N_, Speaking
from service.medicine.guidance import api as guidance
from service.medicine.osteoporosis.pipeline import Analyser, AnalysisError
from service.observability import tracing
from service.observability.metrics import Metrics
from service.operations import api as operations
from service.operations.health import Health
from service.patients import pages as patients
from service.patients.service import Patients
from service.predictions import api as predictions
from service.predictions import history
from service.predictions import pages as results
from service.predictions.drift import Drift, served_reference
from service.predictions.events import PredictionMade
from service.predictions.heat_maps import api as maps
from service.predictions.heat_maps.service import Explainer, ExplanationError
from service.predictions.report import api as report
from service.predictions.service import Predictions
from service.reviews import api as reviews
from service.reviews.schemas import ReviewError
from service.reviews.service import Reviews
from service.runners.pool import Runners
from service.served_models import api as models
from service.served_models import schemas as served
from service.settings import Settings, load
from service.state import State
from service.storage.database import Database
from service.storage.errors import StorageError
from service.storage.transaction import Transactions
from service.web import article_pages as articles
from service.web import home as web
from service.web import languages
from service.web.page import STATIC, Pages

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
        exams.router,
        exams.pages,
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
        listeners = Listeners()
        transactions = Transactions(database, listeners)
        try:
            async with Runners(settings, metrics) as runners:
                health = Health(settings, runners, database, metrics)
                await health.migrate()
                # It may have to read artefacts whole.
                known = await anyio.to_thread.run_sync(served_reference)
                drift = Drift(settings, metrics, known)
                analyser = Analyser(settings, runners, metrics, drift)

                def counted(event: PredictionMade) -> None:
                    metrics.prediction(event.prediction)
                    drift.prediction(event.prediction)

                listeners.afterwards(PredictionMade, counted)
                stored = Predictions(transactions, analyser.analyse)
                lines = Batches(transactions)
                worker = Bulk(settings, lines, stored.predict)
                opened = State(
                    settings=settings,
                    metrics=metrics,
                    pages=pages,
                    predictions=stored,
                    reviews=Reviews(transactions),
                    exams=Exams(transactions),
                    patients=Patients(transactions),
                    batches=lines,
                    bulk=worker,
                    explainer=Explainer(settings, runners, transactions),
                    health=health,
                )
                app.state.health = health
                # Compiling pages and reading whole artefacts is not for the first who asks.
                await anyio.to_thread.run_sync(pages.warm)
                with suppress(ArtifactError):
                    await anyio.to_thread.run_sync(served.lineup)
                async with (
                    aclosing(stored),
                    analyser.working(),
                    health.watching(),
                    worker.working(),
                ):
                    yield Lifespan(osteoserve=opened)
        finally:
            await database.close()

    return lifespan
