"""FastAPI dependencies of launches from a record."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.errors import ServiceError
from service.http.dependencies import resource
from service.integration.smart.service import Smart
from service.language.locale import N_


async def opened(smart: Annotated[Smart, Depends(resource(Smart))]) -> Smart:
    """Return what launches are taken by. Raises where there are none."""
    if not smart.is_on:
        raise ServiceError(
            "not_found",
            N_("This installation is opened out of no record (OSTEOSERVE_SMART_RECORDS)."),
        )
    return smart


SmartDep = Annotated[Smart, Depends(opened)]
