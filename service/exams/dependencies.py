"""FastAPI dependency of exams."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.exams.service import Exams
from service.http.dependencies import resource

ExamsDep = Annotated[Exams, Depends(resource(Exams))]
