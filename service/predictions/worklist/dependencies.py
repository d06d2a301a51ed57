"""FastAPI dependency of the worklist's list."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.predictions.worklist.service import WorklistReading

WorklistReadingDep = Annotated[WorklistReading, Depends(resource(WorklistReading))]
