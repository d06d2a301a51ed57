"""FastAPI dependency of kept points."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.medicine.morphometry.service import Morphometry

MorphometryDep = Annotated[Morphometry, Depends(resource(Morphometry))]
