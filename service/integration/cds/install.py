"""What clinical decision support adds to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from fastapi import FastAPI

from service.exams.service import Exams
from service.http.settings import Address
from service.identity.attempts import Attempts
from service.identity.guests import Guests
from service.identity.reading import Reading
from service.integration.cds import api
from service.integration.cds.clients import Clients, read
from service.integration.cds.metrics import CdsMetrics
from service.integration.cds.records import Records
from service.integration.cds.service import CdsHooks
from service.integration.cds.settings import CdsSettings
from service.integration.patient_match import Matching
from service.medicine.progression.settings import PrecisionSettings
from service.patients.service import Patients
from service.predictions.service import Predictions
from service.resources import Resources
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(api.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    settings, transactions = resources.get(CdsSettings), resources.get(Transactions)
    public_url = resources.get(Address).public_url
    known = read(settings.cds_clients) if settings.cds else ()
    clients = Clients(known, public_url, transactions, resources.get(Attempts))
    resources.put(Clients, clients)
    if known:
        resources.get(Guests).welcome(api.PREFIX, clients.find, clients.origins)
    resources.put(
        CdsHooks,
        CdsHooks(
            transactions,
            Matching(transactions, resources.get(Patients)),
            resources.get(Predictions),
            resources.get(Exams),
            resources.get(Reading),
            resources.get(PrecisionSettings).precision,
            resources.get(CdsMetrics),
            public_url,
        ),
    )
    records = Records()
    resources.put(Records, records)
    async with aclosing(records):
        yield
