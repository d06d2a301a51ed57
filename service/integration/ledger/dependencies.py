"""FastAPI dependency of the ledger."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.integration.ledger.service import Ledger

LedgerDep = Annotated[Ledger, Depends(resource(Ledger))]
