"""What modalities add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from models.reading import Limits
from service.decoding import Decoder
from service.decoding.settings import DecoderLimits
from service.medicine.modalities import api, pages
from service.medicine.modalities.ct import api as ct_api
from service.medicine.modalities.ct import pages as ct_pages
from service.medicine.modalities.ct.service import CtLimits, CtReading
from service.medicine.modalities.service import Modalities
from service.medicine.modalities.settings import ModalitySettings
from service.resources import Resources
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(ct_api.router)
    app.include_router(ct_pages.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    transactions = resources.get(Transactions)
    resources.put(Modalities, Modalities(transactions))
    image = Limits(max_samples=resources.get(DecoderLimits).max_samples)
    limits = CtLimits(image, resources.get(ModalitySettings).ct_seconds)
    resources.put(CtReading, CtReading(transactions, resources.get(Decoder), limits))
    yield
