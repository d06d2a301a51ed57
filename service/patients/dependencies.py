"""FastAPI dependency of patients."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.patients.service import Patients

PatientsDep = Annotated[Patients, Depends(resource(Patients))]
