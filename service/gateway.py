"""Puts the gateway together: DICOM in and out, and a small HTTP listener for probes and metrics.

It uses the same verbs on the same database as the front, and holds no state of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from service.app import VERSION, opening
from service.audit.trail import record
from service.events import Event, Listeners
from service.http.access_log import AccessLogMiddleware
from service.http.problems import HANDLED, respond
from service.integration import install as integration
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peers
from service.metrics import Metrics
from service.operations import install as operations
from service.predictions import install as predictions
from service.resources import Resources
from service.runners import install as runners
from service.server import Server
from service.settings import Settings
from service.storage import install as storage
from service.storage.database import Database
from service.web.errors import error_page
from service.web.templates import Templates


@dataclass(frozen=True)
class _Own:
    """What only the gateway has."""

    peers: Peers
    metrics: GatewayMetrics

    @asynccontextmanager
    async def lifespan(self, resources: Resources, /) -> AsyncIterator[None]:
        resources.put(Peers, self.peers)
        resources.put(GatewayMetrics, self.metrics)
        resources.get(Database).endure()
        # What happens is in the trail; the fronts seal it.
        resources.get(Listeners).within_sync(Event, record)
        yield


def create_app(settings: Settings, peers: Peers) -> FastAPI:
    """Build the gateway's HTTP side; its lifespan opens the DICOM side."""
    metrics, templates = Metrics(), Templates()
    own = _Own(peers, GatewayMetrics(metrics.registry))

    def failed(request: Request, error: Exception) -> Response:
        return respond(request, error, partial(error_page, templates))

    rooms = (storage, own, runners, operations, predictions, integration)
    app = FastAPI(
        title="osteoserve gateway",
        version=VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=opening(settings, metrics, templates, rooms),
    )
    app.state.metrics = metrics
    for kind in HANDLED:
        app.add_exception_handler(kind, failed)
    operations.install(app)
    app.add_middleware(AccessLogMiddleware, metrics=metrics.http, respond=failed)
    return app


def server(settings: Settings, peers: Peers) -> Server:
    """Return the gateway with its listener for probes."""
    address = settings.gateway_host, settings.gateway_http_port
    return Server(settings, create_app(settings, peers), address)
