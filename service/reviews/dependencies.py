"""FastAPI dependency of reviews."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.reviews.service import Reviews

ReviewsDep = Annotated[Reviews, Depends(resource(Reviews))]
