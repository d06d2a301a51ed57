"""FastAPI dependency of pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.web.templates import Templates

TemplatesDep = Annotated[Templates, Depends(resource(Templates))]
