"""FastAPI dependencies of DICOMweb."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.errors import ServiceError
from service.http.dependencies import resource
from service.integration.web.results import DicomResults
from service.integration.web.settings import DicomWebSettings
from service.integration.web.stow import Stow
from service.language.locale import N_

DicomWebSettingsDep = Annotated[DicomWebSettings, Depends(resource(DicomWebSettings))]
StowDep = Annotated[Stow, Depends(resource(Stow))]
DicomResultsDep = Annotated[DicomResults, Depends(resource(DicomResults))]


async def spoken(settings: DicomWebSettingsDep) -> None:
    """Raise where the front does not speak DICOMweb."""
    if not settings.dicomweb:
        raise ServiceError(
            "not_found", N_("This installation does not speak DICOMweb (OSTEOSERVE_DICOMWEB).")
        )
