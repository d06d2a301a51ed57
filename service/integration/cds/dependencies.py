"""FastAPI dependencies of clinical decision support."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.errors import ServiceError
from service.http.dependencies import resource
from service.integration.cds.clients import Clients
from service.integration.cds.records import Records
from service.integration.cds.schemas import HOOKS
from service.integration.cds.service import CdsHooks
from service.integration.cds.settings import CdsSettings
from service.language.locale import N_

CdsHooksDep = Annotated[CdsHooks, Depends(resource(CdsHooks))]
ClientsDep = Annotated[Clients, Depends(resource(Clients))]
RecordsDep = Annotated[Records, Depends(resource(Records))]


async def answered(settings: Annotated[CdsSettings, Depends(resource(CdsSettings))]) -> None:
    """Raise where the front answers no hooks."""
    if not settings.cds:
        raise ServiceError(
            "not_found", N_("This installation answers no CDS Hooks (OSTEOSERVE_CDS).")
        )


async def service(id: str) -> str:
    """Return the service that the path names. Raises where there is none."""
    if id not in HOOKS:
        raise ServiceError("not_found", N_("There is no such service; see /cds-services."))
    return id


ServiceId = Annotated[str, Depends(service)]
