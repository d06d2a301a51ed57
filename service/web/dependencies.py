"""FastAPI dependency of pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import opened
from service.web.page import Pages

PagesDep = Annotated[Pages, Depends(opened(Pages))]
