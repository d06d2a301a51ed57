"""FastAPI dependencies of modalities."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.medicine.modalities.service import Modalities
from service.medicine.modalities.settings import ModalitySettings

ModalitiesDep = Annotated[Modalities, Depends(resource(Modalities))]
ModalitySettingsDep = Annotated[ModalitySettings, Depends(resource(ModalitySettings))]
