"""FastAPI dependencies of a site's use."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.usage.schemas import ShownSettings
from service.usage.service import Usage

UsageDep = Annotated[Usage, Depends(resource(Usage))]
ShownSettingsDep = Annotated[ShownSettings, Depends(resource(ShownSettings))]
