"""What launches from a record add to the front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from service.http.settings import Address
from service.identity.attempts import Attempts
from service.identity.cookie import SessionCookie
from service.identity.oidc.arrivals import Arrivals
from service.identity.oidc.client import Client
from service.identity.oidc.cookies import FlowCookies
from service.identity.oidc.discovery import Provider
from service.identity.oidc.settings import OidcSettings
from service.identity.sessions import Sessions
from service.identity.settings import IdentitySettings
from service.integration.patient_match import Matching
from service.integration.smart import pages
from service.integration.smart.flow import Launches
from service.integration.smart.metrics import RecordMetrics, SmartMetrics
from service.integration.smart.records import Record, read
from service.integration.smart.service import Known, Smart
from service.integration.smart.settings import SmartSettings
from service.integration.smart_configuration import WELL_KNOWN
from service.patients.service import Patients
from service.predictions.service import Predictions
from service.resources import Resources
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    app.include_router(pages.router)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    """Open what asks records; nothing is asked yet."""
    issuer = resources.get(IdentitySettings).oidc_issuer
    records = read(resources.get(SmartSettings).smart_records, issuer)
    transactions = resources.get(Transactions)
    resources.get(Sessions).let_in(record.known_as for record in records)
    async with AsyncExitStack() as stack:
        known = []
        for record in records:
            client = await stack.enter_async_context(Client.open(record.authorities))
            known.append(_known(resources, record, client, is_provider=record.known_as == issuer))
        smart = Smart(
            known,
            FlowCookies(resources.get(SessionCookie), "launch"),
            resources.get(Sessions),
            Matching(transactions, resources.get(Patients)),
            resources.get(Predictions),
            resources.get(Attempts),
            transactions,
            resources.get(SmartMetrics),
        )
        resources.put(Smart, smart)
        yield


def _known(resources: Resources, record: Record, client: Client, *, is_provider: bool) -> Known:
    """``is_provider``: it signs people in by the identity provider, so that they are its people."""
    oidc, transactions = resources.get(OidcSettings), resources.get(Transactions)
    public_url = resources.get(Address).public_url
    if public_url is None:
        raise RuntimeError("an identity provider without an address of the front's")
    provider = Provider(
        record.known_as,
        client,
        RecordMetrics(resources.get(SmartMetrics), record.name),
        address=record.iss.rstrip("/") + WELL_KNOWN,
        called="record",
    )
    names = oidc.claim_names if is_provider else record.claim_names
    grants = oidc.group_grants if is_provider else record.grants
    return Known(
        Launches(record, names, public_url, provider, client, transactions),
        Arrivals(grants, transactions, resources.get(Sessions)),
    )
