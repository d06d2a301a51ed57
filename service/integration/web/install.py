"""What DICOMweb adds to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.decoding import Decoder
from service.identity.reading import Reading
from service.integration.ledger.service import Ledger
from service.integration.web import api
from service.integration.web.metrics import DicomWebMetrics
from service.integration.web.results import DicomResults
from service.integration.web.stow import Stow
from service.resources import Resources
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    metrics = resources.get(DicomWebMetrics)
    resources.put(Stow, Stow(resources.get(Ledger), resources.get(Decoder), metrics))
    resources.put(DicomResults, DicomResults(resources.get(Transactions), resources.get(Reading)))
    yield
