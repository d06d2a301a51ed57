"""FastAPI dependency of heat maps."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.predictions.heat_maps.service import Explainer

ExplainerDep = Annotated[Explainer, Depends(resource(Explainer))]
