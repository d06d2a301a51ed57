"""FastAPI dependencies of work items."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from service.http import sub_path
from service.http.dependencies import resource
from service.http.settings import Address
from service.integration.dicom import head
from service.integration.workitems.schemas import nothing
from service.integration.workitems.service import Workitems

WorkitemsDep = Annotated[Workitems, Depends(resource(Workitems))]


async def _uid(workitem: str) -> str:
    """Return the UID in an address; there is nothing at what is none."""
    try:
        return head.uid(workitem)
    except head.HeadError:
        raise nothing() from None


async def _here(request: Request, address: Annotated[Address, Depends(resource(Address))]) -> str:
    """Return where this service is retrieved from, as a URL."""
    below = sub_path.of(request.scope)
    base = address.public_url or str(request.base_url).rstrip("/") + below
    return base.rstrip("/") + "/dicom-web"


WorkitemUid = Annotated[str, Depends(_uid)]
HereDep = Annotated[str, Depends(_here)]
