"""FastAPI dependencies of progression: the facility's precision, and whose studies."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from service.http.dependencies import resource
from service.http.ids import path_id
from service.http.problems import Problem
from service.medicine.progression.settings import PrecisionSettings

PrecisionDep = Annotated[PrecisionSettings, Depends(resource(PrecisionSettings))]


def no_such_patient() -> Problem:
    return Problem("patient_not_found", "No study that is kept here has this patient.")


PatientKey = Annotated[UUID, Depends(path_id(no_such_patient, "key"))]
