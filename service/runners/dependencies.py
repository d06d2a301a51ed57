"""FastAPI dependency of the runners."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.runners.states import RunnerStates

RunnerStatesDep = Annotated[RunnerStates, Depends(resource(RunnerStates))]
