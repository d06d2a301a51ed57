"""FastAPI dependencies of heat maps."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.predictions.heat_maps.service import Explainer
from service.predictions.settings import HeatMapSettings

ExplainerDep = Annotated[Explainer, Depends(resource(Explainer))]

HeatMapSettingsDep = Annotated[HeatMapSettings, Depends(resource(HeatMapSettings))]
