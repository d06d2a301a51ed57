"""Puts the front together: nothing runs at import, the lifespan opens what requests use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, TypedDict

import anyio.to_thread
from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

from listener.uploads import Uploads
from models.artifact import ArtifactError
from models.reading import Limits
from service import openapi as docs
from service.batches import api as batches
from service.batches import pages as bulk
from service.batches.service import Batches
from service.batches.settings import BatchLimits
from service.batches.worker import Bulk
from service.decoding import Allowance, Decoder
from service.errors import ServiceError
from service.events import Listeners
from service.exams import api as exams
from service.exams.service import Exams
from service.http.access_log import AccessLogMiddleware
from service.http.dependencies import Opened
from service.http.head_as_get import HeadAsGet
from service.http.locale import LocaleMiddleware
from service.http.problems import HANDLED, respond
from service.http.reception import Reception
from service.http.security import KnownHosts, SameOrigin, SecurityHeaders
from service.http.settings import UploadLimits
from service.http.static import Assets
from service.language.locale import N_
from service.medicine import preparation
from service.medicine.guidance import api as guidance
from service.medicine.osteoporosis.pipeline import Pipeline
from service.medicine.progression import pages as progression
from service.medicine.progression.settings import PrecisionSettings
from service.metrics import Metrics
from service.observability import tracing
from service.operations import api as operations
from service.operations.health import Health
from service.patients.service import Patients
from service.predictions import api as predictions
from service.predictions import history, home
from service.predictions import pages as results
from service.predictions.drift import Drift, served_reference
from service.predictions.events import PredictionMade
from service.predictions.heat_maps import api as maps
from service.predictions.heat_maps.service import Explainer
from service.predictions.report import api as report
from service.predictions.service import Predictions
from service.results import Results
from service.reviews import api as reviews
from service.reviews.service import Reviews
from service.runners.pool import RunnerPool
from service.runners.states import RunnerStates
from service.served_models import api as models
from service.served_models import schemas as served
from service.settings import Settings, load
from service.storage.database import Database
from service.storage.transaction import Transactions
from service.web import article_pages as articles
from service.web import languages
from service.web import problem_pages as problems
from service.web.errors import error_page
from service.web.page import Pages
from service.web.templates import STATIC

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


BATCHES: Final = ("/bulk", "/api/v1/batches")
"""Where batches are sent. They wait on disk; everything else waits in memory."""

RECEIVED: Final = 4
"""Times as many batches are received as worked on: to send one slowly keeps nobody's place."""


class Lifespan(TypedDict):
    opened: Opened


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the front. Without ``settings`` they are read from the environment."""
    settings = load() if settings is None else settings
    metrics = Metrics()
    pages = Pages()

    def failed(request: Request, error: Exception) -> Response:
        return respond(request, error, partial(error_page, pages))

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
        dependencies=[Depends(SameOrigin(settings.allowed_hosts))],
        telemetry=tracing.REQUESTS,
    )

    def misdirected(request: Request, named: bool) -> Response:
        said = (
            N_("The request is for a host that this service is not known as.")
            if named
            else N_("The request does not say, or not once, which host it is for.")
        )
        return failed(request, ServiceError("host_not_known" if named else "bad_request", said))

    app.state.metrics = metrics
    for kind in HANDLED:
        app.add_exception_handler(kind, failed)
    for router in (
        home.router,
        problems.router,
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
        progression.pages,
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
    held = Uploads(settings.bulk_batches * settings.bulk_bytes, RECEIVED * settings.bulk_batches)
    app.add_middleware(
        Reception,
        uploads=Uploads(settings.unfinished_bytes, settings.connections),
        spooled=dict.fromkeys(BATCHES, held),
    )
    app.add_middleware(KnownHosts, hosts=settings.allowed_hosts, refuse=misdirected)
    app.add_middleware(AccessLogMiddleware, metrics=metrics.http, respond=failed)
    app.add_middleware(GZipMiddleware, compresslevel=6, exclude_content_types=_AS_THEY_ARE)
    app.add_middleware(LocaleMiddleware)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(HeadAsGet)
    return app


def _lifespan(
    settings: Settings, metrics: Metrics, pages: Pages
) -> Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        database = Database(settings, metrics.storage.row_unreadable)
        listeners = Listeners()
        transactions = Transactions(database, listeners)
        try:
            async with RunnerPool(
                settings, metrics.runners, max_deferral=settings.bulk_patience_seconds
            ).open() as runners:
                health = Health(settings, runners, database, metrics.runners, metrics.storage)
                await health.migrate()
                # It may have to read artefacts whole.
                known = await anyio.to_thread.run_sync(served_reference)
                drift = Drift(settings, metrics.predictions, known)
                decoder = Decoder(
                    preparation.load,
                    preparation.KNOWN,
                    places=settings.decoders,
                    max_deferral=settings.bulk_patience_seconds,
                    longest=Allowance(settings.decoder_seconds, settings.decoder_bytes),
                    ended=metrics.decoding.ended,
                )
                limits = Limits(max_samples=settings.max_samples)
                pipeline = Pipeline(
                    settings,
                    limits,
                    decoder,
                    runners,
                    metrics.flow,
                    drift.image,
                    unreadable=metrics.predictions.unreadable,
                )

                def counted(event: PredictionMade) -> None:
                    metrics.predictions.prediction(event.prediction)
                    drift.prediction(event.prediction)

                listeners.afterwards(PredictionMade, counted)
                stored = Predictions(transactions, pipeline.analyse)
                lines = Batches(transactions)
                worker = Bulk(settings, lines, stored.predict, pause=settings.probe_seconds)
                opened = Opened()
                opened.put(UploadLimits, settings)
                opened.put(BatchLimits, settings)
                opened.put(PrecisionSettings, settings)
                opened.put(CollectorRegistry, metrics.registry)
                opened.put(Pages, pages)
                opened.put(RunnerStates, health.states)
                opened.put(Health, health)
                opened.put(Patients, Patients(transactions))
                opened.put(Exams, Exams(transactions))
                opened.put(Reviews, Reviews(transactions))
                opened.put(Predictions, stored)
                opened.put(Results, Results(stored.get))
                opened.put(Explainer, Explainer(settings, runners, transactions))
                opened.put(Batches, lines)
                opened.put(Bulk, worker)
                app.state.health = health
                # Compiling pages and reading whole artefacts is not for the first who asks.
                await anyio.to_thread.run_sync(pages.warm)
                with suppress(ArtifactError):
                    await anyio.to_thread.run_sync(served.lineup)
                async with decoder, health.monitoring(), worker.working():
                    yield Lifespan(opened=opened)
        finally:
            await database.close()

    return lifespan
