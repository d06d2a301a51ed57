"""Puts the front together: nothing runs at import, the lifespan opens what requests use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, Protocol

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

from listener.uploads import Uploads
from service import openapi
from service.audit import install as audit
from service.batches import install as batches
from service.errors import ServiceError
from service.exams import install as exams
from service.http.access_log import AccessLogMiddleware
from service.http.dependencies import STATE
from service.http.head_as_get import HeadAsGet
from service.http.locale import LocaleMiddleware
from service.http.problems import HANDLED, respond
from service.http.reception import Reception
from service.http.security import KnownHosts, SameOrigin, SecurityHeaders
from service.http.sub_path import SubPath
from service.identity import install as identity
from service.identity.cookie import SessionCookie
from service.identity.door import Door, guard
from service.integration.cds import install as cds
from service.integration.cds.clients import ClientsError
from service.integration.cds.clients import read as read_clients
from service.integration.ledger import install as ledger
from service.integration.smart import install as smart
from service.integration.smart.records import RecordsError
from service.integration.smart.records import read as read_records
from service.integration.web import install as dicomweb
from service.integration.workitems import install as workitems
from service.language.locale import N_
from service.medicine.guidance import api as guidance
from service.medicine.modalities import install as modalities
from service.medicine.morphometry import install as morphometry
from service.medicine.progression import install as progression
from service.metrics import Metrics
from service.observability import tracing
from service.operations import install as operations
from service.operations.health import Health
from service.patients import install as patients
from service.predictions import install as predictions
from service.resources import Resources
from service.retention import install as retention
from service.reviews import install as reviews
from service.runners import install as runners
from service.served_models import install as served_models
from service.settings import GROUPS, PREFIX, Settings, SettingsError, check, load, table
from service.storage import install as storage
from service.usage import install as usage
from service.usage.schemas import Setting, ShownSettings
from service.web import install as web
from service.web.errors import error_page
from service.web.templates import Templates
from service.worklist import install as worklist

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


class Room(Protocol):
    """A subject, or part of one, that opens something."""

    def lifespan(self, resources: Resources, /) -> AbstractAsyncContextManager[None]: ...


BATCHES: Final = ("/bulk", "/api/v1/batches")
"""Where batches are sent. They wait on disk; everything else waits in memory."""

RECEIVED: Final = 4
"""Times as many batches are received as worked on: to send one slowly keeps nobody's place."""


SUBJECTS: Final = (
    predictions, reviews, exams, worklist, progression, modalities, batches, guidance, morphometry,
    served_models, operations, usage, retention, ledger, dicomweb, workitems, cds, smart, identity,
    audit, openapi, web,
)  # fmt: skip
"""Each installs its routes. A path that two could answer is the first one's: /static/swagger."""

LIFESPANS: Final = (
    storage, runners, operations, audit, identity, web, served_models, patients, exams, reviews,
    worklist, predictions, modalities, morphometry, batches, usage, ledger, dicomweb, workitems,
    cds, smart, retention,
)  # fmt: skip
"""Each opens what it hands out, of what those before it have resources."""


def create_app(settings: Settings | None = None, rooms: Iterable[Room] = LIFESPANS) -> FastAPI:
    """Build the front. Without ``settings`` they are read from the environment.

    ``rooms`` are what its lifespan opens.

    Raises :class:`~service.settings.SettingsError` where they do not go together.
    """
    settings = load() if settings is None else settings
    check(settings)
    try:
        read_clients(settings.cds_clients if settings.cds else None)
    except ClientsError as error:
        raise SettingsError(f"{PREFIX}CDS_CLIENTS: {error}") from None
    try:
        read_records(settings.smart_records, settings.oidc_issuer)
    except RecordsError as error:
        raise SettingsError(f"{PREFIX}SMART_RECORDS: {error}") from None
    metrics = Metrics()
    templates = Templates(sub_path=settings.sub_path)

    def failed(request: Request, error: Exception) -> Response:
        return respond(request, error, partial(error_page, templates))

    app = FastAPI(
        title="osteoserve",
        version=VERSION,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # A redirect would repeat the Host header back.
        redirect_slashes=False,
        lifespan=opening(settings, metrics, templates, rooms),
        dependencies=[
            Depends(
                Door(
                    settings,
                    SessionCookie(settings.public_url),
                    SameOrigin(settings.allowed_hosts),
                )
            ),
        ],
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
    for subject in SUBJECTS:
        subject.install(app)
    guard(app)
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
    app.add_middleware(LocaleMiddleware, zone=settings.zone)
    secure = settings.public_url is not None and settings.public_url.startswith("https:")
    app.add_middleware(SecurityHeaders, secure=secure)
    app.add_middleware(HeadAsGet)
    if settings.sub_path:
        app.add_middleware(SubPath, sub_path=settings.sub_path)
    return app


def opening(
    settings: Settings,
    metrics: Metrics,
    templates: Templates,
    rooms: Iterable[Room],
) -> Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]:
    """Return the lifespan of an app that opens ``rooms``, each with what those before it opened."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        resources = Resources()
        for group in GROUPS:
            resources.put(group, settings)
        for declared in vars(metrics).values():
            resources.put(type(declared), declared)
        resources.put(Templates, templates)
        resources.put(ShownSettings, _shown(settings))
        async with AsyncExitStack() as stack:
            for room in rooms:
                await stack.enter_async_context(room.lifespan(resources))
            app.state.health = resources.get(Health)
            yield {STATE: resources}

    return lifespan


def _shown(settings: Settings) -> ShownSettings:
    return ShownSettings(
        tuple(
            Setting(variable=row.variable, value=row.value, default=row.default, help=row.help)
            for row in table(settings)
        )
    )
