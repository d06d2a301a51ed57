"""FastAPI dependency of the worklist."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.worklist.service import Worklist

WorklistDep = Annotated[Worklist, Depends(resource(Worklist))]
